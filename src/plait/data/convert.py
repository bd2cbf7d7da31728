"""The one front door: whatever holds several modalities becomes `Modalities`."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from scipy.sparse import issparse

from plait.data.checks import check_names
from plait.data.modalities import Modalities
from plait.data.tables import Groups


def as_modalities(X: Any, groups: Groups | None = None) -> Modalities:
    """Modalities from any input that the estimators accept.

    Args:
        X: One of

            - `Modalities`: returned as they are;
            - a mapping of names to arrays, sequences or None; tables alone are joined by sample id;
            - a list or tuple of arrays or tables, at least two-dimensional or None: named "m0", "m1", ...;
            - a DataFrame: divided by `groups`, by two levels of columns, or one modality "x";
            - a two-dimensional array, or a list of equally long lists of numbers: likewise;
            - a MuData object.
        groups: Columns of each modality, for one DataFrame or one array: a pattern, a list of names or
            positions, or a slice.

    Raises:
        ValueError: If groups are given for more than one table, and as for any modalities.
        TypeError: If the input, or a part of it, is no array.

    Warns:
        UserWarning: With the figures, if tables joined by id do not hold the same samples.
    """
    if isinstance(X, pd.DataFrame):
        return Modalities.from_frame(X, groups)
    if is_table(X):
        return Modalities.from_array(X, groups)
    if groups is not None:
        raise ValueError(
            f"Column groups divide one table; {type(X).__name__} holds several modalities already. "
            "Leave the groups out."
        )
    return _several(X)


def is_table(X: Any) -> bool:
    """Whether the input is one table: neither names or lists several modalities, nor has two levels of columns."""
    if isinstance(X, pd.DataFrame):
        return X.columns.nlevels == 1
    if isinstance(X, list | tuple):
        return not any(_is_modality(part) for part in X)
    return issparse(X) or not (isinstance(X, Modalities | Mapping) or _is_mudata(X))  # some sparse ones are mappings


def _several(X: Any) -> Modalities:
    """The modalities of an input that names or lists them."""
    if isinstance(X, Modalities):
        return X
    if _is_mudata(X):
        return Modalities.from_mudata(X)
    if isinstance(X, list | tuple):
        X = {f"m{place}": part for place, part in enumerate(X)}
    return _from_mapping(X)


def _is_mudata(X: Any) -> bool:
    return hasattr(X, "mod") and hasattr(X, "obs_names")


def _from_mapping(arrays: Mapping[Any, Any]) -> Modalities:
    check_names(arrays)
    given = [values for values in arrays.values() if values is not None]
    if given and all(isinstance(values, pd.DataFrame | pd.Series) for values in given):
        return Modalities.from_frames(arrays)
    return Modalities(arrays)


def _is_modality(part: Any) -> bool:
    """Whether an entry of a list is an array of samples (two axes or more), and not one row of a table."""
    if isinstance(part, Sequence) and not isinstance(part, str):
        return any(_is_row(entry) for entry in part)
    return len(getattr(part, "shape", ())) > 1


def _is_row(entry: Any) -> bool:
    return isinstance(entry, list | tuple) or len(getattr(entry, "shape", ())) > 0
