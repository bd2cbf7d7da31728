"""Samples as estimators read them: a modality with a layered encoder becomes the taps of that encoder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from plait.data.checks import Array, listed, plain
from plait.data.modalities import Modalities
from plait.data.texts import holds_texts, refuse_texts
from plait.nn.taps.base import LayeredEncoder
from plait.nn.taps.cache_samples import SampleCache
from plait.nn.taps.failures import NotFiniteError, of_modality

MEAN = "mean"


@dataclass(frozen=True)
class TapReader:
    """Layered encoders of some modalities, and what is kept of them.

    Args:
        encoders: By modality; empty where there are none.
        cache: Where taps are kept.
        pool: How the tokens of every tap become a vector, and all taps stand side by side; None: the last tap alone,
            the mean of its tokens.
    """

    encoders: Mapping[str, LayeredEncoder]
    cache: SampleCache = field(default_factory=lambda: SampleCache(None, verbose=0))
    pool: str | None = None

    def read(
        self,
        modalities: Modalities,
        upto: Mapping[str, int] | None = None,
        widths: Mapping[str, tuple[int, ...]] | None = None,
    ) -> tuple[Modalities, dict[str, tuple[int, ...]]]:
        """The samples with taps in place of what the encoders read, and the widths of the taps by modality.

        Args:
            modalities: Samples as they are.
            upto: The highest tap that is needed, by modality (0: none); blocks above do not run, and what would be
                their taps is NaN. None is all of them.
            widths: Widths of all taps, where they are known from before and not all are read.

        Raises:
            ValueError: If an encoder cannot read its modality, no sample has it, or a modality without an encoder
                holds texts.
        """
        arrays = dict(modalities.items())
        refuse_texts({name: array for name, array in arrays.items() if name not in self.encoders})
        found: dict[str, tuple[int, ...]] = {}
        for name, encoder in self.encoders.items():
            present = modalities.present[:, modalities.names.index(name)]
            new = widths is None or present.any()  # of new samples none may have it
            with of_sample(modalities.ids, arrays):
                last = None if upto is None else upto[name]
                taps = self._taps(name, encoder, arrays[name], present, last) if new else []
            found[name] = tuple(tap.shape[1] for tap in taps) if widths is None else widths[name]
            arrays[name] = _side_by_side(taps, present, sum(found[name]))
        columns = {name: names for name, names in modalities.columns.items() if name not in self.encoders}
        read = Modalities.trusted(arrays, modalities.ids, modalities.present, columns, own_ids=modalities.own_ids)
        return read, found if self.pool else {}

    def _taps(
        self, name: str, encoder: LayeredEncoder, array: Array, present: ndarray, upto: int | None
    ) -> list[Float[ndarray, "sample _"]]:
        """The taps that are kept, of the samples that have the modality."""
        if upto == 0:
            return []
        if not present.any():
            raise ValueError(f"No sample has modality {name!r}, so that its encoder has nothing to read.")
        values = _values(name, array, present)
        with of_modality(name):
            found = self.cache.taps(encoder, values, self.pool or MEAN, upto=upto)
        return list(found) if self.pool else list(found[-1:])


@contextmanager
def of_sample(ids: Sequence[Any] | ndarray, values: Mapping[str, Any]) -> Iterator[None]:
    """Errors of encoders within that are about one sample are said of its id.

    Args:
        ids: Ids of the samples.
        values: What encoders read of them, by modality.

    Raises:
        ValueError: The error, with modality and id where the sample is found again.
    """
    try:
        yield
    except NotFiniteError as error:
        read = values.get(error.modality or "")
        place = None if read is None else error.place(read)
        raise (error if place is None else error.told(plain(ids[place]))) from error


def layered(encoders: Any) -> dict[str, LayeredEncoder]:
    """Those of the user's encoders that have taps."""
    given = encoders if isinstance(encoders, Mapping) else {}
    return {name: one for name, one in given.items() if isinstance(one, LayeredEncoder)}


def marks(encoders: Mapping[str, LayeredEncoder]) -> dict[str, str]:
    """What tells encoders from others, by modality.

    Raises:
        ValueError: If one has no weights.
    """
    found = {}
    for name, encoder in encoders.items():
        with of_modality(name):
            found[name] = encoder.fingerprint()
    return found


def check_unchanged(encoders: Mapping[str, LayeredEncoder], known: Mapping[str, str]) -> None:
    """Raise ValueError if an encoder is not the one of the fit."""
    if set(encoders) != set(known):
        raise ValueError(
            f"The model was fitted with layered encoders for {listed(known) or 'no modality'}, there are some for "
            f"{listed(encoders) or 'none'}."
        )
    for name, mark in marks(encoders).items():
        if mark != known[name]:
            raise ValueError(
                f"The encoder of modality {name!r} has other weights or settings than in fit, so that its taps mean "
                "something else. Give the encoder of the fit, or fit again."
            )


def _values(name: str, array: Array, present: ndarray) -> Any:
    """What an encoder reads of the samples that are there."""
    if holds_texts(array):
        return array[present].tolist()
    values = array[present]
    if np.isnan(values).any():
        row = int(np.flatnonzero(present)[np.isnan(values.reshape(len(values), -1)).any(1)][0])
        raise ValueError(
            f"Modality {name!r} has missing values in row {row}, and its encoder reads values as they are. Impute them "
            "first, or mark the row as absent."
        )
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _side_by_side(taps: list[Float[ndarray, "sample _"]], present: ndarray, width: int) -> Float[ndarray, "row width"]:
    """The taps in the rows of their samples; NaN in all other rows and in the columns of taps that were not read."""
    found = np.full((len(present), width), np.nan, dtype=np.float32)
    if taps:
        read = np.concatenate(taps, axis=1)
        found[present, : read.shape[1]] = read
    return found
