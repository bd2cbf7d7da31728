"""Anything array-like to floating point numbers, samples first, or one error that names the modality."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_complex_dtype, is_numeric_dtype
from scipy.sparse import issparse

from plait.data.checks import Array

_ENCODE = "Encode it as numbers first, for example categories with scikit-learn's OneHotEncoder."
_KINDS = {"U": "strings", "S": "bytes", "M": "dates", "m": "time spans"}


def numeric_array(name: str, value: Any) -> Array:
    """A modality's values as an array (n, ...); one number a sample becomes one column.

    A sequence may hold one array a sample, or None where the modality is absent; None in every row tells no
    shape and becomes (n, 0).

    Args:
        name: The modality, for the errors.
        value: An array, a (nested) sequence of numbers, a sequence of arrays and None, a table, or a tensor.

    Raises:
        ValueError: For strings, categories, dates, complex numbers, ragged rows, no rows or no columns.
        TypeError: For sparse matrices and for what is no array at all.
    """
    array = numeric_values(name, value)
    return array[:, np.newaxis] if array.ndim == 1 else array


def numeric_values(name: str, value: Any) -> Array:
    """The same in the shape it came in: float32 stays, everything else becomes float64.

    Raises:
        ValueError: As `numeric_array`.
        TypeError: As `numeric_array`.
    """
    what = f"Modality {name!r}"
    if issparse(value):
        raise TypeError(f"{what} is a sparse matrix, but dense data is required. Convert it with .toarray().")
    if isinstance(value, pd.Series) and value.dtype != object:
        value = value.to_frame()
    if isinstance(value, pd.DataFrame):
        return _filled(what, _from_frame(name, value))
    if isinstance(value, np.ma.MaskedArray):
        value = np.ma.filled(value.astype(np.float64), np.nan)
    if hasattr(value, "detach"):  # a tensor, without importing torch
        value = value.detach().cpu()
    return _from_array(what, value)


def _from_array(what: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:  # rows of several shapes, or None among the rows
        return _stacked(what, list(value))
    if array.ndim == 0:
        raise TypeError(f"{what} must be an array with one row a sample, got a single {type(value).__name__}.")
    if array.dtype == object and array.ndim == 1:
        return _stacked(what, list(array))
    return _filled(what, real_numbers(what, array))


def _stacked(what: str, rows: Sequence[Any]) -> Array:
    """One array a sample; None, or a single NaN as pandas writes it, where the modality is absent."""
    filled = {row: _row(f"{what}, row {row},", value) for row, value in enumerate(rows) if not _is_absent(value)}
    if rows and not filled:
        return np.empty((len(rows), 0))
    shapes = {value.shape: row for row, value in reversed(filled.items())}
    if len(shapes) > 1:
        (one, first), (other, second), *_ = sorted(shapes.items(), key=lambda item: item[1])
        raise ValueError(
            f"{what} is ragged: row {first} has shape {one}, row {second} has shape {other}. "
            "Pad or crop the samples to one shape."
        )
    values = list(filled.values())
    array = np.full((len(rows), *next(iter(shapes), ())), np.nan, dtype=_widest(values))
    array[list(filled)] = values
    return _filled(what, array)


def _widest(values: Sequence[Array]) -> np.dtype[Any]:
    return np.result_type(np.float32, *{value.dtype for value in values})


def _row(what: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{what} is ragged. Pad or crop its parts to one shape.") from error
    return real_numbers(what, array)


def _is_absent(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _filled(what: str, array: Array) -> Array:
    if len(array) == 0:
        raise ValueError(f"{what} has 0 sample(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.size == 0:
        raise ValueError(f"{what} has 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    return array


def real_numbers(what: str, array: Array) -> Array:
    """Real numbers of whatever type in single precision, if they came in it, or in double.

    Args:
        what: What they are, for the errors.
        array: Numbers, booleans, or objects that are such; None and NA become NaN.

    Raises:
        ValueError: For strings, dates and complex numbers.
        TypeError: For other objects.
    """
    kind = array.dtype.kind
    if kind == "O":
        return _from_objects(what, array)
    if kind == "c":
        raise ValueError(f"Complex data not supported: {what} is {array.dtype}. Give real and imaginary parts apart.")
    if kind not in "fiub":
        raise ValueError(f"{what} must hold numbers, got {_KINDS.get(kind, array.dtype)}. {_ENCODE}")
    small = kind == "f" and array.dtype.itemsize <= np.dtype(np.float32).itemsize
    return array.astype(np.float32 if small else np.float64, copy=False)


def _from_objects(what: str, array: Array) -> Array:
    text = np.array([isinstance(value, str | bytes) for value in array.ravel()]).reshape(array.shape)
    if text.any():
        place = tuple(int(axis[0]) for axis in np.nonzero(text))
        where = f" in row {place[0]}" if place else ""
        raise ValueError(f"{what} must hold numbers, got the string {array[place]!r}{where}. {_ENCODE}")
    try:
        return np.where(pd.isna(array), np.nan, array).astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{what} must hold numbers: {str(error).rstrip('.')}. {_ENCODE}") from error


def _from_frame(name: str, frame: pd.DataFrame) -> Array:
    odd = [place for place, dtype in enumerate(frame.dtypes) if not _is_real(dtype)]
    frame = frame.copy(deep=False) if odd else frame
    for place in odd:
        what = f"Column {frame.columns[place]!r} of modality {name!r}"
        frame.isetitem(place, _column(what, frame.iloc[:, place]))
    single = len(frame.columns) > 0 and all(dtype == np.float32 for dtype in frame.dtypes)
    dtype = np.float32 if single else np.float64
    return np.ascontiguousarray(frame.to_numpy(dtype=dtype, na_value=np.nan))  # rows together: fast to index


def _is_real(dtype: Any) -> bool:
    return is_numeric_dtype(dtype) and not is_complex_dtype(dtype)


def _column(what: str, column: "pd.Series[Any]") -> Array:
    categories = isinstance(column.dtype, pd.CategoricalDtype)
    return real_numbers(what, column.astype(str).to_numpy() if categories else column.to_numpy())
