"""The gain of every pair of taps over the best single tap, and what each tap is worth alone."""

import numpy as np
import pandas as pd
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from plait.drawing import grids, style
from plait.drawing.numbers import short_number
from plait.skew.findings import Findings
from plait.skew.report import panels as parts
from plait.skew.report import reading
from plait.skew.report.keys import add_colours, add_signs
from plait.skew.report.single_taps import draw_single_taps

_MARGIN, _FOOT = 0.85, 1.1  # inches of the panels above and beside, and below all
_ROOMY = 0.34  # inches of a cell that has room for a number
_SIGNS = {
    "hatched": "gain not supported",
    "star": "chosen",
    "framed": "not told apart from the best",
    "dotted": "equal depth",
}


@style.plain_letters
def plot_gain_map(findings: Findings, operator: str | None = None, between: reading.Edge | None = None) -> Figure:
    """Draw the fusion gain of every pair of taps: one map for every two modalities.

    Rows are the taps of the first modality, columns those of the second, tap 1 at the lower left; the dotted line is
    equal relative depth. Cells are hatched where the simultaneous lower bound of the gain is not above 0; framed are
    the pairs that cannot be told from the best; stars are the choice. Above and beside, in line with columns and rows,
    are the scores of the single taps with their intervals; the dashed line is the best single tap, over which the
    gains are. Numbers stand in supported cells if they have room.

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
    edges, space = reading.edges_of(findings, between), reading.space_of(findings)
    pairs = findings.pairs[findings.pairs["operator"] == operator]
    end = float(np.nanmax(np.abs(pairs["gain"].to_numpy(float)), initial=0.0)) or 1.0
    figure, maps = parts.new_maps(space, edges, _MARGIN, _FOOT)
    for panels in maps:
        mesh = _draw_gains(panels, findings, pairs, end)
        draw_single_taps(panels, findings)
    what = f"gain in {reading.metric_title(findings)} over {reading.fact(findings, 'tap')}, joined by {operator}"
    add_colours(figure, mesh, what, _FOOT - 0.1)
    add_signs(figure, _SIGNS, reading.has_choice(findings))
    return figure


def _draw_gains(panels: parts.Panels, findings: Findings, pairs: pd.DataFrame, end: float) -> QuadMesh:
    """Cells, hatching, outline and stars of one map."""
    space = reading.space_of(findings)
    gain, supported, near = (
        reading.cells(pairs, name, space, panels.edge) for name in ("gain", "supported", "in_confidence_set")
    )
    chosen = reading.chosen_of(findings, pairs, panels.edge)
    mesh = parts.fill(panels, gain, grids.steps("RdBu", 11), (-end, end))
    parts.hatch(panels.cells, np.isfinite(gain) & ~(supported > 0))
    parts.diagonal(panels)
    parts.frame(panels.cells, near > 0)
    texts = {(row, column): short_number(gain[row, column]) for row, column in np.argwhere(supported > 0).tolist()}
    written = panels.side >= _ROOMY and parts.write(panels, mesh, texts, max(map(len, texts.values()), default=4))
    parts.star(panels, chosen, corner=written)
    return mesh
