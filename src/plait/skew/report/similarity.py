"""Whether taps say the same, and whether their heads err on the same samples."""

import numpy as np
from jaxtyping import Float
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from numpy import ndarray
from scipy.stats import spearmanr

from plait.drawing import grids, style
from plait.drawing.numbers import signed
from plait.skew.findings import Findings
from plait.skew.report import panels as parts
from plait.skew.report import reading
from plait.skew.report.keys import add_colours, add_signs

_WHAT = {
    "cka": "linear CKA, debiased",
    "disagreement": "disagreement: one head alone is right",
}
_UNRELATED = 0.1
"""CKA below which taps say hardly anything alike."""
_FOOT, _ABOVE = 0.75, 0.4  # inches below all maps, and above each for its title


@style.plain_letters
def plot_similarity(findings: Findings, between: reading.Edge | None = None) -> Figure:
    """Draw how alike every two taps are, and how often exactly one of their heads is right.

    At the left linear CKA (0 is unrelated, 1 the same up to rotation and scale), at the right the share of samples on
    which one head is right and the other wrong: what a fusion could gain from. Disagreement is left out for values.
    Above each map stands its rank correlation (Spearman) with the fusion gain, by the chosen operator or that of the
    best pair.

    Args:
        findings: What a search came to.
        between: Two modalities in their order; None is every two.

    Returns:
        The figure, which belongs to no window.

    Raises:
        ValueError: If the two modalities were not searched.
    """
    space, edges = reading.space_of(findings), reading.edges_of(findings, between)
    table = findings.similarity
    known = [name for name in _WHAT if table[name].notna().any()] or ["cka"]
    figure, maps = parts.new_maps(space, [edge for edge in edges for _ in known], _ABOVE, _FOOT, 2.7)
    for place, panels in enumerate(maps):
        name = known[place % len(known)]
        values = reading.cells(table, name, space, panels.edge)
        mesh = parts.fill(panels, values, grids.steps("Blues", 10), _limits(name, table[name].to_numpy(float)))
        parts.diagonal(panels)
        parts.star(panels, reading.chosen_of(findings, findings.pairs, panels.edge))
        _title(panels, findings, _WHAT[name], values)
        if place < len(known):
            _explain(figure, panels, mesh)
    add_signs(figure, {"star": "chosen", "dotted": "equal depth"}, reading.has_choice(findings))
    return figure


def _limits(name: str, values: Float[ndarray, " pair"]) -> tuple[float, float]:
    """CKA from 0, and so that what is unrelated stays pale; disagreement as it ranges."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if name == "cka":
        return 0.0, max(high, _UNRELATED)
    return low, high if high > low else low + 1.0


def _title(panels: parts.Panels, findings: Findings, what: str, values: Float[ndarray, "i j"]) -> None:
    """What is shown, and its rank correlation with the gain where there is one."""
    pairs = findings.pairs[findings.pairs["operator"] == reading.operator_of(findings)]
    gain = reading.cells(pairs, "gain", reading.space_of(findings), panels.edge)
    both = np.isfinite(values) & np.isfinite(gain)
    if both.sum() > 2 and np.ptp(values[both]) > 0 and np.ptp(gain[both]) > 0:
        what += f"\nrank correlation with the gain: {signed(float(spearmanr(values[both], gain[both]).statistic))}"
    panels.cells.set_title(what, size=style.FONT, color=style.INK, loc="left")
    for ax in (panels.above, panels.beside):
        ax.set_visible(False)


def _explain(figure: Figure, panels: parts.Panels, mesh: QuadMesh) -> None:
    """The colours of a column of maps, below it."""
    left, right = (
        at * figure.get_size_inches()[0] for at in (panels.cells.get_position().x0, panels.cells.get_position().x1)
    )
    add_colours(figure, mesh, "", _FOOT - 0.1, (float(left), max(float(right - left), 2.4)))
