"""How often each pair is the best one in resampled samples."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plait.drawing import grids, style
from plait.skew.findings import Findings
from plait.skew.report import panels as parts
from plait.skew.report import reading
from plait.skew.report.keys import add_colours, add_signs

_MARGIN, _FOOT = 0.6, 1.0  # inches of the panels above and beside, and below all
_LEAST = 0.01
"""The smallest share that is written."""


@style.plain_letters
def plot_frequency(findings: Findings, operator: str | None = None, between: reading.Edge | None = None) -> Figure:
    """Draw in what share of the draws each pair is the best one: one map for every two modalities.

    Numbers are percent, from 1 on. The bars above and beside are the shares of single taps: how often the best pair
    has this tap. A star is the choice, the dotted line equal relative depth.

    Args:
        findings: What a search came to.
        operator: How pairs are joined; None is the chosen operator, or that of the best pair.
        between: Two modalities in their order; None is every two.

    Returns:
        The figure, which belongs to no window.

    Raises:
        ValueError: If the operator or the two modalities were not searched.
    """
    operator = reading.operator_of(findings, operator)
    space = reading.space_of(findings)
    pairs = findings.pairs[findings.pairs["operator"] == operator]
    marginals = findings.marginals[findings.marginals["operator"] == operator]
    end = float(np.nanmax(pairs["frequency"].to_numpy(float), initial=0.0)) or 1.0
    figure, maps = parts.new_maps(space, reading.edges_of(findings, between), _MARGIN, _FOOT)
    for panels in maps:
        share = reading.cells(pairs, "frequency", space, panels.edge)
        mesh = parts.fill(panels, share, grids.steps("Blues", 10), (0.0, end))
        parts.diagonal(panels)
        texts = {
            (row, column): f"{100 * share[row, column]:.0f}" for row, column in np.argwhere(share >= _LEAST).tolist()
        }
        written = parts.write(panels, mesh, texts, 3)
        parts.star(panels, reading.chosen_of(findings, pairs, panels.edge), corner=written)
        _draw_marginals(panels, marginals)
    what = f"share of {reading.fact(findings, 'draws')} draws in which the pair is best, joined by {operator}"
    add_colours(figure, mesh, what, _FOOT - 0.1)
    add_signs(figure, {"star": "chosen", "dotted": "equal depth"}, reading.has_choice(findings))
    return figure


def _draw_marginals(panels: parts.Panels, marginals: pd.DataFrame) -> None:
    """Bars for the columns above the map, and for the rows beside it."""
    end = 1.08 * float(marginals["frequency"].max()) or 1.0
    first, second = (marginals[marginals["modality"] == name] for name in panels.edge)
    panels.above.bar(second["tap"] - 0.5, second["frequency"], width=0.8, color=style.BLUE)
    panels.beside.barh(first["tap"] - 0.5, first["frequency"], height=0.8, color=style.BLUE)
    panels.above.set_ylim(0, end)
    panels.beside.set_xlim(0, end)
    panels.above.set_xticks([])
    panels.beside.set_yticks([])
    for axis in (panels.above.yaxis, panels.beside.xaxis):
        axis.set_major_locator(MaxNLocator(2, min_n_ticks=2, prune="lower"))
    style.quiet(panels.above, "y", 0.85 * style.FONT)
    style.quiet(panels.beside, "x", 0.85 * style.FONT)
