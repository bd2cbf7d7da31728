"""Which classes are taken for which."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plait.drawing import grids, style

_MOST_NUMBERS = 14


def plot_confusion(confusion: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the confusion matrix: a row a true class, a column a predicted one, coloured by the share of the row.

    Args:
        confusion: Counts (means over repeats are fine) with the true classes as index and the predicted as columns.
        ax: Where to draw; None is a new figure that belongs to no window.

    Returns:
        The Axes. Counts are written into the cells of up to 14 classes.

    Raises:
        ValueError: If the table is empty.
    """
    style.check_table(confusion, (), "a confusion matrix")
    counts = confusion.to_numpy(float)
    totals = np.nansum(counts, axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    rows, columns = confusion.index.tolist(), confusion.columns.tolist()
    ax = grids.cell_axes(rows, columns) if ax is None else ax
    mesh = grids.draw_cells(ax, shares, grids.steps("Blues", 10), (0.0, 1.0))
    grids.name_cells(ax, rows, columns)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    grids.add_key(ax, mesh, "share of the true class")
    if len(columns) <= _MOST_NUMBERS:
        places = int(bool(np.any(counts % 1 > 0)))
        right = np.array([[row == column for column in columns] for row in rows])
        size = grids.letters_that_fit(ax, len(columns), max(len(f"{count:.{places}f}") for count in counts.flat))
        grids.write_cells(ax, mesh, lambda row, column: f"{counts[row, column]:.{places}f}", size, right)
    return ax
