"""Pooled taps on disk: every sample passes an encoder once, and is read from files ever after."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.lib.format import open_memmap
from tqdm import tqdm

from plait.data.settings import check_one_of, check_whole
from plait.nn.taps.base import LayeredEncoder
from plait.nn.taps.cache_files import Entry
from plait.nn.taps.inputs import count, part, tensors_of
from plait.nn.taps.pooling import check_pooling, pooled

_FORMATS = ("float16", "float32", "float64")
_MAKING, _OLD = ".making-", 24 * 3600  # seconds after which nobody can still be at work on it

Taps = list[Float[np.ndarray, "sample _"]]


class TapCache:
    """A folder with the pooled taps of encoders, one file a tap, found by what they were made of.

    A folder inside it is named by SHA-256 of the encoder's fingerprint, the pooling, the data's fingerprint and the
    number format, so taps of other weights are never mixed up. An entry is there as a whole or not at all: who is
    interrupted begins anew (`SampleCache` goes on).

    Args:
        folder: Where the files are; it is made if need be.
        batch: Samples that pass an encoder at a time, at least 1.
        dtype: Number format of the files: "float32", "float64", or "float16" to halve them.
        verbose: 0 shows no progress bar.

    Raises:
        NotADirectoryError: If the folder is a file.
        ValueError: If a setting is out of range.
    """

    def __init__(
        self, folder: str | PathLike[str], *, batch: int = 64, dtype: str = "float32", verbose: int = 1
    ) -> None:
        check_reading(batch, dtype)
        self.folder, self.batch, self.dtype, self.verbose = folder_for_taps(folder), batch, dtype, verbose

    def taps(self, encoder: LayeredEncoder, values: Any, pool: str, fingerprint_of_data: str) -> Taps:
        """Pooled taps 1 to L of all samples, from the files if they were made before.

        Args:
            encoder: The encoder.
            values: What it reads of at least one sample, as in `LayeredEncoder.read`.
            pool: What `pooled` knows.
            fingerprint_of_data: What tells these samples from all others, for example `data_fingerprint(values)`.

        Returns:
            One array (sample, width) a tap, mapped into memory and read-only.

        Raises:
            ValueError: If there is no such pooling, fingerprint or sample; if an entry is damaged, or holds another
                number of samples; or if the encoder cannot read the values.
        """
        check_pooling(pool)
        if not fingerprint_of_data:
            raise ValueError("fingerprint_of_data is empty. Give a text that only these samples have.")
        rows = count(values)
        entry = Entry(self.folder, encoder.fingerprint(), pool, fingerprint_of_data, self.dtype)
        if not entry.exists():
            Reading(encoder, pool, self.batch, self.dtype, self.verbose).write(entry, values, range(rows))
        found = entry.read()
        if len(found) != encoder.taps or len(found[0]) != rows:
            raise ValueError(
                f"{entry.path} holds {len(found)} taps of {len(found[0])} samples, but encoder '{encoder.name}' has "
                f"{encoder.taps} taps and there are {rows} samples. Give other data another fingerprint."
            )
        return found


@dataclass(frozen=True)
class Reading:
    """How samples pass an encoder, batch by batch.

    Args:
        encoder: The encoder.
        pool: What `pooled` knows.
        batch: Samples at a time, at least 1.
        dtype: Number format of the taps, "float16", "float32" or "float64".
        verbose: 0 shows no progress bar.
        before: Samples that have passed before, on the same progress bar.
        after: Samples that will.
    """

    encoder: LayeredEncoder
    pool: str
    batch: int
    dtype: str
    verbose: int
    before: int = 0
    after: int = 0

    def write(self, entry: Entry, values: Any, rows: Sequence[int], beside: Mapping[str, str] | None = None) -> None:
        """Make an entry of some samples, unless another process is faster; it is there as a whole or not at all.

        Args:
            entry: What is made; its folder is made too if need be. What a process that was killed has left in it is
                removed after a day.
            values: What the encoder reads.
            rows: The samples, in rising order.
            beside: Texts that are written into the entry, by the names of their files.

        Raises:
            OSError: If the folder cannot be made.
            ValueError: As `batches`.
        """
        _make(entry.folder)
        _sweep(entry.folder)
        with tempfile.TemporaryDirectory(dir=entry.folder, prefix=_MAKING) as scratch:
            made = Path(scratch) / "entry"
            made.mkdir()
            files: list[np.memmap[Any, Any]] = []
            for start, found in self.batches(values, rows):
                for tap, array in enumerate(found):
                    if start == 0:
                        files.append(_new_file(entry.array(made, tap + 1), self.dtype, len(rows), array))
                    files[tap][start : start + len(array)] = array
            for file in files:
                file.flush()
            for name, text in (beside or {}).items():
                (made / name).write_text(text, encoding="utf-8")
            entry.finish(made, [file.shape for file in files])

    def batches(self, values: Any, rows: Sequence[int]) -> Iterator[tuple[int, Sequence[Float[np.ndarray, "batch _"]]]]:
        """The pooled taps of each batch of some samples, in rising order, and the place of its first one among them.

        Raises:
            ValueError: If the encoder cannot read them, or a number does not fit the format.
        """
        what, total = f"taps of {self.encoder.name}", self.before + len(rows) + self.after
        bar = tqdm(
            desc=what, total=total, initial=self.before, unit="sample", leave=not self.after, disable=not self.verbose
        )
        with bar:
            for start in range(0, max(len(rows), 1), self.batch):
                these = rows[start : start + self.batch]
                try:
                    taps = self.encoder.read(_chosen(values, these))
                    found = [self._in_format(pooled(tapped, self.pool).cpu().numpy()) for tapped in taps]
                except ValueError as error:
                    error.add_note(f"The batch holds the samples {_told(these)}.")
                    raise
                yield start, found
                bar.update(len(these))

    def _in_format(self, array: Float[np.ndarray, "batch width"]) -> Float[np.ndarray, "batch width"]:
        """The array in the number format of the taps.

        Raises:
            ValueError: If it holds a number that is too large for it.
        """
        if np.abs(array).max(initial=0.0) > np.finfo(self.dtype).max:
            raise ValueError(f"A tap holds numbers too large for {self.dtype}. Use dtype='float32'.")
        return array.astype(self.dtype)


def check_reading(batch: Any, dtype: Any) -> None:
    """Raise ValueError if the size of a batch or the number format of taps is out of range."""
    check_whole("batch", batch, 1)
    check_one_of("dtype", dtype, _FORMATS)


def folder_for_taps(folder: Any) -> Path:
    """The folder as a path.

    Raises:
        NotADirectoryError: If it is a file.
        TypeError: If it is no path.
    """
    if not isinstance(folder, str | PathLike):
        raise TypeError(f"The folder for taps (cache) must be a path, or None to keep nothing (got {folder!r}).")
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"The folder for taps (cache) {path} is a file. Name a folder; it is made if need be.")
    return path


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"The folder for taps (cache) {folder} cannot be made: {error}. Name another one.") from error


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed have left."""
    for left in folder.glob(f"{_MAKING}*"):
        with suppress(FileNotFoundError):  # whoever was at work on it has finished in the meantime
            if time.time() - left.stat().st_mtime > _OLD:
                shutil.rmtree(left, ignore_errors=True)


def _new_file(path: Path, dtype: str, rows: int, first: Float[np.ndarray, "batch width"]) -> "np.memmap[Any, Any]":
    return open_memmap(path, mode="w+", dtype=dtype, shape=(rows, first.shape[1]))


def _follow(rows: Sequence[int]) -> bool:
    """Whether rising rows are all from the first to the last."""
    return not rows or rows[-1] - rows[0] == len(rows) - 1


def _told(rows: Sequence[int]) -> str:
    return f"{rows[0]} to {rows[-1]}" if rows and _follow(rows) else ", ".join(map(str, rows))


def _chosen(values: Any, rows: Sequence[int]) -> Any:
    """Some samples, in rising order, in the same form."""
    if _follow(rows):
        return part(values, *((rows[0], rows[-1] + 1) if rows else (0, 0)))
    if isinstance(values, Mapping):
        return {name: tensor[rows] for name, tensor in values.items()}
    if isinstance(values, tuple) and tensors_of(values):
        return tuple(tensor[rows] for tensor in values)
    return values[rows] if tensors_of(values) else [values[row] for row in rows]
