"""Planted signals that emerge inside real modules, read by way of a cache, and again without one and cut short."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from sklearn.utils import Bunch

from plait.nn.taps import LayeredEncoder, ModuleTaps, TapCache, data_fingerprint
from plait.reproduce.planted_data import Planted
from plait.skew.planted_module import PlantedBlocks


@dataclass(frozen=True)
class ModuleReading:
    """Taps of planted modules from the cache, and how far the other two ways of reading are off.

    Args:
        taps: By modality, one array (sample, width) a tap.
        online: Largest difference of any number to the taps that are read without a cache, in one batch.
        truncated: Largest difference to the planted taps of encoders that end there.
    """

    taps: Mapping[str, list[Float[ndarray, "sample width"]]]
    online: float
    truncated: float

    @classmethod
    def of(cls, bunch: Bunch, seed: int) -> "ModuleReading":
        """Run the modules of `planted_inputs`, every sample once for the cache.

        Args:
            bunch: Inputs and the modules' arguments.
            seed: Seed of the modules' rotations.
        """
        encoders = {
            name: ModuleTaps(PlantedBlocks(**arguments, random_state=seed + place), "layers.*", name=name)
            for place, (name, arguments) in enumerate(bunch.encoders.items())
        }
        inputs = {name: torch.as_tensor(values) for name, values in bunch.inputs.items()}
        taps = {name: _cached(encoder, inputs[name]) for name, encoder in encoders.items()}
        online = [_apart(encoder, inputs[name], taps[name]) for name, encoder in encoders.items()]
        cut = [(name, tap) for first, i, second, j in bunch.planted for name, tap in ((first, i), (second, j))]
        short = [_apart(encoders[name].truncated(tap), inputs[name], taps[name][:tap]) for name, tap in cut]
        return cls(taps, max(online), max(short))

    def planted(self, bunch: Bunch) -> Planted:
        """The data set of these taps."""
        return Planted.of(bunch, self.taps)


def _cached(encoder: LayeredEncoder, values: torch.Tensor) -> list[Float[ndarray, "sample width"]]:
    """Pooled taps from the files of a cache that lives as long as this takes."""
    with tempfile.TemporaryDirectory() as folder:
        cache = TapCache(folder, verbose=0)
        cache.taps(encoder, values, "mean", data_fingerprint(values))
        return [np.array(tap) for tap in cache.taps(encoder, values, "mean", data_fingerprint(values))]


def _apart(encoder: LayeredEncoder, values: torch.Tensor, taps: list[Float[ndarray, "sample width"]]) -> float:
    """Largest difference of the last tap (of all, if none is left out) to what an encoder reads now."""
    read = encoder.read(values)
    return max(float(np.abs(one.values.numpy() - kept).max()) for one, kept in zip(read, taps, strict=True))
