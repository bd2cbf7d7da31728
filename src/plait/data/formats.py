"""One file, one table: csv, tsv, parquet, npy and npz read whole or refused by name; predictions written."""

import csv
import gzip
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.format import MAGIC_PREFIX

from plait.data.checks import Array, has_ids, listed
from plait.data.whole_files import whole_file

ID_COLUMNS = ("id", "sample_id", "sample", "")
"""Columns that hold the ids of the samples unless another is named; "" is a first column without a name."""

_ENCODING = "utf-8-sig"
_SEPARATORS: Mapping[str, str] = MappingProxyType({".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"})
_DAMAGE = (EOFError, OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile, zlib.error)


class UnreadableFileError(ValueError):
    """A file cannot be read as what its suffix says; the message names it."""


@dataclass(frozen=True)
class FileTable:
    """What a file holds, samples in rows.

    Args:
        path: The file.
        frame: Its columns, ids among them; no index that means something.
        shape: Shape of one sample where the file holds an array, whose numbers are then the columns named by
            integers; None for a table.
    """

    path: Path
    frame: pd.DataFrame
    shape: tuple[int, ...] | None = None


def read_table(path: Path, ids: str | None = None) -> FileTable:
    """Read a file by its suffix.

    Args:
        path: A file with a suffix of `READERS`. A parquet file's index becomes a column. An npz file holds one
            array, and the ids beside it in an array called as an id column.
        ids: Name of the id column, which is kept as the text it is (as is every column of `ID_COLUMNS`).

    Raises:
        UnreadableFileError: If the file is damaged, empty, or something else than its suffix says.
        ModuleNotFoundError: If it is a parquet file and pyarrow is not installed.
        OSError: If it cannot be opened.
    """
    with _naming(path):
        table = READERS[suffix_of(path)](path, _names_of_ids(ids))
        if not len(table.frame):
            raise ValueError("it has no rows")
        return table


def read_texts(path: Path, ids: str | None = None, apart: Collection[str] = ()) -> FileTable:
    """Read a file of texts: its columns as they are written, "NA" and "007" too; an empty cell is "".

    Args:
        path: A csv, tsv (both also gzipped) or parquet file; of parquet the columns keep their types.
        ids: Name of the id column, as in `read_table`.
        apart: Columns that are read as in any other file: target, groups.

    Raises:
        UnreadableFileError: As `read_table`, and if the file holds an array.
        ModuleNotFoundError: If it is a parquet file and pyarrow is not installed.
        OSError: If it cannot be opened.
    """
    table, separator = read_table(path, ids), _SEPARATORS.get(suffix_of(path))
    if table.shape is not None:
        raise UnreadableFileError(f"{path} holds an array. Texts are read from a table: csv, tsv or parquet.")
    names = map(str, table.frame.columns)
    columns = [name for name in names if name.lower() not in _names_of_ids(ids) and name not in apart]
    if separator is None or not columns:
        return table
    written = pd.read_csv(path, sep=separator, usecols=columns, dtype="str", keep_default_na=False, encoding=_ENCODING)
    return replace(table, frame=table.frame.assign(**{name: written[name] for name in columns}))


def _names_of_ids(ids: str | None) -> set[str]:
    """Columns that hold ids, in lower case."""
    return {*ID_COLUMNS} if ids is None else {*ID_COLUMNS, ids.lower()}


def suffix_of(path: Path) -> str:
    """The suffix by which a file is read, in lower case; "" for a file that is not read."""
    return next((suffix for suffix in READERS if path.name.lower().endswith(suffix)), "")


def stem_of(path: Path) -> str:
    """The name of a file without the suffix by which it is read."""
    return path.name[: len(path.name) - len(suffix_of(path))]


