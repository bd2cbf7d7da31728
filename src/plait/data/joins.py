"""Several tables joined by sample id, outer: nobody is dropped, and what did not match is told."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api.types import is_float_dtype, is_numeric_dtype

from plait.data.checks import check_names, check_unique, has_ids, listed, plain

_TELLING = 5  # rows from which a column of distinct whole numbers or strings is taken for ids


@dataclass(frozen=True)
class Account:
    """What a join by id matched and what it did not.

    Args:
        matched: Number of samples that every modality has.
        absent: Ids that each modality lacks, by modality; an empty tuple where it lacks none.
        aligned: Whether every table held the same samples in the same order.
        apart: Modalities that share no id with any other.
    """

    matched: int
    absent: Mapping[str, tuple[Hashable, ...]]
    aligned: bool = True
    apart: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every modality has every sample."""
        return not any(self.absent.values())

    def summary(self) -> str:
        """The figures in one line, with the first ids that each modality lacks."""
        head = f"Joined {len(self.absent)} modalities by id:"
        lacking = {name: ids for name, ids in self.absent.items() if ids}
        if not lacking:
            return f"{head} all {self.matched} samples are in every modality."
        figures = "; ".join(f"{name!r} lacks {len(ids)} ({listed(ids, 3)})" for name, ids in lacking.items())
        strange = (
            f" No id of {listed(self.apart)} is in any other table: are the ids spelled alike?" if self.apart else ""
        )
        return (
            f"{head} {self.matched} samples are in every modality; {figures}. "
            f"All samples are kept, with these modalities absent.{strange}"
        )


def join(
    frames: Mapping[str, Any], on: str | None = None, order: "pd.Index[Any] | None" = None
) -> tuple[dict[str, pd.DataFrame | None], Account]:
    """The same rows for every table: the union of the ids, all NaN where a table lacks the id.

    Args:
        frames: A table of numbers a modality, its index the sample ids; None for a modality that is absent in
            all.
        on: A column that holds the sample ids instead of the index.
        order: The ids in the order wanted; by default the order of first appearance.

    Raises:
        ValueError: If ids are missing, repeated within a table, of two kinds, or not there at all.
        TypeError: If an entry is no table.
    """
    check_names(frames)
    tables = {name: _table(name, frame, on) for name, frame in frames.items() if frame is not None}
    if not tables:
        raise ValueError("Every modality is None: at least one needs a table, to know the samples.")
    for name, table in tables.items():
        check_unique(table.index, f"The sample ids of table {name!r}")
    _check_comparable(tables)
    ids = _union([table.index for table in tables.values()]) if order is None else order
    absent = {name: tuple(ids.difference(table.index, sort=False).tolist()) for name, table in tables.items()}
    matched = len(ids) - len(set().union(*absent.values()))
    joined = {name: tables[name].reindex(ids) if name in tables else None for name in frames}
    aligned = all(table.index.equals(ids) for table in tables.values())
    return joined, Account(matched, absent, aligned, _apart(tables))


def mudata_tables(mdata: Any) -> tuple[dict[str, pd.DataFrame], "pd.Index[Any]"]:
    """The tables of a MuData object and its samples in order.

    Raises:
        ValueError: If its modalities share variables instead of samples.
        TypeError: If a modality is a sparse matrix.
    """
    if getattr(mdata, "axis", 0) != 0:
        raise ValueError(f"Expected a MuData of shared samples (axis=0), got axis={mdata.axis}.")
    for name, part in mdata.mod.items():
        if hasattr(part.X, "toarray"):
            raise TypeError(
                f"Modality {name!r} is a sparse matrix, but dense data is required. "
                f"Convert it: mdata[{name!r}].X = mdata[{name!r}].X.toarray()."
            )
    tables = {
        name: pd.DataFrame(part.X, index=part.obs_names, columns=part.var_names) for name, part in mdata.mod.items()
    }
    return tables, pd.Index(mdata.obs_names)


def _table(name: str, frame: Any, on: str | None) -> pd.DataFrame:
    if isinstance(frame, pd.Series):
        frame = frame.to_frame()
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"Table {name!r} must be a DataFrame, got {type(frame).__name__}.")
    if on is None or (on not in frame.columns and on in frame.index.names):
        return frame
    if on not in frame.columns:
        raise ValueError(f"Table {name!r} has no id column {on!r}. Its columns are {listed(frame.columns)}.")
    return frame.set_index(on)


def _check_comparable(tables: Mapping[str, pd.DataFrame]) -> None:
    _check_same_kind(tables)
    unnamed = {name: len(table) for name, table in tables.items() if not has_ids(table.index)}
    if len(set(unnamed.values())) > 1:
        lengths = ", ".join(f"{name!r} has {length}" for name, length in unnamed.items())
        raise ValueError(
            f"Tables without sample ids must have the same number of rows: {lengths}. "
            "Set the ids as the index, or name their column with on=."
        )

    common = set.intersection(*[_like_ids(tables[name]) for name in unnamed]) if len(unnamed) > 1 else set()
    if common:
        column = sorted(common, key=str)[0]
        raise ValueError(
            f"The tables have no sample ids in their index, but column {column!r} stands in all of them and looks "
            f"like ids. Set it as the index (table.set_index({column!r})), or use Modalities.from_frames(tables, "
            f"on={column!r})."
        )


def _like_ids(table: pd.DataFrame) -> set[Hashable]:
    """Columns of distinct values that are no real numbers, in tables long enough to tell."""
    if len(table) < _TELLING or table.columns.nlevels > 1:
        return set()
    return {name for name, column in table.items() if column.is_unique and not is_float_dtype(column.dtype)}


def _apart(tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    found = []
    for name, table in tables.items():
        others = [other.index for key, other in tables.items() if key != name]
        if others and not any(table.index.isin(index).any() for index in others):
            found.append(name)
    return tuple(found)


def _check_same_kind(tables: Mapping[str, pd.DataFrame]) -> None:
    kinds = {name: is_numeric_dtype(table.index.dtype) for name, table in tables.items() if len(table)}
    numbers = [name for name, numeric in kinds.items() if numeric]
    others = [name for name, numeric in kinds.items() if not numeric]
    if numbers and others:
        one, other = numbers[0], others[0]
        raise ValueError(
            f"Sample ids cannot match: in table {one!r} they are numbers ({plain(tables[one].index[0])!r}), "
            f"in table {other!r} they are not ({plain(tables[other].index[0])!r}). Convert them to one type."
        )


def _union(indexes: Sequence["pd.Index[Any]"]) -> "pd.Index[Any]":
    ids = indexes[0]
    for index in indexes[1:]:
        if not index.equals(ids):
            ids = ids.append(index.difference(ids, sort=False))
    return ids
