"""One table to several: columns divided into modalities by two levels, by name, by pattern or by position."""

from collections import defaultdict
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from plait.data.checks import Array, listed

Groups = Mapping[str, Any]
"""Columns of each modality: a pattern ("mrna_*"), a list of names, or positions (ints or a slice)."""

ALONE = "x"
"""Name of the modality when a table is not divided."""


def split_frame(frame: pd.DataFrame, groups: Groups | None) -> dict[str, pd.DataFrame]:
    """The columns of each modality, as tables over the same rows.

    Args:
        frame: A table. With two levels of columns and no groups, level 0 names the modality; with one level
            and no groups the table is one modality, "x".
        groups: Columns of each modality; columns of no group are left out.

    Raises:
        ValueError: If groups are given for columns with levels, or name columns that are not there.
    """
    if isinstance(frame.columns, pd.MultiIndex):
        if groups is not None:
            raise ValueError("The columns have levels and name their modality already; leave the column groups out.")
        return _by_level(frame)
    if groups is None:
        return {ALONE: frame}
    check_groups(groups)
    return {name: frame.iloc[:, _places(name, columns, frame)] for name, columns in groups.items()}


def split_array(array: Array, groups: Groups | None) -> dict[str, Array]:
    """The columns of each modality of a two-dimensional array; groups hold positions.

    Raises:
        ValueError: If groups name columns, or positions that are not there.
    """
    if groups is None:
        return {ALONE: array}
    check_groups(groups)
    return {name: array[:, _positions(name, columns, array.shape[1])] for name, columns in groups.items()}


def _by_level(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    level = frame.columns.get_level_values(0)
    return {name: frame.loc[:, level == name].droplevel(0, axis=1) for name in level.unique()}


def _places(name: str, columns: Any, frame: pd.DataFrame) -> npt.NDArray[np.intp]:
    if not _holds_names(columns):
        return _positions(name, columns, frame.shape[1])
    places: dict[str, list[int]] = defaultdict(list)
    for place, label in enumerate(frame.columns):
        places[str(label)].append(place)
    entries = [columns] if isinstance(columns, str) else [str(entry) for entry in columns]
    chosen = [place for entry in entries for place in places.get(entry) or _matching(name, entry, places)]
    return np.array(list(dict.fromkeys(chosen)), dtype=np.intp)


def _matching(name: str, pattern: str, places: Mapping[str, list[int]]) -> list[int]:
    found = [place for label, at in places.items() if fnmatchcase(label, pattern) for place in at]
    if not found:
        raise ValueError(
            f"Column group {name!r} asks for {pattern!r}, which matches no column. The columns are {listed(places)}."
        )
    return found


def _positions(name: str, columns: Any, width: int) -> npt.NDArray[np.intp]:
    if _holds_names(columns):
        raise ValueError(
            f"Column group {name!r} names columns ({columns!r}), but an array has none. "
            "Give positions (a list of ints or a slice), or pass a DataFrame."
        )
    chosen = columns if isinstance(columns, slice) else np.asarray(columns, dtype=None if np.size(columns) else int)
    try:
        return np.atleast_1d(np.arange(width)[chosen])
    except IndexError as error:
        raise ValueError(
            f"Column group {name!r} must hold positions from 0 to {width - 1}, got {columns!r}."
        ) from error


def _holds_names(columns: Any) -> bool:
    several = columns if np.iterable(columns) else ()
    return isinstance(columns, str) or any(isinstance(column, str) for column in several)


def check_groups(groups: object) -> None:
    """Column groups are a mapping with at least one entry.

    Raises:
        TypeError: If they are no mapping.
        ValueError: If they are empty.
    """
    if not isinstance(groups, Mapping):
        raise TypeError(f"Column groups must map modality names to columns, got {type(groups).__name__}.")
    if not groups:
        raise ValueError("Column groups are empty; name at least one modality, or leave them out.")