def write_predictions(path: Path | str, frame: pd.DataFrame) -> None:
    """Write a table, whole or not at all: an existing file is replaced in one step, at the end.

    Args:
        path: A file ending in .csv, .tsv or .parquet, in a folder that exists.
        frame: The table; its index is left out.

    Raises:
        ValueError: If the suffix is another.
        OSError: If the file cannot be written.
        ModuleNotFoundError: If it is a parquet file and pyarrow is not installed.
    """
    path = Path(path)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ValueError(f"Predictions are written as {', '.join(_WRITERS)}, by the suffix; got {path.name!r}.")
    with whole_file(path) as part, _pyarrow(path):
        writer(frame, part)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Whatever is wrong with the content of a file becomes one error that names the file."""
    try:
        yield
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.filename:  # not the content: no such file, no permission
            raise
        reason = str(error).strip().removesuffix(".")
        raise UnreadableFileError(
            f"{path} cannot be read as {suffix_of(path)}: {reason}. Mend the file, or take it out of the folder."
        ) from error


@contextmanager
def _pyarrow(path: Path) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ModuleNotFoundError(f"{path.name} needs pyarrow: pip install 'plait[parquet]', or use csv.") from error


def _read_text(path: Path, texts: Collection[str], separator: str) -> FileTable:
    header = _header(path, separator)
    kept = {name: "str" for name in header if name.lower() in texts}
    kept |= {"Unnamed: 0": "str"} if header[0] == "" else {}
    frame = pd.read_csv(path, sep=separator, dtype=kept, low_memory=False, index_col=False, encoding=_ENCODING)
    return FileTable(path, frame.rename(columns={"Unnamed: 0": ""} if header[0] == "" else {}))


def _header(path: Path, separator: str) -> list[str]:
    """The names of the columns of a text file, every row of which has as many cells.

    Raises:
        ValueError: If a row has more or fewer, which pandas would fill up or cut without a word.
    """
    with _open_text(path) as lines:
        rows = csv.reader(lines, delimiter=separator, strict=True)
        header = next(filter(None, rows), [])
        if not header:
            raise ValueError("it is empty")
        _check_separator(header, separator)
        for row in filter(None, rows):
            if len(row) != len(header):
                raise ValueError(
                    f"line {rows.line_num} has {len(row)} cells, where the header names {len(header)} columns"
                )
    repeated = pd.Index(header)[pd.Index(header).duplicated()].unique()
    if len(repeated):
        raise ValueError(f"the header names columns more than once: {listed(repeated)}")
    return header


def _check_separator(header: list[str], separator: str) -> None:
    other = next((mark for mark in ";\t,|" if mark != separator and mark in header[0]), None)
    if len(header) == 1 and other is not None:
        raise ValueError(f"the columns of its header are separated by {other!r}, not by {separator!r}")


def _open_text(path: Path) -> TextIOWrapper:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding=_ENCODING, newline="")
    return path.open(encoding=_ENCODING, newline="")


def _read_parquet(path: Path, texts: Collection[str]) -> FileTable:  # noqa: ARG001 - a reader's signature
    with _pyarrow(path):
        frame = pd.read_parquet(path)
    frame.columns = frame.columns.map(str)
    if has_ids(frame.index):
        frame = frame.reset_index(names=[str(name or "") for name in frame.index.names])
    return FileTable(path, frame)


def _read_npy(path: Path, texts: Collection[str]) -> FileTable:  # noqa: ARG001 - a reader's signature
    with path.open("rb") as file:
        if file.read(len(MAGIC_PREFIX)) != MAGIC_PREFIX:
            raise ValueError("it is no array that numpy wrote")
    return _of_array(path, np.load(path, allow_pickle=False))


def _read_npz(path: Path, texts: Collection[str]) -> FileTable:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no npz archive, or cut off")
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    ids = [name for name in arrays if name.lower() in texts]
    values = [name for name in arrays if name not in ids]
    if len(values) != 1:
        raise ValueError(f"one array besides the ids is expected, it holds {len(values)}: {listed(values)}")
    return _of_array(path, arrays[values[0]], {name: arrays[name] for name in ids})


def _of_array(path: Path, array: Array, ids: Mapping[str, Array] = MappingProxyType({})) -> FileTable:
    if array.ndim == 0 or array.size == 0 or array.dtype.names:
        raise ValueError(f"an array with one row a sample is expected, it has shape {array.shape}, {array.dtype}")
    for name, column in ids.items():
        if column.shape != array.shape[:1]:
            raise ValueError(f"{name!r} has shape {column.shape}, the array has {len(array)} rows")
    frame = pd.DataFrame(array.reshape(len(array), -1))
    numbered = pd.concat([frame, pd.DataFrame(dict(ids))], axis=1) if ids else frame
    return FileTable(path, numbered, array.shape[1:] or (1,))


_Reader = Callable[[Path, Collection[str]], FileTable]
READERS: Mapping[str, _Reader] = MappingProxyType(
    {
        **{suffix: partial(_read_text, separator=mark) for suffix, mark in _SEPARATORS.items()},
        ".parquet": _read_parquet,
        ".npy": _read_npy,
        ".npz": _read_npz,
    }
)
"""Reader of each suffix."""

_WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], Any]] = MappingProxyType(
    {
        ".csv": lambda frame, path: frame.to_csv(path, index=False),
        ".tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
        ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
    }
)
