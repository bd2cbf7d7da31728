"""Reading the published tables."""

from pathlib import Path

import pandas as pd

_FOLDER = Path(__file__).parent
_WHOLE = ("layer", "row", "column", "d", "pairs")
PUBLISHED = ("layers", "sweeps", "skewness", "headlines", "windows", "grid", "second_grid")
"""Names of all tables; the package's text says what each is of."""


def load_published(name: str) -> pd.DataFrame:
    """A table of numbers that Hu et al. published (licence CC BY 4.0), a row a number.

    Args:
        name: One of `PUBLISHED`.

    Returns:
        Columns task, table, metric, those of this table, d wherever a pair or a window has one, and value last; in the
        units of the source (see the package's text). Whole numbers that do not apply are missing (`pd.NA`).

    Raises:
        ValueError: If there is no such table.
    """
    if name not in PUBLISHED:
        raise ValueError(f"{name!r} is no published table. Choose one of: {', '.join(PUBLISHED)}.")
    table = pd.read_csv(_FOLDER / f"{name}.csv", dtype=dict.fromkeys(_WHOLE, "Int64"))
    if "row" in table and "d" not in table:
        table.insert(table.shape[1] - 1, "d", table["row"] - table["column"])
    return table
