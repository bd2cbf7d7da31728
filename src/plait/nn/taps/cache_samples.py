"""Pooled taps sample by sample: none passes an encoder twice, whatever subsets are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from plait.nn.taps.base import LayeredEncoder
from plait.nn.taps.cache import Reading, Taps, check_reading, folder_for_taps
from plait.nn.taps.cache_files import Entry
from plait.nn.taps.digests import digest
from plait.nn.taps.inputs import count, tensors_of
from plait.nn.taps.pooling import check_pooling

_SAMPLES = "samples.txt"
_BATCHES = 64  # of a shard


class SampleCache:
    """Pooled taps of single samples: each passes an encoder once, also where cross-validation asks for other subsets.

    A sample is found by SHA-256 of its tensors with their shapes and number formats, or of its text; a text that was
    made into tokens with another padding is another sample. The samples of a call that were not there before pass the
    encoder in shards of 64 batches, each an entry as those of `TapCache`, with the list of its samples, there as a
    whole or not at all: who is interrupted, or killed, goes on after the last finished shard. Texts in a batch are
    padded to the longest, so that taps differ by the last digits (about 1e-6) with the company in which a sample
    passed.

    Processes may share a folder. Of those that ask for the same new samples at the same time each encodes them.

    Args:
        folder: Where the files are; it is made if need be. None keeps the taps in this object.
        batch: Samples that pass an encoder at a time, at least 1.
        dtype: Number format of the taps: "float32", "float64", or "float16" to halve them.
        verbose: 0 shows no progress bar.

    Attributes:
        passes: Number of samples that this object has sent through encoders.

    Raises:
        NotADirectoryError: If the folder is a file.
        ValueError: If a setting is out of range.
    """

    def __init__(
        self, folder: str | PathLike[str] | None, *, batch: int = 64, dtype: str = "float32", verbose: int = 1
    ) -> None:
        check_reading(batch, dtype)
        self.folder, self.batch, self.dtype, self.verbose = folder, batch, dtype, verbose
        self.passes = 0
        self._shelf: _Shelf = _Memory() if folder is None else _Files(folder_for_taps(folder))

    def taps(self, encoder: LayeredEncoder, values: Any, pool: str, upto: int | None = None) -> Taps:
        """Pooled taps of all samples, in their order; those that are not there yet are made.

        Args:
            encoder: The whole encoder, not a truncated one.
            values: What it reads of at least one sample, as in `LayeredEncoder.read`.
            pool: What `pooled` knows.
            upto: The last tap that is wanted; blocks above it do not run. None is all taps. Taps of the whole encoder
                that are there are used, the other way round they are not.

        Returns:
            One array (sample, width) a tap.

        Raises:
            ValueError: If there is no such pooling, tap or sample, if files are damaged, or if the encoder cannot read
                the values or cannot be cut at that tap.
        """
        check_pooling(pool)
        last = encoder.taps if upto is None else upto
        encoder.check_tap(last)
        samples = sample_fingerprints(values)
        if not samples:
            raise ValueError(f"There are no samples for encoder '{encoder.name}'. Give it at least one.")
        whole = _Kind(encoder.fingerprint(), pool, self.dtype)
        own = whole if last == encoder.taps else whole.upto(last)
        gathering = _Gathering(samples, last)
        for kind in dict.fromkeys((whole, own)):
            for shard in self._shelf.shards(kind):
                gathering.take(shard)
        if gathering.lacking:
            cut = encoder if own is whole else encoder.truncated(last)
            for shard in self._encoded(own, cut, values, dict(gathering.lacking)):
                gathering.take(shard)
        return gathering.taps

    def _encoded(
        self, kind: "_Kind", encoder: LayeredEncoder, values: Any, new: Mapping[str, list[int]]
    ) -> "Iterator[_Shard]":
        """The samples that were not there, each once, shard by shard."""
        rows = [(sample, places[0]) for sample, places in new.items()]
        size = _BATCHES * self.batch
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            samples, at = zip(*part, strict=True)
            done = start + len(part)
            reading = Reading(encoder, kind.pool, self.batch, self.dtype, self.verbose, start, len(rows) - done)
            shard = self._shelf.add(kind, samples, reading, values, list(at))
            self.passes += len(part)
            yield shard


def sample_fingerprints(values: Any) -> list[str]:
    """SHA-256 of every sample, in hexadecimal digits.

    Args:
        values: A tensor, a tuple or a dictionary of tensors, or a list of texts.

    Raises:
        ValueError: If they are something else, or the tensors have different numbers of samples.
    """
    rows = count(values)
    tensors = [tensor.detach().cpu() for tensor in tensors_of(values)]
    if not tensors:
        return [digest(["text", text]) for text in values]
    names = list(values) if isinstance(values, Mapping) else [str(place) for place in range(len(tensors))]
    return [digest(chain(*((name, own[row]) for name, own in zip(names, tensors, strict=True)))) for row in range(rows)]


@dataclass(frozen=True)
class _Kind:
    """What taps were made of, but for the samples.

    Args:
        encoder: Fingerprint of the whole encoder, and the last tap if it was cut.
        pool: Name of the pooling.
        dtype: Number format.
    """

    encoder: str
    pool: str
    dtype: str

    def upto(self, tap: int) -> "_Kind":
        """The taps of the same encoder, cut after one of them."""
        return replace(self, encoder=f"{self.encoder} up to tap {tap}")


@dataclass(frozen=True)
class _Shard:
    """Samples that passed an encoder together, and how to read their taps."""

    samples: tuple[str, ...]
    read: Callable[[], Taps]


class _Gathering:
    """Taps of samples, put together from shards.

    Args:
        samples: Fingerprints in the order of the taps; some may be equal.
        last: The last tap that is wanted.

    Attributes:
        lacking: Places of the samples that were in no shard so far, in the order in which they come first.
        taps: What was found.
    """

    def __init__(self, samples: Sequence[str], last: int) -> None:
        self.count, self.last = len(samples), last
        self.lacking: dict[str, list[int]] = {}
        for place, sample in enumerate(samples):
            self.lacking.setdefault(sample, []).append(place)
        self.taps: Taps = []

    def take(self, shard: _Shard) -> None:
        """Take the taps of samples that are still lacking; a shard that has none of them is not read."""
        held = [(row, at) for row, sample in enumerate(shard.samples) for at in self.lacking.pop(sample, ())]
        if not held:
            return
        rows, places = np.array(held).T
        found = shard.read()[: self.last]
        if not self.taps:
            self.taps = [np.empty((self.count, array.shape[1]), array.dtype) for array in found]
        for tap, array in zip(self.taps, found, strict=True):
            tap[places] = array[rows]


class _Shelf(ABC):
    """Where shards are kept."""

    @abstractmethod
    def shards(self, kind: _Kind) -> Iterator[_Shard]:
        """All shards of a kind."""

    @abstractmethod
    def add(self, kind: _Kind, samples: tuple[str, ...], reading: Reading, values: Any, rows: list[int]) -> _Shard:
        """Read samples, at rising rows of the values, and keep them."""


class _Memory(_Shelf):
    """Shards in this process."""

    def __init__(self) -> None:
        self.kept: dict[_Kind, list[_Shard]] = {}

    def shards(self, kind: _Kind) -> Iterator[_Shard]:
        yield from self.kept.get(kind, ())

    def add(self, kind: _Kind, samples: tuple[str, ...], reading: Reading, values: Any, rows: list[int]) -> _Shard:
        batches = [found for _, found in reading.batches(values, rows)]
        taps = [np.concatenate(tap) for tap in zip(*batches, strict=True)]
        shard = _Shard(samples, partial(list, taps))
        self.kept.setdefault(kind, []).append(shard)
        return shard


class _Files(_Shelf):
    """Shards as entries in a folder, with the list of samples in each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def shards(self, kind: _Kind) -> Iterator[_Shard]:
        group = self._group(kind)
        for path in sorted(group.iterdir()) if group.is_dir() else ():
            if not path.name.startswith("."):
                yield self._shard(kind, path)

    def add(self, kind: _Kind, samples: tuple[str, ...], reading: Reading, values: Any, rows: list[int]) -> _Shard:
        listed = "\n".join(samples)
        entry = self._entry(kind, listed)
        reading.write(entry, values, rows, {_SAMPLES: listed})
        return _Shard(samples, entry.read)

    def _shard(self, kind: _Kind, path: Path) -> _Shard:
        """The shard in a folder.

        Raises:
            ValueError: If it has no list of samples, or not that of which it was made.
        """
        file = path / _SAMPLES
        listed = file.read_bytes().decode("ascii", "replace") if file.is_file() else ""
        entry = self._entry(kind, listed)
        if entry.path != path:
            raise ValueError(
                f"{file} is missing, or lists other samples than those of the taps beside it. Remove the folder "
                f"{path}: its taps are then made again."
            )
        return _Shard(tuple(listed.split("\n")), entry.read)

    def _entry(self, kind: _Kind, listed: str) -> Entry:
        return Entry(self._group(kind), kind.encoder, kind.pool, digest([listed]), kind.dtype)

    def _group(self, kind: _Kind) -> Path:
        """The folder of all shards of a kind."""
        return self.folder / f"samples-{digest([kind.encoder, kind.pool, kind.dtype])}"
