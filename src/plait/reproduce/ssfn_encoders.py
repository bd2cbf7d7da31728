"""Encoders with six taps each: small networks trained on the spot and then frozen, and a pretrained one of texts."""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pooch
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import nn

from plait.data.batches import Batch, TrainingData
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.nn.fresh import fresh
from plait.nn.module import FusionModule
from plait.nn.taps import LayeredEncoder, MiniLM, ModuleTaps, TapCache, data_fingerprint
from plait.reproduce.ssfn_tasks import Effort, Part, Reading
from plait.training.trainer import Trainer

_ONLY = "values"
Taps = list[Float[ndarray, "sample _"]]


class _Alone(FusionModule):
    """A network that reads one modality, as the trainer takes it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, features: Features, present: Present) -> Output:
        found: Output = self.net(features[_ONLY])
        return found


def trained_on_the_spot(
    build: Callable[[int], nn.Module], reading: Reading, part: Part, seed: int, effort: Effort
) -> LayeredEncoder:
    """A network fitted to the target from one modality, on the training rows, and its blocks as taps.

    Training ends early by the validation rows, and keeps the weights that were best on them.

    Args:
        build: Makes the network for a number of classes; it has `blocks`.
        reading: Samples, as a tensor.
        part: Target and rows.
        seed: Seed of weights and order.
        effort: How long.
    """
    generator = torch.Generator().manual_seed(seed)
    module = _Alone(fresh(partial(build, part.classes), generator))
    trainer = Trainer(effort.epochs, 32, 2e-3, patience=5, device="cpu", threads=effort.threads)
    trainer.run(module, training_data({_ONLY: reading.values}, part), seed)
    return ModuleTaps(module.net, "blocks.*")


def training_data(features: Features, part: Part) -> TrainingData:
    """Training rows that train, validation rows that validate; test rows are not there.

    Args:
        features: All samples.
        part: Target and rows.
    """
    rows = torch.from_numpy(np.concatenate([part.train, part.validation]))
    chosen = {name: values[rows] for name, values in features.items()}
    target = torch.eye(part.classes)[torch.from_numpy(part.target)[rows]]
    fold = torch.where(torch.arange(len(rows)) < len(part.train), -1, 0)
    shapes = {name: tuple(values.shape[1:]) for name, values in chosen.items()}
    samples = Batch(chosen, torch.ones(len(rows), len(shapes), dtype=torch.bool), target, fold)
    return TrainingData(samples, DataSpec(shapes, part.classes, "classification"))


@dataclass(frozen=True)
class Pretrained:
    """The pretrained encoder of texts, one and the same for all that is read; nothing is trained.

    Args:
        longest: Tokens of a text, at most.
    """

    longest: int

    @cached_property
    def encoder(self) -> LayeredEncoder:
        """The encoder, loaded when it is first read."""
        return MiniLM(longest=self.longest)

    def __call__(self, reading: Reading, part: Part, seed: int, effort: Effort) -> LayeredEncoder:
        """The encoder, as `Reading` asks for it."""
        return self.encoder

    def reading(self, texts: Iterable[str]) -> Reading:
        """A modality of texts that this encoder reads, and whose taps are worth keeping."""
        return Reading(list(texts), self, kept=True)


def taps_of(reading: Reading, part: Part, seed: int, effort: Effort) -> Taps:
    """All taps of all samples, each the mean of its tokens.

    Args:
        reading: The modality.
        part: Target and rows, for an encoder that is trained.
        seed: Its seed.
        effort: How long it may be trained.
    """
    encoder = reading.encoder(reading, part, seed, effort)
    if reading.kept:
        return _read(encoder, reading, Path(pooch.os_cache("plait")) / "taps")
    with tempfile.TemporaryDirectory() as folder:
        return _read(encoder, reading, Path(folder))


def _read(encoder: LayeredEncoder, reading: Reading, folder: Path) -> Taps:
    """Texts pass by length, so that little is padding."""
    values = reading.values
    rows = np.argsort([len(text) for text in values], kind="stable") if isinstance(values, list) else None
    ordered = values if rows is None else [values[row] for row in rows]
    found = TapCache(folder, verbose=0).taps(encoder, ordered, "mean", data_fingerprint(ordered))
    places = slice(None) if rows is None else np.argsort(rows)
    return [np.array(tap[places]) for tap in found]
