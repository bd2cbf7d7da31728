"""Whether probabilities mean what they say."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from plait.drawing import style

_MOST_COLOURED, _SMALLEST_SHARE = 12, 0.01


def plot_reliability(reliability: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of right predictions against the confidence, one curve a method; the diagonal is calibrated.

    Below the diagonal a method is too sure of itself. The area of a dot is the share of samples in its bin; bins with
    less than 1 % of the samples are left out, for they say little and make the curves jump. After the first 12 methods
    curves are grey and have no name.

    Args:
        reliability: One row a method and bin: columns method, confidence, accuracy and share (all from 0 to 1; NaN in
            an empty bin).
        ax: Where to draw, the legend inside; None is a new figure that belongs to no window, the legend below.

    Returns:
        The Axes.

    Raises:
        ValueError: If the table is empty or lacks columns.
    """
    style.check_table(reliability, ("method", "confidence", "accuracy", "share"), "a table of reliability")
    methods = reliability["method"].unique().tolist()
    named = methods[:_MOST_COLOURED]
    new = ax is None
    ax = style.new_axes(3.5 + 0.17 * -(-(len(named) + 1) // 2)) if ax is None else ax
    ax.plot([0, 1], [0, 1], color=style.FAINT, linewidth=1, linestyle=(0, (1, 1.5)), label="calibrated")
    known = reliability[reliability["share"] >= _SMALLEST_SHARE].dropna(subset=["confidence", "accuracy"])
    for place, method in enumerate(methods):
        bins = known[known["method"] == method]
        look: dict[str, Any] = {"color": style.LINE, "zorder": 1}
        if place < _MOST_COLOURED:
            look = style.curve_style(place) | {"label": method}
        ax.plot(bins["confidence"], bins["accuracy"], linewidth=1.3, **look)
        ax.scatter(bins["confidence"], bins["accuracy"], s=4 + 90 * bins["share"], color=look["color"], linewidths=0)
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("confidence (probability of the predicted class)")
    ax.set_ylabel("share of right predictions")
    style.quiet(ax, "both")
    if new:
        style.add_legend(ax, "below", 2)
    else:
        style.add_legend_inside(ax)
    return ax
