"""Maps of taps against taps, cells of one size, each with a panel above its columns and one beside its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy import ndarray

from plait.drawing import style
from plait.skew.report.reading import Edge
from plait.skew.space import Pair, TapSpace

LETTER = 0.063
"""Inches of a letter of a label."""
LEFT = 0.72
"""Inches left of a map."""
_RIGHT, _TOP, _BELOW, _GAP = 0.2, 0.12, 0.5, 0.12
_HATCH = ((0.0, 0.5, 0.5, 0.0), (0.0, 1.0, 1.0, 0.0), (0.5, 1.0, 1.0, 0.5))  # lines of a cell: x, y to x, y

_FRAME = np.array([(0.09, 0.09), (0.91, 0.09), (0.91, 0.91), (0.09, 0.91), (0.09, 0.09)])


@dataclass(frozen=True)
class Panels:
    """Axes of one map.

    Args:
        edge: The two modalities: taps of the first are rows, of the second columns, tap 1 at the lower left.
        cells: The map.
        above: What is said of the taps of the second modality.
        beside: What is said of the taps of the first.
        side: Inches of a cell.
    """

    edge: Edge
    cells: Axes
    above: Axes
    beside: Axes
    side: float


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def new_maps(
    space: TapSpace, edges: Sequence[Edge], margin: float, foot: float, narrowest: float = 3.3
) -> tuple[Figure, list[Panels]]:
    """A figure that belongs to no window, with a map for every two modalities; two side by side.

    Args:
        space: All pairs.
        edges: Which two modalities.
        margin: Inches of the panels above and beside, above 0.
        foot: Inches below all maps, for what explains them.
        narrowest: Inches of a map with the panel beside it, at least.
    """
    columns = min(len(edges), 2)
    side = _side(space, edges, 3.5 if columns == 1 else 2.9)
    widths = [space.depths[second] * side + margin + _GAP for _, second in edges]
    wide = max(narrowest, *widths)
    rows = [edges[start : start + columns] for start in range(0, len(edges), columns)]
    tall = [max(space.depths[first] for first, _ in row) * side + margin + _GAP + _BELOW + _TOP for row in rows]
    figure = Figure(figsize=(columns * (LEFT + wide + _RIGHT), sum(tall) + foot), dpi=150)
    found = []
    for number, row in enumerate(rows):
        bottom = foot + sum(tall[number + 1 :]) + _BELOW
        for place, edge in enumerate(row):
            left = LEFT + place * (LEFT + wide + _RIGHT)
            found.append(_panels(figure, space, edge, (left, bottom), side, margin))
    return figure, found


def fill(panels: Panels, values: Float[ndarray, "i j"], colours: Colormap, limits: tuple[float, float]) -> QuadMesh:
    """Colour the cells by value, tap 1 at the lower left; NaN stays white."""
    mesh = panels.cells.pcolormesh(
        values, cmap=colours, vmin=limits[0], vmax=limits[1], edgecolors="white", linewidth=0.8
    )
    panels.cells.set_xlim(0, values.shape[1])
    panels.cells.set_ylim(0, values.shape[0])
    return mesh


def write(panels: Panels, mesh: QuadMesh, texts: Mapping[tuple[int, int], str], longest: int) -> bool:
    """Put words into cells, on their colour; whether so many letters fitted (if not, there are none)."""
    size = min(0.85 * style.FONT, 0.85 * 72 * panels.side / (0.62 * longest))
    if size < style.SMALLEST:
        return False
    values: ndarray = np.ma.filled(np.ma.asarray(mesh.get_array()), np.nan)
    for (row, column), text in texts.items():
        filled = mesh.to_rgba(values[row, column])
        panels.cells.text(
            column + 0.5, row + 0.5, text, size=size, ha="center", va="center",
            color=style.INK if np.dot(filled[:3], (0.299, 0.587, 0.114)) > 0.5 else "white",
            bbox={"facecolor": filled, "linewidth": 0, "pad": 0.7},
        )  # fmt: skip
    return True


def hatch(ax: Axes, where: Bool[ndarray, "i j"]) -> None:
    """Oblique lines over cells."""
    ends = [
        ((column + x, row + y), (column + to_x, row + to_y))
        for row, column in np.argwhere(where).tolist()
        for x, y, to_x, to_y in _HATCH
    ]
    if ends:
        path = Path.make_compound_path(*(Path(np.array(pair)) for pair in ends))
        for colour, width in (("white", 1.4), (style.INK, 0.55)):
            ax.add_patch(PathPatch(path, facecolor="none", edgecolor=colour, linewidth=width, alpha=0.55))


def frame(ax: Axes, where: Bool[ndarray, "i j"]) -> None:
    """A frame inside each of some cells, so that a hole among them is not taken for one of them."""
    corners = [np.add(_FRAME, (column, row)) for row, column in np.argwhere(where).tolist()]
    if corners:
        path = Path.make_compound_path(*(Path(square, closed=True) for square in corners))
        for colour, width in (("white", 2.4), (style.INK, 1.0)):
            ax.add_patch(PathPatch(path, facecolor="none", edgecolor=colour, linewidth=width, joinstyle="miter"))


def star(panels: Panels, pairs: Sequence[Pair], *, corner: bool = False) -> None:
    """A star on the cell of every pair; in its corner, where a number stands in the middle."""
    aside, size = (0.22, min(9.0, 26 * panels.side)) if corner else (0.5, min(13.0, 50 * panels.side))
    for pair in pairs:
        panels.cells.plot(
            pair.j - aside, pair.i - aside, "*", markersize=size, color=style.YELLOW, markeredgecolor=style.INK,
            markeredgewidth=0.7, clip_on=False,
        )  # fmt: skip


def diagonal(panels: Panels) -> None:
    """A dotted line along equal relative depths, through the middle of cells."""
    ax, (rows, columns) = panels.cells, (panels.cells.get_ylim()[1], panels.cells.get_xlim()[1])
    ax.plot((0, columns), (0, rows), color="white", linewidth=1.6, alpha=0.6)
    ax.plot((0, columns), (0, rows), color=style.INK, linewidth=0.8, linestyle=(0, (1, 2)))


def _side(space: TapSpace, edges: Sequence[Edge], most: float) -> float:
    return float(np.clip(most / max(space.depths[name] for edge in edges for name in edge), 0.1, 0.6))


def _panels(
    figure: Figure, space: TapSpace, edge: Edge, corner: tuple[float, float], side: float, margin: float
) -> Panels:
    left, bottom = corner
    rows, columns = (space.depths[name] for name in edge)
    height, width = rows * side, columns * side
    cells = add_axes(figure, left, bottom, width, height)
    above = add_axes(figure, left, bottom + height + _GAP, width, margin)
    beside = add_axes(figure, left + width + _GAP, bottom, max(margin, 0.01), height)
    above.set_xlim(0, columns)
    beside.set_ylim(0, rows)
    for ax in (above, beside):
        style.quiet(ax)
    _number(cells, (rows, columns), side)
    letters = int((height + margin) / LETTER) - 5
    _name(cells, edge, (letters, int((width + max(margin, 1.0)) / LETTER) - 5))
    return Panels(edge, cells, above, beside, side)


def _number(ax: Axes, shape: tuple[int, int], side: float) -> None:
    """The numbers of the taps, as many as have room."""
    every = int(np.ceil(0.17 / side))
    for axis, count in ((ax.yaxis, shape[0]), (ax.xaxis, shape[1])):
        taps = np.arange(1, count + 1)[::every]
        axis.set_ticks(taps - 0.5, [str(tap) for tap in taps])
    style.quiet(ax)


def _name(ax: Axes, edge: Edge, letters: tuple[int, int]) -> None:
    """What rows and columns are: names start at tap 1, and may be longer than the map."""
    first, second = (
        f"tap of {style.short(name, max(longest, 6))}" for name, longest in zip(edge, letters, strict=True)
    )
    said: dict[str, Any] = {
        "size": style.FONT,
        "color": style.INK,
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    ax.annotate(first, (0, 0), (-22, 0), xycoords="axes fraction", rotation=90, ha="right", va="bottom", **said)
    ax.annotate(second, (0, 0), (0, -17), xycoords="axes fraction", ha="left", va="top", **said)
