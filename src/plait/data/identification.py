"""Which column of a file says who its rows are: ids of all files found, checked and made comparable."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from pandas.api.types import is_float_dtype, is_numeric_dtype

from plait.data.checks import check_unique, listed
from plait.data.formats import ID_COLUMNS, FileTable


def identified(tables: Mapping[str, FileTable], on: str | None = None) -> dict[str, FileTable]:
    """The tables with the ids of their rows as index, or with positions where no table has ids.

    Args:
        tables: Tables as they were read.
        on: Name of the id column; None looks for `ID_COLUMNS`.

    Raises:
        ValueError: If some tables have ids and others have none, ids are missing or repeated, or there are none
            and the tables differ in length or share a column that looks like ids.
    """
    columns = {stem: _id_columns(table, on) for stem, table in tables.items()}
    if on is None and not any(columns.values()):
        _check_positions(list(tables.values()))
        return dict(tables)
    _check_all_have_ids(tables, columns, on)
    common = [name for name in next(iter(columns.values())) if all(name in found for found in columns.values())]
    chosen = {stem: common[0] if common else found[0] for stem, found in columns.items()}
    ids = _comparable({stem: _ids(table, chosen[stem]) for stem, table in tables.items()})
    return {
        stem: replace(table, frame=table.frame.drop(columns=chosen[stem]).set_axis(ids[stem]))
        for stem, table in tables.items()
    }


def _id_columns(table: FileTable, on: str | None) -> list[Any]:
    """Columns of a table that may hold its ids, the best first."""
    names = list(table.frame.columns)
    if on is not None:
        return [on] if on in names else []
    spelled = {str(name).lower(): name for name in reversed(names)}
    return [spelled[name] for name in ID_COLUMNS if name in spelled]


def _check_all_have_ids(tables: Mapping[str, FileTable], columns: Mapping[str, Sequence[Any]], on: str | None) -> None:
    for stem, table in tables.items():
        if not columns[stem]:
            wanted = repr(on) if on is not None else "(id, sample_id or sample)"
            others = [tables[other].path.name for other in tables if columns[other]]
            named = [column for column in table.frame.columns if isinstance(column, str)]
            has = f"its columns are {listed(named)}" if named else "an array has none; an npz file may hold ids too"
            elsewhere = f" Other files have one ({listed(others)}): give this file its ids too." if others else ""
            raise ValueError(f"{table.path} has no id column {wanted}: {has}.{elsewhere}")


def _check_positions(tables: Sequence[FileTable]) -> None:
    """Without ids the rows of the files must be as many, and no common column look like ids."""
    first, *others = tables
    for table in others:
        if len(table.frame) != len(first.frame):
            raise ValueError(
                f"No file has ids, and the numbers of rows differ: {first.path} has {len(first.frame)}, {table.path} "
                f"has {len(table.frame)}. Add a column id to every file, or name the column of the ids."
            )
    common = [name for name in first.frame.columns if others and all(_like_ids(table, name) for table in tables)]
    if common:
        raise ValueError(
            f"No file has an id column (id, sample_id or sample), but column {common[0]!r} stands in every file and "
            "looks like one. Name it as the id column, or rename it."
        )


def _like_ids(table: FileTable, name: Any) -> bool:
    if table.shape is not None or name not in table.frame.columns:
        return False
    column = table.frame[name]
    return bool(column.is_unique) and not is_float_dtype(column.dtype)


def _ids(table: FileTable, column: Any) -> "pd.Index[Any]":
    """The ids of a table; text that is whole numbers, written as such, becomes numbers."""
    ids: pd.Index[Any] = pd.Index(table.frame[column], name=None)
    what = f"The ids of {table.path} (column {column!r})" if column else f"The ids of {table.path} (first column)"
    check_unique(ids, what)
    if is_numeric_dtype(ids.dtype):
        return ids
    texts: pd.Index[Any] = ids.astype(str)
    whole = bool(texts.str.fullmatch(r"0|-?[1-9]\d{0,17}").all())
    return texts.astype("int64") if whole else texts


def _comparable(ids: Mapping[str, "pd.Index[Any]"]) -> Mapping[str, "pd.Index[Any]"]:
    """Numbers where all are numbers, else text."""
    if all(is_numeric_dtype(index.dtype) for index in ids.values()):
        return ids
    return {stem: index.astype(str) for stem, index in ids.items()}
