"""How scores grow with the number of training samples."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from plait.compare.layout import metric_title
from plait.drawing import style

_MOST_BANDS = 4


def plot_learning_curve(curve: pd.DataFrame, metric: str = "score", ax: Axes | None = None) -> Axes:
    """Draw the score against the number of training samples, one curve a method, with its 95 % interval.

    Up to 4 methods have bands, more have whiskers. The axis is logarithmic if the numbers differ by more than a factor
    of 8.

    Args:
        curve: One row a method and size: columns method, train (samples), mean, low and high.
        metric: Name of the vertical axis.
        ax: Where to draw, the legend inside; None is a new figure that belongs to no window, the legend below.

    Returns:
        The Axes.

    Raises:
        ValueError: If the table is empty or lacks columns.
    """
    style.check_table(curve, ("method", "train", "mean", "low", "high"), "a learning curve")
    methods = curve["method"].unique().tolist()
    new = ax is None
    ax = style.new_axes(2.6 + 0.17 * -(-len(methods) // 2)) if ax is None else ax
    for place, method in enumerate(methods):
        _draw_curve(ax, curve[curve["method"] == method].sort_values("train"), place, len(methods) <= _MOST_BANDS)
    sizes = [float(size) for size in np.unique(curve["train"])]
    if 0 < 8 * sizes[0] < sizes[-1]:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(_apart(sizes), [f"{size:g}" for size in _apart(sizes)])
    ax.set_xlabel("training samples")
    ax.set_ylabel(metric_title(metric))
    style.quiet(ax, "both")
    if new:
        style.add_legend(ax, "below", 2)
    else:
        style.add_legend_inside(ax)
    return ax


def _draw_curve(ax: Axes, rows: pd.DataFrame, place: int, band: bool) -> None:
    look = style.curve_style(place)
    train, mean, low, high = (rows[name].to_numpy(float) for name in ("train", "mean", "low", "high"))
    ax.plot(train, mean, marker="o", markersize=3.5, linewidth=1.3, label=rows["method"].iloc[0], **look)
    if band:
        ax.fill_between(train, low, high, color=look["color"], alpha=0.15, linewidth=0)
    else:
        bounds = style.whiskers(mean, low, high)
        ax.errorbar(train, mean, yerr=bounds, fmt="none", ecolor=look["color"], elinewidth=0.8, alpha=0.6)


def _apart(sizes: list[float]) -> list[float]:
    """At most six of the sizes, the first and the last among them."""
    return [sizes[round(place * (len(sizes) - 1) / 5)] for place in range(6)] if len(sizes) > 6 else sizes
