"""How much the modalities tell the same."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plait.drawing import grids, style

_MOST_NUMBERS = 8


def plot_redundancy(redundancy: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw linear CKA (centred kernel alignment) between modalities: 0 is unrelated, 1 the same up to rotation.

    Args:
        redundancy: One row a pair: columns a, b, cka, low and high (95 % interval).
        ax: Where to draw; None is a new figure that belongs to no window.

    Returns:
        The Axes. The intervals are written below the values for up to 5 modalities, the values for up to 8. Where
        the names do not fit on top of the columns, these bear the numbers of the rows.

    Raises:
        ValueError: If the table is empty or lacks columns.
    """
    style.check_table(redundancy, ("a", "b", "cka", "low", "high"), "a table of redundancy")
    names = list(dict.fromkeys([*redundancy["a"], *redundancy["b"]]))
    alike = {name: _square(redundancy, names, name) for name in ("cka", "low", "high")}
    ax = grids.cell_axes(names, range(len(names)), 0.5) if ax is None else ax
    mesh = grids.draw_cells(ax, alike["cka"], grids.steps("Blues", 10), (0.0, 1.0))
    rows, columns = _titles(ax, names)
    grids.name_cells(ax, rows, columns)
    grids.add_key(ax, mesh, "linear CKA (0 unrelated, 1 the same)")
    bounds = len(names) <= 5

    def text(row: int, column: int) -> str:
        value, low, high = (alike[name][row, column] for name in ("cka", "low", "high"))
        return f"{value:.2f}\n[{low:.2f}, {high:.2f}]" if bounds and np.isfinite(low + high) else f"{value:.2f}"

    if len(names) <= _MOST_NUMBERS:
        size = grids.letters_that_fit(ax, len(names), 12 if bounds else 4)
        grids.write_cells(ax, mesh, text, size, np.zeros((len(names), len(names)), bool))
    return ax


def _titles(ax: Axes, names: list[str]) -> tuple[list[str], list[str]]:
    """Names of rows and columns; numbers for the columns where names do not fit."""
    grids.name_cells(ax, names, range(len(names)))
    if grids.side_by_side(ax, names):
        return names, names
    return grids.numbered(names), [str(place) for place in range(1, len(names) + 1)]


def _square(redundancy: pd.DataFrame, names: list[str], column: str) -> np.ndarray:
    """Symmetric, without its diagonal."""
    values = np.full((len(names), len(names)), np.nan)
    for a, b, value in zip(redundancy["a"], redundancy["b"], redundancy[column], strict=True):
        first, second = names.index(a), names.index(b)
        values[first, second] = values[second, first] = np.nan if first == second else value
    return values
