"""What skewness does to the gain."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plait.drawing import style
from plait.skew.findings import Findings
from plait.skew.report import reading

_LOOKS = {"best": ("best pair", style.BLUE, "o"), "mean": ("mean of all pairs", style.YELLOW, "s")}


@style.plain_letters
def plot_skew_profile(findings: Findings, operator: str | None = None, between: reading.Edge | None = None) -> Figure:
    """Draw the best and the mean gain of the pairs of every skewness, with intervals, for every two modalities.

    Skewness d is the tap of the first modality minus that of the second, on the scale of the deeper encoder: to the
    right the first is tapped deeper. The solid line is equal depth, the dashed one the best single tap (no gain). The
    best pair is the same one in all draws, so that the interval does not tell that it was chosen.

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
    edges = reading.edges_of(findings, between)
    table = findings.skew[findings.skew["operator"] == operator]
    figure = Figure(figsize=(style.WIDTH, 0.35 + 2.4 * len(edges)), dpi=150, layout="constrained")
    panels = figure.subplots(len(edges), 1, squeeze=False)[:, 0]
    for ax, edge in zip(panels, edges, strict=True):
        _draw(ax, reading.of_edge(table, edge).sort_values("d"), edge)
        ax.set_ylabel(f"gain in {reading.metric_title(findings)}\nby {operator}")
    style.add_legend(panels[0], "above", 2)
    return figure


def _draw(ax: Axes, rows: pd.DataFrame, edge: reading.Edge) -> None:
    d = rows["d"].to_numpy(float)
    ax.axvline(0, color=style.FAINT, linewidth=0.8, zorder=1)
    ax.axhline(0, color=style.FAINT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    for kind, (label, colour, marker) in _LOOKS.items():
        gain, low, high = (rows[f"{kind}_{part}"].to_numpy(float) for part in ("gain", "low", "high"))
        ax.errorbar(
            d, gain, yerr=style.whiskers(gain, low, high), fmt=f"{marker}-", color=colour, markersize=3.5,
            linewidth=1.1, elinewidth=1.0, label=label,
        )  # fmt: skip
    first, second = (style.short(name, 22) for name in edge)
    ax.set_xlabel(f"skewness d\n{second} deeper  ←   → {first} deeper")
    ax.xaxis.set_major_locator(MaxNLocator(9, integer=True, min_n_ticks=1))
    ax.margins(x=0.04, y=0.08)
    style.quiet(ax, "y")
