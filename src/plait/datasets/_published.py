"""Numbers that others published on a data set, as a table in which each is labelled with its protocol."""

from collections.abc import Sequence

import pandas as pd

COLUMNS = ("method", "metric", "value", "sd", "protocol", "source")


def published(rows: str, metrics: Sequence[str], protocol: str, source: str, scale: float = 1.0) -> pd.DataFrame:
    """A table of published numbers, one row a method and metric.

    Args:
        rows: One line a method: its name, then a value a metric, separated by "|"; "value+-sd" where a standard
            deviation was published.
        metrics: Names of the metrics, as `plait.compare` has them.
        protocol: How the numbers came about: splits, repeats, and what the standard deviation is over.
        source: Where they were published.
        scale: What the values are divided by: 100 for percent.

    Returns:
        Columns method, metric, value, sd (NaN where none was published), protocol, source.
    """
    found = []
    for line in filter(None, map(str.strip, rows.splitlines())):
        method, *cells = (cell.strip() for cell in line.split("|"))
        for metric, cell in zip(metrics, cells, strict=True):
            value, _, sd = cell.partition("+-")
            found.append((method, metric, float(value) / scale, float(sd or "nan") / scale, protocol, source))
    return pd.DataFrame(found, columns=list(COLUMNS))
