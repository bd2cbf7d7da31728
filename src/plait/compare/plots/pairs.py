"""Who is better than whom, by how much, and whether that is more than chance."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from numpy import ndarray

from plait.compare.layout import metric_title
from plait.drawing import grids, style

_MOST_NUMBERS = 8
_MINUS = "\N{MINUS SIGN}"


def plot_pairs(pairs: pd.DataFrame, metric: str = "", level: float = 0.05, ax: Axes | None = None) -> Axes:
    """Draw the differences between all pairs as a matrix: blue where the row is better, red where it is worse.

    Rows and columns stand in the order of their mean difference, the best first; columns bear the numbers of the rows.
    Differences that are significant after Holm's correction are bold numbers (up to 8 methods, if they fit) or signs;
    the others are pale numbers or nothing. The colours end at three times the median difference.

    Args:
        pairs: One row a pair: columns a, b, difference (positive: a is better) and p_holm.
        metric: Its name, for the key.
        level: The level of significance, between 0 and 1.
        ax: Where to draw; None is a new figure that belongs to no window.

    Returns:
        The Axes.

    Raises:
        ValueError: If the table is empty or lacks columns.
    """
    style.check_table(pairs, ("a", "b", "difference", "p_holm"), "a table of pairs")
    names = list(dict.fromkeys([*pairs["a"], *pairs["b"]]))
    order, difference, significant = _ordered(names, pairs, level)
    rows, columns = grids.numbered(order), range(1, len(order) + 1)
    ax = grids.cell_axes(rows, columns, 0.5) if ax is None else ax
    end = _end_of_colours(difference)
    mesh = grids.draw_cells(ax, difference, grids.steps("RdBu", 11), (-end, end))
    grids.name_cells(ax, rows, columns)
    what = metric_title(metric) if metric else "difference"
    grids.add_key(ax, mesh, f"{what}: advantage of row over column", ends=bool((np.abs(difference) > end).any()))
    _write(ax, mesh, difference, significant)
    return ax


def _write(ax: Axes, mesh: QuadMesh, difference: Float[ndarray, "row column"], significant: ndarray) -> None:
    """Numbers if they fit, signs if not."""
    longest = max((len(_number(value)) for value in difference[np.isfinite(difference)]), default=1)
    size = grids.letters_that_fit(ax, len(difference), longest)
    numbers = len(difference) <= _MOST_NUMBERS and size >= style.SMALLEST

    def text(row: int, column: int) -> str:
        value = difference[row, column]
        return _number(value) if numbers else _sign(value, bool(significant[row, column]))

    grids.write_cells(ax, mesh, text, size if numbers else style.FONT, significant)


def _end_of_colours(difference: Float[ndarray, "row column"]) -> float:
    sizes = np.abs(difference[np.isfinite(difference)])
    return float(min(sizes.max(), 3 * np.median(sizes)) or sizes.max() or 1.0) if sizes.size else 1.0


def _number(value: float) -> str:
    text = f"{abs(value):.3f}".removeprefix("0") if abs(value) < 1 else f"{abs(value):.3g}"
    return f"{_MINUS if value < 0 else '+'}{text}"


def _sign(value: float, significant: bool) -> str:
    return (_MINUS if value < 0 else "+") if significant else ""


def _ordered(
    names: Sequence[str], pairs: pd.DataFrame, level: float
) -> tuple[list[str], Float[ndarray, "row column"], ndarray]:
    """Names from the best, differences and significance in that order."""
    difference = np.full((len(names), len(names)), np.nan)
    significant = np.zeros_like(difference, bool)
    for a, b, value, p in zip(pairs["a"], pairs["b"], pairs["difference"], pairs["p_holm"], strict=True):
        first, second = names.index(a), names.index(b)
        difference[first, second], difference[second, first] = value, -value
        significant[first, second] = significant[second, first] = p < level
    order = np.argsort(-np.nansum(difference, axis=1), kind="stable")
    return [names[place] for place in order], difference[np.ix_(order, order)], significant[np.ix_(order, order)]
