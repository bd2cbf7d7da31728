"""One quiet look for all pictures: colours that the colour-blind tell apart, letters, grids, sizes in inches."""

from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

_P = ParamSpec("_P")
_R = TypeVar("_R")

BAND, LINE, FAINT, INK = "#F4F4F4", "#DDDDDD", "#767676", "#222222"
"""Shaded rows, grids, what is secondary, letters."""

# Paul Tol's "high contrast" scheme: distinct to the colour-blind and in grey print.
BLUE, YELLOW, RED = "#004488", "#DDAA33", "#BB5566"

KINDS: dict[str, tuple[str, str, str]] = {
    "fusion": ("fusion", BLUE, "o"),
    "single": ("single modality", YELLOW, "D"),
    "baseline": ("baseline", FAINT, "s"),
    "control": ("negative control", RED, "X"),
    "subset": ("subset of modalities", "#77AADD", "^"),
}
"""Name in legends, colour and marker of every kind of contender."""

# Paul Tol's "bright" scheme without its grey; further curves repeat the colours with another dash.
_CURVES = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#AA3377", "#66CCEE")
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)), (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)))

WIDTH, FONT, SMALLEST, LONGEST = 4.4, 8.0, 4.5, 32
"""Inches of a picture's width; points of a letter, as a rule and at least; letters of a name."""

_LETTER = 0.56  # width of a letter in sizes of the font, generously


def plain_letters(draw: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorates what draws names that users gave: a dollar is a dollar, and begins no formula."""

    @wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with mpl.rc_context({"text.parse_math": False}):
            return draw(*args, **kwargs)

    return drawn


def curve_style(place: int) -> dict[str, Any]:
    """Colour and dash of the curve in some place, from 0; the first 36 differ."""
    return {"color": _CURVES[place % 6], "linestyle": _DASHES[place // 6 % 6]}


def check_table(frame: pd.DataFrame, columns: Collection[str], what: str) -> None:
    """Refuse a table that has no row or lacks columns.

    Raises:
        ValueError: If there is nothing to draw.
    """
    lacking = [name for name in columns if name not in frame]
    if lacking or not len(frame):
        came = f"the columns {', '.join(map(str, frame.columns))}" if lacking else "no row"
        raise ValueError(f"Expected {what} with the columns {', '.join(columns)} and at least one row; got {came}.")


def new_axes(height: float, width: float = WIDTH) -> Axes:
    """Axes of a figure of their own, in inches, that belongs to no window and makes room for its labels."""
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    return figure.add_subplot()


def short(name: object, longest: int = LONGEST) -> str:
    """A name, its middle left out where it is long: beginnings and ends tell names apart."""
    text = str(name)
    if len(text) <= longest:
        return text
    return f"{text[: (longest - 1) * 2 // 3]}…{text[len(text) - (longest - 1) // 3 :]}"


def label_width(names: Collection[object], longest: int = LONGEST) -> float:
    """Inches that the longest of some names needs."""
    return max(len(short(name, longest)) for name in names) * _LETTER * FONT / 72


def inches_wide(ax: Axes) -> float:
    """The width of Axes, once their labels have been given room."""
    engine = ax.figure.figure.get_layout_engine()
    if engine is not None:
        engine.execute(ax.figure.figure)
    return float(ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted()).width)


def letter_size(ax: Axes, rows: int) -> float:
    """Points of the letters that fit into rows of Axes; never so small that nobody can read them."""
    height = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted()).height
    return float(np.clip(0.8 * 72 * height / rows, SMALLEST, FONT))


def quiet(ax: Axes, grid: Literal["x", "y", "both"] | None = None, size: float = FONT) -> None:
    """Take away the frame and the ticks, keep pale lines to read values by."""
    ax.spines[:].set_visible(False)
    ax.tick_params(which="both", labelsize=size, length=0, pad=3, colors=INK)
    ax.xaxis.label.set(size=FONT, color=INK)
    ax.yaxis.label.set(size=FONT, color=INK)
    ax.set_axisbelow(True)
    if grid is not None:
        ax.grid(axis=grid, color=LINE, linewidth=0.6)


def name_rows(ax: Axes, names: Sequence[object]) -> None:
    """Names at the left, the first on top, every other row shaded."""
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_yticks(range(len(names)), [short(name) for name in names])
    for row in range(0, len(names), 2):
        ax.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)


def add_legend(ax: Axes, place: Literal["above", "below"], columns: int = 3) -> None:
    """A legend without frame above the Axes, or below them and the label of their x axis."""
    handles, labels = ax.get_legend_handles_labels()
    where: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0.5}
    if place == "below":
        where = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 4.2}
    ax.legend(
        handles, [short(label, 26) for label in labels], **where, ncols=columns, fontsize=FONT, labelcolor=INK,
        handletextpad=0.4, columnspacing=1.2, borderpad=0, frameon=False,
    )  # fmt: skip


def add_legend_inside(ax: Axes) -> None:
    """A legend inside Axes that have neighbours, where it covers least, in letters small enough for half the height."""
    handles, labels = ax.get_legend_handles_labels()
    height = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted()).height
    size = float(np.clip(0.5 * 72 * height / (1.3 * max(len(labels), 1)), SMALLEST, 0.85 * FONT))
    ax.legend(
        handles, [short(label, 22) for label in labels], loc="best", fontsize=size, labelcolor=INK,
        handlelength=1.4, handletextpad=0.4, labelspacing=0.15, borderpad=0.2, frameon=True, framealpha=0.7,
        edgecolor="none",
    )  # fmt: skip


def whiskers(
    mean: Float[ndarray, " row"], low: Float[ndarray, " row"], high: Float[ndarray, " row"]
) -> Float[ndarray, "2 row"]:
    """Lengths of the whiskers below and above, 0 where a bound is not known."""
    return np.asarray(np.nan_to_num(np.maximum(np.stack([mean - low, high - mean]), 0.0)))
