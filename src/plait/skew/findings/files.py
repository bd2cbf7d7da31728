"""Findings as a folder: report.json with all tables, and one csv a table for other programs."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plait.skew.findings.columns import empty

FORMAT = 1
_REPORT, _KIND = "report.json", "plait findings"


def write_tables(tables: Mapping[str, pd.DataFrame], folder: str | os.PathLike[str]) -> Path:
    """Write tables into a folder, all of them or nothing.

    A folder that findings were written into before is brought up to date, and keeps files of other names.

    Args:
        tables: By name.
        folder: Where to; its parent must exist.

    Returns:
        The folder.

    Raises:
        FileExistsError: If there is such a folder and it holds no findings.
        FileNotFoundError: If its parent does not exist.
    """
    folder = Path(folder)
    if not folder.absolute().parent.is_dir():
        raise FileNotFoundError(f"There is no folder {folder.parent} to make {folder.name} in. Make it first.")
    if folder.exists() and not _is_ours(folder):
        raise FileExistsError(f"{folder} exists and holds no findings. Choose another folder, or remove it.")
    with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=f".{folder.name}-") as scratch:
        new = Path(scratch) / "new"
        if folder.exists():
            shutil.copytree(folder, new)
        new.mkdir(exist_ok=True)
        _fill(new, tables)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        new.rename(folder)
    return folder


def read_tables(folder: str | os.PathLike[str]) -> dict[str, pd.DataFrame]:
    """The tables that were written into a folder, from its report.json.

    Raises:
        FileNotFoundError: If there is no report.json.
        ValueError: If it holds no findings, or of a later format.
    """
    path = Path(folder) / _REPORT
    if not path.is_file():
        raise FileNotFoundError(f"There is no {path}. Give a folder that `Findings.write` wrote.")
    held = _report(path)
    if held.get("kind") != _KIND:
        raise ValueError(f"{path} holds no findings. Give a folder that `Findings.write` wrote.")
    if held["format"] > FORMAT:
        raise ValueError(f"{path} was written by a newer plait (format {held['format']}, known is {FORMAT}). Update.")
    return {name: pd.DataFrame(rows) if rows else empty(name) for name, rows in held["tables"].items()}


def _is_ours(folder: Path) -> bool:
    path = folder / _REPORT
    return path.is_file() and _report(path).get("kind") == _KIND


def _report(path: Path) -> dict[str, Any]:
    """What a file holds; nothing if it is not JSON, or no object."""
    try:
        held = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}


def _fill(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    held = {"kind": _KIND, "format": FORMAT, "tables": {name: _rows(table) for name, table in tables.items()}}
    text = json.dumps(held, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / _REPORT).write_text(f"{text}\n", encoding="utf-8")
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Row by row; what is not finite is null."""
    return [{name: _value(one) for name, one in row.items()} for row in table.to_dict("records")]


def _value(one: Any) -> Any:
    plain = one.item() if isinstance(one, np.generic) else one
    return None if isinstance(plain, float) and not np.isfinite(plain) else plain
