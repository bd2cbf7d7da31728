"""Two panels: seconds and peak memory against a size, both axes logarithmic."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from plait.drawing import style

_SIZE = (7.6, 3.0)
_PANELS = {"seconds": "seconds", "megabytes": "peak memory, MB"}


def plot_growth(growth: pd.DataFrame, axis: str, label: str) -> Figure:
    """Draw measured fits, a curve a series; a dotted line through the last of the first series is growth in proportion.

    Args:
        growth: One row a fit: columns series, seconds, megabytes and the one named `axis`.
        axis: Column of the horizontal axis.
        label: What it is called.

    Raises:
        ValueError: If the table is empty or lacks columns.
    """
    style.check_table(growth, ("series", axis, *_PANELS), "fits of several sizes")
    figure = Figure(figsize=_SIZE, dpi=150, layout="constrained")
    panels = figure.subplots(1, 2)
    for ax, (column, name) in zip(panels, _PANELS.items(), strict=True):
        _draw(ax, growth, axis, column)
        ax.set_xlabel(label)
        ax.set_title(name, size=style.FONT, color=style.INK, loc="left")
        _scales(ax, sorted(growth[axis].unique()))
        style.quiet(ax, "both")
    handles, labels = panels[0].get_legend_handles_labels()
    look = {"fontsize": style.FONT, "labelcolor": style.INK, "handletextpad": 0.5, "columnspacing": 1.6}
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), frameon=False, **look)
    return figure


def _draw(ax: Axes, growth: pd.DataFrame, axis: str, column: str) -> None:
    for place, (name, rows) in enumerate(growth.groupby("series", sort=False)):
        look = {"marker": "o", "markersize": 3.5, "linewidth": 1.4, **style.curve_style(place)}
        ax.plot(rows[axis], rows[column], label=str(name), **look)
    first = growth[growth["series"] == growth["series"].iloc[0]].sort_values(axis)
    sizes = first[axis].to_numpy(float)[[0, -1]]
    straight = first[column].iloc[-1] * sizes / sizes[-1]
    look = {"color": style.FAINT, "linewidth": 0.9, "linestyle": (0, (1, 1.6)), "zorder": 1}
    ax.plot(sizes, straight, label="in proportion", **look)


def _scales(ax: Axes, sizes: list[float]) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.5g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.margins(x=0.06, y=0.12)
