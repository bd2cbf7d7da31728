"""The files of ETT: the published zip, or its tables one by one."""

import zipfile
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np
import pandas as pd

from plait.datasets._fetch import Arrays, DamagedFileError, Source, naming

COLUMNS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
"""Six loads (high, middle and low; useful and useless) and the oil temperature."""


def _from_zip(path: Path, name: str) -> Arrays:
    with naming(path):
        if not zipfile.is_zipfile(path):
            raise ValueError("not a zip archive, or cut off")
        with zipfile.ZipFile(path) as archive, archive.open(f"ETT-small/{name}.csv") as file:
            return read_table(cast("BufferedIOBase", file), f"{path} (ETT-small/{name}.csv)")


def _from_csv(folder: Path, name: str) -> Arrays:
    path = folder / f"{name}.csv"
    with naming(path), path.open("rb") as file:
        return read_table(file, str(path))


def read_table(file: BufferedIOBase, where: str) -> Arrays:
    """Read one table: a date and seven numbers a row.

    Args:
        file: The table, comma-separated, with a header.
        where: What errors call it.

    Returns:
        `values` (row, 7), `columns` and `times` (seconds).

    Raises:
        DamagedFileError: If other columns stand there, or a value is not finite; with file, column and row.
        ValueError: If it is no such table.
    """
    table = pd.read_csv(file)
    if tuple(table.columns) != ("date", *COLUMNS):
        raise DamagedFileError(f"{where} must have the columns date, {', '.join(COLUMNS)}; has {list(table.columns)}.")
    # The published decimals are float32 written out, so that no parser of decimals can give other values.
    values = table[list(COLUMNS)].to_numpy(dtype=np.float32)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        raise DamagedFileError(
            f"{where} holds {values[row, column]} in column {COLUMNS[column]}, row {row} ({table['date'].iloc[row]}), "
            f"and {len(wrong) - 1} more such values. It is damaged. Remove it and fetch again."
        )
    times = pd.to_datetime(table["date"], format="%Y-%m-%d %H:%M:%S").to_numpy("datetime64[s]")
    return {"values": values, "columns": np.array(COLUMNS), "times": times}


_URL = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/{name}.csv"


def _source(name: str, arrays: str, table: str) -> Source:
    return Source(
        name="ett",
        file="ETT-small.zip",
        read=partial(_from_zip, name=name),
        parts=(f"{name}.csv",),
        build=partial(_from_csv, name=name),
        sha256=arrays,
        urls=MappingProxyType({f"{name}.csv": (_URL.format(name=name), table)}),
    )


SOURCES = MappingProxyType(
    {
        "ETTh1": _source(
            "ETTh1",
            "e31b801e83eaf71eeca173e6fd420debf9164fb2cc28ba1c22a50e7112e5d29a",
            "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
        ),
        "ETTh2": _source(
            "ETTh2",
            "ae4b766bf173129817de31a97e8d10dfabffea9919c53433ebb79c93d813644e",
            "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b",
        ),
        "ETTm1": _source(
            "ETTm1",
            "460a3fb73a84610fe6a95d7d0df35248a7ae908c8b327cfb112b5a13403e8df4",
            "6ce1759b1a18e3328421d5d75fadcb316c449fcd7cec32820c8dafda71986c9e",
        ),
        "ETTm2": _source(
            "ETTm2",
            "7f9e1efa864448d5f80732674c0c13e3171420d2dbdb72183533fde6f9beb678",
            "db973ca252c6410a30d0469b13d696cf919648d0f3fd588c60f03fdbdbadd1fd",
        ),
    }
)
"""Each table has digests of its arrays and of its published file."""
