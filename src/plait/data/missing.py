"""Which rows of a modality are present: a row that is all NaN is absent, and an absent row is all NaN."""

import numpy as np
import numpy.typing as npt

from plait.data.checks import Array, plain

Rows = npt.NDArray[np.bool_]


def present_rows(array: Array) -> Rows:
    """Which rows of an array (n, ...) hold at least one value that is not NaN; or a text that is not None."""
    if array.size == 0:
        return np.zeros(len(array), dtype=bool)
    if array.dtype == object:  # texts: an empty one is there too
        return np.fromiter((row is not None for row in array), dtype=bool, count=len(array))
    if _all_finite(array):
        return np.ones(len(array), dtype=bool)
    return np.asarray(~np.isnan(array).all(axis=_sample_axes(array)))


def without_absent(array: Array, present: Rows) -> Array:
    """The array with all NaN (or None, of texts) in its absent rows; copied only if need be."""
    if np.array_equal(present, present_rows(array)):
        return array
    array = array.copy()
    array[~present] = None if array.dtype == object else np.nan
    return array


def check_finite(name: str, array: Array, present: Rows, ids: Array) -> None:
    """No value of a present row is infinite.

    Raises:
        ValueError: With the modality, the first such row and its id.
    """
    if array.dtype == object or _all_finite(array):
        return
    rows = np.flatnonzero(np.isinf(array).any(axis=_sample_axes(array)) & present)
    if len(rows):
        raise ValueError(
            f"Modality {name!r} holds infinity in {len(rows)} row(s), first in row {rows[0]} "
            f"(id {plain(ids[rows[0]])!r}). Replace it by a finite value, or by NaN if the value is missing."
        )


def _all_finite(array: Array) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):  # one pass, no temporary array, as scikit-learn does
        return bool(np.isfinite(array.sum()))


def _sample_axes(array: Array) -> tuple[int, ...]:
    return tuple(range(1, array.ndim))
