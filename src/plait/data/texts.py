"""Modalities of texts: one string a sample, for an encoder that reads strings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from plait.data.checks import Array


def text_rows(value: Any) -> Array | None:
    """One text a sample as an array of strings, None where absent; None if these are no texts.

    Args:
        value: A list, a Series, a table of one column, or an array of one axis. Texts are strings beside None and
            NaN, at least one.
    """
    rows = _one_axis(value)
    first = next((row for row in rows if not _is_absent(row)), None)
    if not isinstance(first, str):
        return None
    kept = [None if _is_absent(row) else row for row in rows]
    if not all(row is None or isinstance(row, str) for row in kept):
        return None
    found = np.full(len(kept), None, dtype=object)
    found[:] = [row if row is None else str(row) for row in kept]
    return found


def holds_texts(array: Array) -> bool:
    """Whether an array of a modality holds texts and not numbers."""
    return array.dtype == object


def refuse_texts(arrays: "dict[str, Array]") -> None:
    """Raise ValueError if a modality holds texts, which nothing but an encoder of texts can read."""
    for name, array in arrays.items():
        if holds_texts(array):
            raise ValueError(
                f"Modality {name!r} must hold numbers, got strings. Give an encoder that reads texts, for example "
                f"encoders={{{name!r}: plait.nn.taps.MiniLM()}}; or encode them as numbers first, for example "
                "categories with scikit-learn's OneHotEncoder."
            )


def _one_axis(value: Any) -> Sequence[Any]:
    """The rows of what may hold texts; none of anything else."""
    if isinstance(value, pd.DataFrame) and len(value.columns) == 1:
        value = value.iloc[:, 0]
    if isinstance(value, pd.Series | pd.Index):
        return () if is_numeric_dtype(value.dtype) else value.tolist()
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim == 1 and value.dtype.kind in "OUT" else ()
    return value if isinstance(value, list | tuple) else ()


def _is_absent(row: Any) -> bool:
    return row is None or row is pd.NA or (isinstance(row, float) and bool(np.isnan(row)))
