"""Finished runs as small JSON files in a folder, some with a folder of their own: none is ever seen half."""

import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plait
from plait.compare.runs.fingerprint import code_version, key_of
from plait.data.whole_files import write_text
from plait.reproduce.study import Found, Run, Study, Table

_FOLDER = "runs"
_DIGITS = 12  # of the key, in the name of a file


@dataclass(frozen=True)
class Stored:
    """A run that is finished.

    Args:
        content: All that its numbers depend on, as JSON values; what the key is made of.
        found: What it gave.
        seconds: How long it took, with loading of the data.
        code: Version of plait; in development with a digest of the code that learns.
    """

    content: Mapping[str, Any]
    found: Found
    seconds: float
    code: str


def settings_of(study: Study) -> dict[str, Any]:
    """The settings of a study as they come back from JSON."""
    found: dict[str, Any] = json.loads(json.dumps(dict(study.settings), allow_nan=False))
    return found


def content_of(study: Study, run: Run) -> dict[str, Any]:
    """All that the numbers of a run depend on, as JSON values: study, arm, labels, seed, settings, version."""
    return {
        "study": study.name,
        "arm": run.arm,
        "labels": dict(run.labels),
        "seed": run.seed,
        "settings": settings_of(study),
        "version": plait.__version__,
    }


class RunFolder:
    """The finished runs of a study in a folder.

    The name of a file is readable and ends in the key, the SHA-256 of what the run depends on: another setting is
    another file. Several processes may use a folder; a run that two of them do at the same time is done twice.

    Args:
        folder: Where they are; it is made if need be.

    Raises:
        NotADirectoryError: If it is a file.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise NotADirectoryError(f"{self.folder} is a file. Choose a folder to keep runs and results in.")
        (self.folder / _FOLDER).mkdir(parents=True, exist_ok=True)

    def path(self, content: Mapping[str, Any]) -> Path:
        """Where a run is kept."""
        words = f"{content['arm']}/{content['seed']}".replace("/", "_")
        return self.folder / _FOLDER / f"{words}-{key_of(content)[:_DIGITS]}.json"

    def files(self, content: Mapping[str, Any]) -> Path:
        """The folder of what else a run gave, if it gave something."""
        return self.path(content).with_suffix("")

    def has(self, content: Mapping[str, Any]) -> bool:
        """Whether a run is finished."""
        return self.path(content).exists()

    def save(self, content: Mapping[str, Any], found: Found, seconds: float) -> None:
        """Keep a finished run: its folder first, if it has one, so that a run with a file has all."""
        if found.files is not None:
            _write_folder(self.files(content), found.files)
        said: dict[str, Any] = {
            "run": dict(content),
            "numbers": {name: _json_number(value) for name, value in found.numbers.items()},
            "tables": {name: _json_table(table) for name, table in found.tables.items()},
            "seconds": round(seconds, 3),
            "code": code_version(),
        }
        said["checksum"] = key_of(said)
        write_text(self.path(content), json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def read(self) -> list[Stored]:
        """All finished runs, of whatever settings, in the order of their file names.

        Raises:
            ValueError: If a file is damaged; the message names it.
        """
        return [_read(path) for path in sorted((self.folder / _FOLDER).glob("*.json"))]


def _write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder whole or not at all; one that is there is replaced."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new = Path(scratch) / "new"
        fill(new)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        new.rename(folder)


def _read(path: Path) -> Stored:
    try:
        said = json.loads(path.read_bytes())
        checksum = said.pop("checksum")
        if key_of(said) != checksum:
            raise ValueError("its checksum differs")
        numbers = {name: _number(value) for name, value in said["numbers"].items()}
        tables = {name: _table(table) for name, table in said["tables"].items()}
        return Stored(said["run"], Found(numbers, tables), said["seconds"], said["code"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). Remove it, and the run is computed anew."
        ) from error


def _json_number(value: float) -> float | None:
    """A finite number, or None."""
    return float(value) if math.isfinite(value) else None


def _json_table(table: Table) -> dict[str, dict[str, float | None]]:
    return {row: {column: _json_number(value) for column, value in cells.items()} for row, cells in table.items()}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _table(table: Mapping[str, Mapping[str, float | None]]) -> Table:
    return {row: {column: _number(value) for column, value in cells.items()} for row, cells in table.items()}
