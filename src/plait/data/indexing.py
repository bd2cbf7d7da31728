"""Which rows a key asks for, in the forms that users and scikit-learn write it."""

from typing import Any

import numpy as np
import numpy.typing as npt


def row_index(key: Any, n: int) -> slice | npt.NDArray[np.intp]:
    """The rows of a key: a position, several, a slice or booleans; or `array[key, ...]` of one of these.

    Args:
        key: What stands in the brackets.
        n: Number of rows there are.

    Raises:
        IndexError: If the key is no position, slice, or boolean array of length n. (A position that is out of
            range is left to NumPy.)
    """
    if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
        key = key[0]
    if isinstance(key, slice):
        return key
    if isinstance(key, tuple):
        raise IndexError(f"Modalities are indexed by samples alone, like a vector; got {len(key)} indices.")
    index = np.atleast_1d(np.asarray(key))
    if index.dtype == bool and index.shape == (n,):
        return np.flatnonzero(index)
    if index.ndim == 1 and (index.dtype.kind in "iu" or index.size == 0):
        return index.astype(np.intp)
    raise IndexError(
        f"Samples are chosen by positions, a slice, or {n} booleans; got {index.dtype} of shape "
        f"{index.shape}. To choose modalities use .select([...])."
    )
