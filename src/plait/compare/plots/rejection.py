"""Whether uncertainties find the errors."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from plait.drawing import style
from plait.statistics.rejection import ORACLE, RANDOM

_REFERENCES: dict[str, dict[str, Any]] = {
    RANDOM: {"color": style.FAINT, "linewidth": 1, "linestyle": (0, (1, 1.5)), "label": "by lot"},
    ORACLE: {"color": style.FAINT, "linewidth": 1, "linestyle": "-", "label": "by the loss (oracle)"},
}


@style.plain_letters
def plot_rejection(curves: pd.DataFrame, risk: str = "mean loss", ax: Axes | None = None) -> Axes:
    """Draw the risk of the samples that are kept against the share that is rejected, one curve an uncertainty.

    An uncertainty is good if its curve falls as that of the oracle does, and worth nothing if it stays where that of
    chance is. At the right end few samples are left, and curves jump.

    Args:
        curves: The table of `rejection_curves`: columns uncertainty, rejected (share) and risk.
        risk: What the loss is, for the vertical axis: "error rate", "squared error (years²)".
        ax: Where to draw, the legend inside; None is a new figure that belongs to no window, the legend below.

    Returns:
        The Axes.

    Raises:
        ValueError: If the table is empty or lacks columns.
    """
    style.check_table(curves, ("uncertainty", "rejected", "risk"), "the table of `rejection_curves`")
    names = curves["uncertainty"].unique().tolist()
    measures = [name for name in names if name not in _REFERENCES]
    new = ax is None
    ax = style.new_axes(2.6 + 0.17 * -(-len(names) // 2)) if ax is None else ax
    looks = {name: {"label": name, "linewidth": 1.3, **style.curve_style(place)} for place, name in enumerate(measures)}
    for name, look in (looks | {name: look for name, look in _REFERENCES.items() if name in names}).items():
        rows = curves[curves["uncertainty"] == name].sort_values("rejected", kind="stable")
        ax.plot(rows["rejected"], rows["risk"], drawstyle="steps-post", **look)
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel("samples rejected, the most uncertain first")
    ax.set_ylabel(f"{risk} of the samples kept")
    style.quiet(ax, "both")
    if new:
        style.add_legend(ax, "below", 2)
    else:
        style.add_legend_inside(ax)
    return ax
