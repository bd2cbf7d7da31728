"""A folder with one file a modality: joined by sample id, its target and groups beside it."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype

from plait.data.checks import Array, listed, plain
from plait.data.formats import READERS, FileTable, read_table, read_texts, stem_of, suffix_of
from plait.data.identification import identified
from plait.data.modalities import Modalities
from plait.data.texts import holds_texts

TARGET_FILES = ("target", "targets", "labels", "label", "y")
"""Names of a target file, without suffix; a file of this name is never a modality."""


@dataclass(frozen=True)
class FolderData:
    """What a folder holds.

    Args:
        modalities: The samples of all files, joined by id; a sample that a file lacks has that modality absent.
        target: Target of the samples that have one, by id, in the order of the samples; None if there is none.
        groups: Groups of the samples that have one, likewise.
    """

    modalities: Modalities
    target: "pd.Series[Any] | None"
    groups: "pd.Series[Any] | None" = None

    @property
    def ids(self) -> Array:
        """One id a sample."""
        return self.modalities.ids

    def labelled(self) -> "FolderData":
        """The samples that can be learned from: those with a target and at least one modality.

        Raises:
            ValueError: If there is no target, no sample has one, or a sample that has one has no group.

        Warns:
            UserWarning: With the figures, if samples are left out.
        """
        if self.target is None:
            raise ValueError(f"There is no target. Name its column, or add a file named {' or '.join(TARGET_FILES)}.")
        known = pd.Index(self.ids).isin(self.target.index)
        empty = ~self.modalities.present.any(axis=1)
        _warn_left_out(self.ids[~known], "no target")
        _warn_left_out(self.ids[known & empty], "no modality at all")
        kept = self.modalities[known & ~empty]
        if not len(kept):
            raise ValueError(
                f"No sample has both a target and a modality: the ids of the target ({listed(self.target.index, 3)}) "
                f"and of the modalities ({listed(self.ids, 3)}) do not match."
            )
        return FolderData(kept, self.target.loc[kept.ids], self._groups_of(kept.ids))

    def _groups_of(self, ids: Array) -> "pd.Series[Any] | None":
        if self.groups is None:
            return None
        lacking = ids[~pd.Index(ids).isin(self.groups.index)]
        if len(lacking):
            raise ValueError(f"{len(lacking)} samples have no group: {listed(lacking)}. Give every sample one.")
        return self.groups.loc[ids]


def read_folder(
    folder: Path | str,
    target: str | None = None,
    *,
    on: str | None = None,
    groups: str | None = None,
    modalities: Sequence[str] | None = None,
    texts: Collection[str] = (),
) -> FolderData:
    """Read a folder with one file a modality; the name of the file, without suffix, names the modality.

    Rows are matched by id: nobody is dropped and nobody paired by position where ids exist. Only if no file has
    ids, rows are matched by position, and then all files must have the same number of rows.

    Args:
        folder: Holds csv, tsv (both also gzipped), parquet, npy and npz files. READMEs and hidden files are
            passed over.
        target: Column that is the target, found in exactly one file and then no feature. None: the only column
            (but for the ids) of the file named target, targets, labels, label or y; there may be none.
        on: Column of the ids in every file. None: a column named id, sample_id or sample, or a first column
            without a name (a table's index).
        groups: Column of the groups (patient, session), found in exactly one file and then no feature.
        modalities: Names of the modalities to read, in this order; None: every file, in alphabetical order.
        texts: Names of the modalities that are texts: tables with one column beside ids, target and groups, which is
            read as it is written; an empty cell is an absent text.

    Raises:
        ValueError: If the folder is empty or holds files that are not read, a file is damaged, ids are missing or
            repeated, a column is no numbers, target or groups are not found in exactly one file, or a modality of
            texts is no single column of texts.
        FileNotFoundError: If there is no such folder.
        ModuleNotFoundError: If a parquet file is there and pyarrow is not installed.

    Warns:
        UserWarning: With the figures, if files do not hold the same samples; if all texts of a modality are numbers.
    """
    paths = _paths(Path(folder), modalities, texts, everything=target is not None or groups is not None)
    apart = [name for name in (target, groups) if name is not None]
    read = {
        stem: read_texts(path, on, apart) if stem in texts else read_table(path, on) for stem, path in paths.items()
    }
    tables = identified(read, on)
    columns = [_extracted(tables, name) for name in (target, groups)]
    beside = [stem for stem in tables if stem.lower() in TARGET_FILES and stem not in (modalities or ())]
    chosen = [stem for stem in tables if stem not in beside] if modalities is None else modalities
    left = {stem: tables[stem] for stem in chosen if tables[stem].frame.shape[1]}
    if not left:
        raise ValueError(f"The folder {folder} holds no modality: a file of numbers, one row a sample.")
    X = _joined(left, [stem for stem in left if stem in texts])
    found = _only_column([tables[stem] for stem in beside]) if target is None else columns[0]
    return FolderData(X, _of_samples(found, X.ids, "target"), _of_samples(columns[1], X.ids, "group"))


def _paths(
    folder: Path, modalities: Sequence[str] | None, texts: Collection[str], *, everything: bool
) -> dict[str, Path]:
    """The files to read, by name without suffix."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    entries = sorted(path for path in folder.iterdir() if not _passed_over(path))
    if modalities is None:
        _check_readable(folder, entries)
    paths: dict[str, Path] = {}
    for path in entries:
        stem = stem_of(path) if path.is_file() and suffix_of(path) else None
        if stem in paths:
            raise ValueError(f"Two files are named {stem!r}: {paths[stem].name} and {path.name}. Keep one of them.")
        paths |= {} if stem is None else {stem: path}
    _check_there(folder, paths, [*(modalities or ()), *texts])
    if modalities is None or everything:
        return paths
    return {stem: path for stem, path in paths.items() if stem in modalities or stem.lower() in TARGET_FILES}


def _check_there(folder: Path, paths: Mapping[str, Path], names: Sequence[str]) -> None:
    lacking = [name for name in dict.fromkeys(names) if name not in paths]
    if lacking:
        raise ValueError(
            f"The folder {folder} has no file of the modality {listed(lacking)}; it has files of {listed(paths)}."
        )


def _passed_over(path: Path) -> bool:
    return path.name.lower().startswith((".", "readme", "license", "licence"))


def _check_readable(folder: Path, entries: Sequence[Path]) -> None:
    if not entries:
        raise ValueError(f"The folder {folder} is empty. Put one file a modality into it ({', '.join(READERS)}).")
    strange = [path.name for path in entries if not (path.is_file() and suffix_of(path))]
    if strange:
        raise ValueError(
            f"The folder {folder} holds what cannot be read: {listed(strange)}. A modality is a file ending in "
            f"{', '.join(READERS)}; convert these, move them away, or name the modalities to read."
        )


def _extracted(tables: dict[str, FileTable], name: str | None) -> "pd.Series[Any] | None":
    """The column of that name, taken out of the one table that has it."""
    if name is None:
        return None
    homes = [stem for stem, table in tables.items() if name in table.frame.columns]
    if len(homes) != 1:
        found = listed(tables[stem].path.name for stem in homes or tables)
        where = f"several have it: {found}" if homes else f"none of {found} has it"
        raise ValueError(f"Column {name!r} must stand in exactly one file, but {where}.")
    table = tables[homes[0]]
    tables[homes[0]] = replace(table, frame=table.frame.drop(columns=name))
    return table.frame[name]


def _only_column(beside: Sequence[FileTable]) -> "pd.Series[Any] | None":
    """The column of the target file."""
    if len(beside) > 1:
        files = listed(table.path.name for table in beside)
        raise ValueError(f"Several files hold a target: {files}. Keep one of them, or name the target's column.")
    for table in beside:
        if table.frame.shape[1] != 1:
            raise ValueError(
                f"{table.path} must have one column besides the ids, the target, but it has {table.frame.shape[1]}: "
                f"{listed(table.frame.columns)}. Name the target's column."
            )
        return table.frame.iloc[:, 0]
    return None


def _joined(tables: Mapping[str, FileTable], texts: Collection[str]) -> Modalities:
    """The tables as modalities; arrays get their shape back, a modality without any text is absent in all."""
    frames = {stem: _texts(table) if stem in texts else _numbers(table) for stem, table in tables.items()}
    X = Modalities.from_frames(frames)
    shapes = {stem: table.shape for stem, table in tables.items() if table.shape is not None}
    empty = [stem for stem in texts if not holds_texts(X[stem])]
    if not shapes and not empty:
        return X
    arrays = {name: array.reshape(len(X), *shapes.get(name, array.shape[1:])) for name, array in X.items()}
    columns = {name: labels for name, labels in X.columns.items() if name not in shapes and name not in empty}
    known = {**arrays, **dict.fromkeys(empty)}
    return Modalities(known, ids=X.ids, present=X.present, columns=columns, account=X.account)


def _texts(table: FileTable) -> pd.DataFrame:
    """The one column of a file of texts, NaN where it is empty.

    Raises:
        ValueError: If it has another number of columns, or something else than texts.
    """
    if table.frame.shape[1] != 1:
        raise ValueError(
            f"{table.path} must have one column of texts besides ids, target and groups, but it has "
            f"{table.frame.shape[1]}: {listed(table.frame.columns)}. Put the others into files of their own, or drop "
            "them."
        )
    column = table.frame.iloc[:, 0].astype(object)
    written = column.map(lambda cell: isinstance(cell, str)).astype(bool)
    wrong = column[column.notna() & ~written]
    if len(wrong):
        raise ValueError(
            f"Column {plain(column.name)!r} of {table.path} must hold texts, but sample {plain(wrong.index[0])!r} has "
            f"{plain(wrong.iloc[0])!r}. Write it as text, or read the file as numbers."
        )
    found = column[written & (column != "")]
    if len(found) and pd.to_numeric(found, errors="coerce").notna().all():
        message = f"Column {plain(column.name)!r} of {table.path} is read as texts, but every one of them is a number."
        warnings.warn(message, UserWarning, stacklevel=4)
    return found.reindex(column.index).to_frame() if len(found) else pd.DataFrame({column.name: np.nan}, column.index)


def _numbers(table: FileTable) -> pd.DataFrame:
    """The columns of a file, where every column is numbers, or is text that can be read as numbers.

    Raises:
        ValueError: If a column is neither; the message names file, column and sample.
    """
    frame = table.frame.copy(deep=False)
    for name in frame.select_dtypes(exclude=["number", "bool"]).columns:
        column = frame[name]
        nothing = pd.Series(np.nan, index=column.index)
        numbers = pd.to_numeric(column, errors="coerce") if is_string_dtype(column) else nothing
        wrong = column[numbers.isna() & column.notna()]
        if len(wrong):
            raise ValueError(
                f"Column {plain(name)!r} of {table.path} must hold numbers, but sample {plain(wrong.index[0])!r} has "
                f"{str(wrong.iloc[0])!r}. Encode it as numbers or drop it; if it holds the target, the ids or the "
                "groups, name it as such; if it holds texts, have an encoder read them: "
                f"--encoder {stem_of(table.path)}=minilm."
            )
        frame[name] = numbers.astype(np.float64)
    return frame


def _of_samples(column: "pd.Series[Any] | None", ids: Array, what: str) -> "pd.Series[Any] | None":
    """The values of the samples that are there and have one, in their order."""
    if column is None:
        return None
    _warn_left_out(column.index[column.notna() & ~column.index.isin(ids)].to_numpy(), "no modality", f"a {what} but ")
    given = column[column.notna()]
    kept = given.loc[ids[pd.Index(ids).isin(given.index)]]
    whole = len(given) < len(column) and given.dtype.kind == "f" and bool((given % 1 == 0).all())
    return kept.astype(np.int64) if whole else kept.infer_objects()  # a gap makes pandas write whole numbers as 1.0


def _warn_left_out(ids: Array, lacking: str, having: str = "") -> None:
    if len(ids):
        warnings.warn(
            f"{len(ids)} samples have {having}{lacking} and are left out: {listed(ids, 3)}.", UserWarning, stacklevel=3
        )
