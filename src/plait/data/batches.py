"""Samples as resident tensors: a minibatch is one index into them, never a loop over samples."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from plait.data.shapes import Features, Present
from plait.data.spec import DataSpec

_ROWS = 1024  # samples that pass a frozen part at a time


@dataclass(frozen=True)
class Batch:
    """Samples with their targets.

    Args:
        features: One tensor a modality (or a representation of one), the samples first; zero where absent.
        present: Which modalities (columns, in the order of the spec) each sample has.
        target: What is to be predicted: real values, or one row of class probabilities a sample
            (one-hot for a known class).
        fold: The copy of the model that each sample validates, counted from 0; all other copies train on it.
            -1 is a sample that only trains.
    """

    features: Features
    present: Present
    target: Float[Tensor, "batch out"]
    fold: Int[Tensor, " batch"]

    def __len__(self) -> int:
        return len(self.target)

    def rows(self, index: Int[Tensor, " row"]) -> "Batch":
        """The samples at these positions, in this order."""
        taken = {name: values[index] for name, values in self.features.items()}
        return Batch(taken, self.present[index], self.target[index], self.fold[index])

    def to(self, device: torch.device, dtype: torch.dtype) -> "Batch":
        """The same samples on a device; floating point numbers in the precision asked for."""
        moved = {name: values.to(device, dtype) for name, values in self.features.items()}
        return Batch(moved, self.present.to(device), self.target.to(device, dtype), self.fold.to(device))


@dataclass(frozen=True)
class TrainingData:
    """All that a method learns from: samples, and which of them train and which of them validate.

    With one hold-out set there is one copy of the model: the validation samples are those of fold 0, all others
    (fold -1) train. With K folds there are K copies, and every sample trains all of them but one.

    Args:
        samples: Every sample.
        spec: Shapes, outputs and task.
        groups: Group of each sample, which what is estimated is uncertain about; None: every sample is its own.
    """

    samples: Batch
    spec: DataSpec
    groups: Int[Tensor, " sample"] | None = None

    @property
    def train(self) -> Int[Tensor, " train"]:
        """Positions of the samples that some copy trains on."""
        return torch.nonzero((self.samples.fold != 0) | (self.spec.folds > 1)).flatten()

    @property
    def validation(self) -> Int[Tensor, " validation"]:
        """Positions of the samples that some copy is validated on, and never trained on."""
        return torch.nonzero(self.samples.fold >= 0).flatten()

    def with_features(self, read: Callable[[Features, Present], Features]) -> "TrainingData":
        """The same samples with other features, computed once (for example the outputs of frozen parts)."""
        every = torch.arange(len(self.samples))
        with torch.no_grad():
            parts = [self.samples.rows(rows) for rows in every.split(_ROWS)]  # type: ignore[no-untyped-call]
            found = [read(part.features, part.present) for part in parts]
        features = {name: torch.cat([part[name] for part in found]) for name in found[0]}
        return replace(self, samples=replace(self.samples, features=features))

    def to(self, device: torch.device, dtype: torch.dtype) -> "TrainingData":
        """The same data on a device, floating point numbers in the precision asked for."""
        return replace(self, samples=self.samples.to(device, dtype))
