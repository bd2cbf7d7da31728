"""How often each pair is the best one in resampled samples."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from numpy import ndarray

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

    Numbers are percent, in cells from 1 on. The bars above and beside are the shares of single taps: how often the
    best pair is one of this map and has this tap. A star is the choice, the dotted line equal relative depth.

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
    end = float(np.nanmax(pairs["frequency"].to_numpy(float), initial=0.0)) or 1.0
    edges = reading.edges_of(findings, between)
    shares = [reading.cells(pairs, "frequency", space, edge) for edge in edges]
    longest = max(float(np.nansum(share, axis=axis).max()) for share in shares for axis in (0, 1))
    figure, maps = parts.new_maps(space, edges, _MARGIN, _FOOT)
    for panels, share in zip(maps, shares, strict=True):
        mesh = parts.fill(panels, share, grids.steps("Blues", 10), (0.0, end))
        parts.diagonal(panels)
        texts = {
            (row, column): f"{100 * share[row, column]:.0f}" for row, column in np.argwhere(share >= _LEAST).tolist()
        }
        written = parts.write(panels, mesh, texts, 3)
        parts.star(panels, reading.chosen_of(findings, pairs, panels.edge), corner=written)
        _draw_marginals(panels, share, 1.08 * longest or 1.0)
    what = f"share of {reading.fact(findings, 'draws')} draws in which the pair is best, joined by {operator}"
    add_colours(figure, mesh, what, _FOOT - 0.1)
    add_signs(figure, {"star": "chosen", "dotted": "equal depth"}, reading.has_choice(findings))
    return figure


def _draw_marginals(panels: parts.Panels, share: Float[ndarray, "i j"], end: float) -> None:
    """Bars for the columns above the map, and for the rows beside it, on one scale."""
    rows, columns = (np.nansum(share, axis=axis) for axis in (1, 0))
    panels.above.bar(np.arange(len(columns)) + 0.5, columns, width=0.8, color=style.BLUE)
    panels.beside.barh(np.arange(len(rows)) + 0.5, rows, height=0.8, color=style.BLUE)
    panels.above.set_ylim(0, end)
    panels.beside.set_xlim(0, end)
    panels.above.set_xticks([])
    panels.beside.set_yticks([])
    ticks = [0.5 * _round(end), _round(end)]
    for axis in (panels.above.yaxis, panels.beside.xaxis):
        axis.set_ticks(ticks, [f"{100 * tick:g}" for tick in ticks])
    style.quiet(panels.above, "y", 0.85 * style.FONT)
    style.quiet(panels.beside, "x", 0.85 * style.FONT)


def _round(end: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten up to a number."""
    power = float(10.0 ** np.floor(np.log10(end)))
    return max(step * power for step in (1, 2, 5) if step * power <= end)
