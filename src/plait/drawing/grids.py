"""Coloured cells with numbers, rows and columns named: what confusion, redundancy and pairs share."""

from collections.abc import Callable, Sequence
from textwrap import fill

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap
from numpy import ndarray

from plait.drawing import style

UPRIGHT = 18
"""Letters of a name that stands upright on top of its column."""


def cell_axes(rows: Sequence[object], columns: Sequence[object], largest: float = 0.55) -> Axes:
    """Axes whose cells are about square, for names at the left and names that stand upright on top."""
    beside, above = style.label_width(rows), style.label_width(columns, UPRIGHT)
    cell = min(largest, (style.WIDTH - beside - 0.3) / len(columns))
    width = max(style.WIDTH, beside + 0.3 + 0.13 * len(columns))
    return style.new_axes(above + max(cell, 0.13) * len(rows) + 0.95, width)


def draw_cells(
    ax: Axes, values: Float[ndarray, "row column"], colours: Colormap, limits: tuple[float, float]
) -> QuadMesh:
    """Fill cells by value, the first row on top; NaN stays white."""
    mesh = ax.pcolormesh(values, cmap=colours, vmin=limits[0], vmax=limits[1], edgecolors="white", linewidth=0.8)
    ax.set_xlim(0, values.shape[1])
    ax.set_ylim(values.shape[0], 0)
    return mesh


def name_cells(ax: Axes, rows: Sequence[object], columns: Sequence[object]) -> None:
    """Names at the left, and on top, upright where they would not fit side by side."""
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_yticks(np.arange(len(rows)) + 0.5, [style.short(name) for name in rows])
    ax.set_xticks(np.arange(len(columns)) + 0.5, [style.short(name, UPRIGHT) for name in columns])
    style.quiet(ax, None, style.letter_size(ax, len(rows)))
    if not side_by_side(ax, columns):
        ax.tick_params(axis="x", rotation=90)


def side_by_side(ax: Axes, columns: Sequence[object]) -> bool:
    """Whether the names fit on top of their columns without being turned; best asked when the rows have their names."""
    return style.label_width(columns, UPRIGHT) <= 0.9 * style.inches_wide(ax) / len(columns)


def numbered(names: Sequence[object]) -> list[str]:
    """Names of rows with the numbers that their columns bear."""
    return [f"{style.short(name, style.LONGEST - 4)}  {place}" for place, name in enumerate(names, 1)]


def letters_that_fit(ax: Axes, columns: int, longest: int) -> float:
    """Points of the letters that let so many of them stand in a cell without touching its neighbours."""
    return float(min(0.9 * style.FONT, 0.88 * 72 * style.inches_wide(ax) / columns / (0.66 * max(longest, 1))))


def write_cells(ax: Axes, mesh: QuadMesh, texts: Callable[[int, int], str], size: float, bold: ndarray) -> None:
    """Letters in cells, dark on pale and white on dark."""
    values: ndarray = np.ma.filled(np.ma.asarray(mesh.get_array()), np.nan)
    fills = mesh.to_rgba(values)[..., :3] @ (0.299, 0.587, 0.114)
    for row, column in np.argwhere(np.isfinite(values)).tolist():
        text = texts(row, column)
        if not text:
            continue
        ax.text(
            column + 0.5, row + 0.5, text, size=size, ha="center", va="center", linespacing=1.1,
            color=style.INK if fills[row, column] > 0.5 else "white",
            fontweight="bold" if bold[row, column] else "normal",
        )  # fmt: skip


def add_key(ax: Axes, mesh: QuadMesh, label: str, *, ends: bool = False) -> None:
    """The colours and their values, in a bar below the cells; with arrows where values go beyond its ends."""
    bar = ax.figure.colorbar(
        mesh, ax=ax, location="bottom", fraction=0.06, pad=0.04, aspect=40, extend="both" if ends else "neither"
    )
    letters = max(int(72 * style.inches_wide(ax) / (0.55 * style.FONT)), 20)
    lines = -(-len(label) // letters)
    bar.set_label(fill(label, min(letters, len(label) // lines + 6)), size=style.FONT, color=style.INK)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=style.FONT, length=0, colors=style.INK)


def steps(name: str, count: int) -> Colormap:
    """A colour map in steps, so that a colour can be found again in the key."""
    return colormaps[name].resampled(count)
