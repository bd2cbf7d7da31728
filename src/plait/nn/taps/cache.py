"""Pooled taps on disk: every sample passes an encoder once, and is read from files ever after."""

import tempfile
from collections.abc import Iterator, Sequence
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
from plait.nn.taps.inputs import count, part
from plait.nn.taps.pooling import POOLINGS, pooled

_FORMATS = ("float16", "float32", "float64")

Taps = list[Float[np.ndarray, "sample _"]]


class TapCache:
    """A folder with the pooled taps of encoders, one file a tap, found by what they were made of.

    A folder inside it is named by SHA-256 of the encoder's fingerprint, the pooling, the data's fingerprint and the
    number format, so taps of other weights are never mixed up. An entry is there as a whole or not at all.

    Args:
        folder: Where the files are; it is made if need be.
        batch: Samples that pass an encoder at a time, at least 1.
        dtype: Number format of the files: "float32", "float64", or "float16" to halve them.
        verbose: 0 shows no progress bar.

    Raises:
        ValueError: If a setting is out of range.
    """

    def __init__(
        self, folder: str | PathLike[str], *, batch: int = 64, dtype: str = "float32", verbose: int = 1
    ) -> None:
        check_whole("batch", batch, 1)
        check_one_of("dtype", dtype, _FORMATS)
        self.folder, self.batch, self.dtype, self.verbose = Path(folder), batch, dtype, verbose

    def taps(self, encoder: LayeredEncoder, values: Any, pool: str, fingerprint_of_data: str) -> Taps:
        """Pooled taps 1 to L of all samples, from the files if they were made before.

        Args:
            encoder: The encoder.
            values: What it reads of at least one sample, as in `LayeredEncoder.read`.
            pool: A name in `POOLINGS`.
            fingerprint_of_data: What tells these samples from all others, for example `data_fingerprint(values)`.

        Returns:
            One array (sample, width) a tap, mapped into memory and read-only.

        Raises:
            ValueError: If there is no such pooling, fingerprint or sample; if an entry is damaged, or holds another
                number of samples; or if the encoder cannot read the values.
        """
        check_one_of("pool", pool, POOLINGS)
        if not fingerprint_of_data:
            raise ValueError("fingerprint_of_data is empty. Give a text that only these samples have.")
        rows = count(values)
        entry = Entry(self.folder, encoder.fingerprint(), pool, fingerprint_of_data, self.dtype)
        if not entry.exists():
            self._make(entry, encoder, values, pool)
        found = entry.read()
        if len(found) != encoder.taps or len(found[0]) != rows:
            raise ValueError(
                f"{entry.path} holds {len(found)} taps of {len(found[0])} samples, but encoder '{encoder.name}' has "
                f"{encoder.taps} taps and there are {rows} samples. Give other data another fingerprint."
            )
        return found

    def _make(self, entry: Entry, encoder: LayeredEncoder, values: Any, pool: str) -> None:
        """Write an entry, tap by tap and batch by batch."""
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = count(values)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".making-") as scratch:
            made = Path(scratch) / "entry"
            made.mkdir()
            files: list[np.memmap[Any, Any]] = []
            for start, found in self._batches(encoder, values, pool):
                for tap, array in enumerate(found):
                    if start == 0:
                        files.append(_new_file(entry.array(made, tap + 1), self.dtype, rows, array))
                    files[tap][start : start + len(array)] = array
            for file in files:
                file.flush()
            entry.finish(made, [file.shape for file in files])

    def _batches(
        self, encoder: LayeredEncoder, values: Any, pool: str
    ) -> Iterator[tuple[int, Sequence[Float[np.ndarray, "batch _"]]]]:
        """The pooled taps of each batch, and the place of its first sample."""
        rows = count(values)
        what = f"taps of {encoder.name}"
        with tqdm(total=rows, desc=what, unit="sample", disable=not self.verbose) as bar:
            for start in range(0, max(rows, 1), self.batch):
                stop = min(start + self.batch, rows)
                try:
                    taps = encoder.read(part(values, start, stop))
                    found = [self._in_format(pooled(tapped, pool).cpu().numpy()) for tapped in taps]
                except ValueError as error:
                    error.add_note(f"The batch holds the samples {start} to {stop - 1}.")
                    raise
                yield start, found
                bar.update(stop - start)

    def _in_format(self, array: Float[np.ndarray, "batch width"]) -> Float[np.ndarray, "batch width"]:
        """The array in the number format of the files.

        Raises:
            ValueError: If it holds a number that is too large for it.
        """
        if np.abs(array).max(initial=0.0) > np.finfo(self.dtype).max:
            raise ValueError(f"A tap holds numbers too large for {self.dtype}. Use dtype='float32'.")
        return array.astype(self.dtype)


def _new_file(path: Path, dtype: str, rows: int, first: Float[np.ndarray, "batch width"]) -> "np.memmap[Any, Any]":
    return open_memmap(path, mode="w+", dtype=dtype, shape=(rows, first.shape[1]))
