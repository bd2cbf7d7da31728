"""What one run gave, and the folder of files that holds it."""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from plait.compare.runs.fingerprint import key_of
from plait.data.text import from_text, to_text

_RUN, _OUTPUTS, _TABLES = "run.json", "outputs.npz", "tables.json"


@dataclass(frozen=True)
class Record:
    """What one run gave.

    Args:
        content: What was run: all that the outputs depend on, as JSON values.
        outputs: Class probabilities in the order of the classes, or predicted values, of the reported samples.
        seconds: Seconds of the fit.
        facts: What else is known, as JSON values: the resolved method, the end of its history, warnings, versions.
        tables: Findings of the fit (the cohort, the path of rho, ...), by name.
    """

    content: Mapping[str, Any]
    outputs: Float[ndarray, "row out"]
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)


class DamagedRecordError(ValueError):
    """The files of a run are not those that were written."""


def write_record(record: Record, folder: Path) -> None:
    """Write the files of a run into a folder, and wait until they are on the disk.

    Args:
        record: What the run gave.
        folder: An empty folder.
    """
    buffer = io.BytesIO()
    np.savez(buffer, outputs=record.outputs)
    files = {_OUTPUTS: buffer.getvalue()}
    if record.tables:
        tables = {name: to_text(table) for name, table in record.tables.items()}
        files[_TABLES] = json.dumps(tables, indent=1, allow_nan=False).encode()
    said = {
        "run": dict(record.content),
        "seconds": record.seconds,
        **record.facts,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    said["checksum"] = key_of(said)
    files[_RUN] = json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False).encode()
    with ExitStack() as stack:
        opened = [(stack.enter_context((folder / name).open("wb")), data) for name, data in files.items()]
        for file, data in opened:
            file.write(data)
            file.flush()
        for file, _ in opened:  # the first waits for most of what the others would wait for
            os.fsync(file.fileno())


def read_record(folder: Path, key: str) -> Record:
    """The run that a folder holds.

    Args:
        folder: Where `write_record` wrote.
        key: The key that the run must have.

    Raises:
        DamagedRecordError: If a file is not there or has changed, or it is another run.
    """
    try:
        said = json.loads((folder / _RUN).read_bytes())
        checksum = said.pop("checksum")
        if key_of(said) != checksum or key_of(said["run"]) != key:
            raise ValueError(f"the checksum of {_RUN} differs")
        content, seconds, files = said.pop("run"), said.pop("seconds"), said.pop("files")
        data = {name: (folder / name).read_bytes() for name in (_OUTPUTS, _TABLES) if name in files}
        if files != {name: hashlib.sha256(part).hexdigest() for name, part in data.items()}:
            raise ValueError("the checksum of a file differs")
        with np.load(io.BytesIO(data[_OUTPUTS]), allow_pickle=False) as arrays:
            outputs = arrays["outputs"]
        tables = {name: from_text(table, {}) for name, table in json.loads(data.get(_TABLES, b"{}")).items()}
        if not all(name.isidentifier() for name in tables):
            raise ValueError(f"names of tables are not names: {sorted(tables)}")
    except (OSError, KeyError, TypeError, AttributeError, ValueError, BadZipFile) as error:
        raise DamagedRecordError(f"{type(error).__name__}: {error}") from error
    return Record(content, outputs, seconds, said, tables)
