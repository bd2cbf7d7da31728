"""The columns of every table of findings, so that a table read from a file is the one that was written."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

TEXT, COUNT, NUMBER, FLAG = "str", "int64", "float64", "bool"
_BOUNDED = {"score": NUMBER, "low": NUMBER, "high": NUMBER}
_BASELINES = {
    "name": TEXT,
    "what": TEXT,
    **_BOUNDED,
    "difference": NUMBER,
    "difference_low": NUMBER,
    "difference_high": NUMBER,
}
_BETWEEN = {"first": TEXT, "i": COUNT, "second": TEXT, "j": COUNT}
_GAIN = {"gain": NUMBER, "gain_low": NUMBER, "gain_high": NUMBER}

COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "summary": {
            "task": TEXT,
            "metric": TEXT,
            "verdict": TEXT,
            "operator": TEXT,
            "pairs": TEXT,
            "tap": TEXT,
            "gain": NUMBER,
            "gain_low": NUMBER,
            "score": NUMBER,
            "level": NUMBER,
            "draws": COUNT,
            "margin": NUMBER,
            "train": COUNT,
            "held": COUNT,
            "skew_effect": NUMBER,
            "skew_effect_low": NUMBER,
            "skew_effect_high": NUMBER,
            "p_skew": NUMBER,
            "hoyer": NUMBER,
            "gini": NUMBER,
            "entropy": NUMBER,
            "cost": NUMBER,
            "sentence": TEXT,
            "trail": TEXT,
            "operators": TEXT,
        },
        "depths": {"modality": TEXT, "taps": COUNT},
        "pairs": {
            "operator": TEXT,
            "pair": TEXT,
            **_BETWEEN,
            "skewness": COUNT,
            "relative_skewness": NUMBER,
            "score": NUMBER,
            **_GAIN,
            "gain_own": NUMBER,
            "gain_late": NUMBER,
            "frequency": NUMBER,
            "in_confidence_set": FLAG,
            "supported": FLAG,
            "chosen": FLAG,
        },
        "taps": {"modality": TEXT, "tap": COUNT, **_BOUNDED, "best": FLAG},
        "sets": {
            "operator": TEXT,
            "kind": TEXT,
            "pairs": TEXT,
            "size": COUNT,
            "density": NUMBER,
            **_BOUNDED,
            **_GAIN,
            "chosen": FLAG,
        },
        "skew": {
            "operator": TEXT,
            "first": TEXT,
            "second": TEXT,
            "d": COUNT,
            "pairs": COUNT,
            "mean_gain": NUMBER,
            "mean_low": NUMBER,
            "mean_high": NUMBER,
            "best_gain": NUMBER,
            "best_low": NUMBER,
            "best_high": NUMBER,
            "frequency": NUMBER,
        },
        "marginals": {"operator": TEXT, "modality": TEXT, "tap": COUNT, "frequency": NUMBER},
        "baselines": _BASELINES,
        "similarity": {**_BETWEEN, "cka": NUMBER, "disagreement": NUMBER, "double_fault": NUMBER},
        "tested": _BASELINES,
    }
)
"""Tables by name, and the columns of each in order, with what they hold."""


def typed(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table with its columns in order and of their kinds, rows numbered; also one that was read from a file.

    Args:
        name: A key of `COLUMNS`.
        table: It has these columns. Missing text is read as "", a missing number as NaN.

    Raises:
        ValueError: If a column is missing, there is a further one, or values are of another kind.
    """
    columns = COLUMNS[name]
    if set(table.columns) != set(columns):
        odd = ", ".join(map(str, sorted(set(table.columns) ^ set(columns), key=str)))
        raise ValueError(f"The table {name!r} of findings has the columns {', '.join(columns)}; missing or odd: {odd}.")
    texts = [column for column, kind in columns.items() if kind == TEXT]
    whole = table[list(columns)].reset_index(drop=True).astype(dict.fromkeys(texts, "object"))
    return whole.fillna(dict.fromkeys(texts, "")).astype(dict(columns))


def stacked(name: str, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Parts of a table one below the other; a table without a row if there are none."""
    return pd.concat(parts, ignore_index=True) if parts else empty(name)


def empty(name: str) -> pd.DataFrame:
    """A table without a row; of an unknown name without a column."""
    return pd.DataFrame(columns=list(COLUMNS.get(name, ())))
