"""Samples as resident tensors: a minibatch is one index into them, never a loop over samples."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from plait.data.shapes import Features, Present
from plait.data.spec import DataSpec


@dataclass(frozen=True)
class Batch:
    """Samples with their targets.

    Args:
        features: One tensor a modality (or a representation of one), the samples first; zero where absent.
        present: Which modalities (columns, in the order of the spec) each sample has.
        target: What is to be predicted: real values, or one row of class probabilities a sample
            (one-hot for a known class).
    """

    features: Features
    present: Present
    target: Float[Tensor, "batch out"]

    def __len__(self) -> int:
        return len(self.target)

    def rows(self, index: Int[Tensor, " row"]) -> "Batch":
        """The samples at these positions, in this order."""
        taken = {name: values[index] for name, values in self.features.items()}
        return Batch(taken, self.present[index], self.target[index])

    def to(self, device: torch.device, dtype: torch.dtype) -> "Batch":
        """The same samples on a device; floating point numbers in the precision asked for."""
        moved = {name: values.to(device, dtype) for name, values in self.features.items()}
        return Batch(moved, self.present.to(device), self.target.to(device, dtype))


@dataclass(frozen=True)
class TrainingData:
    """All that a method learns from: samples, and which of them train and which of them validate.

    Args:
        samples: Every sample, training and validation.
        train: Positions of the training samples.
        validation: Positions of the validation samples (early stopping and selection); never trained on.
        spec: Shapes, outputs and task.
    """

    samples: Batch
    train: Int[Tensor, " train"]
    validation: Int[Tensor, " validation"]
    spec: DataSpec

    def with_features(self, read: Callable[[Features, Present], Features]) -> "TrainingData":
        """The same samples with other features, computed once (for example the outputs of frozen parts)."""
        with torch.no_grad():
            features = read(self.samples.features, self.samples.present)
        return replace(self, samples=replace(self.samples, features=features))

    def to(self, device: torch.device, dtype: torch.dtype) -> "TrainingData":
        """The same data on a device, floating point numbers in the precision asked for."""
        places = (self.train.to(device), self.validation.to(device))
        return TrainingData(self.samples.to(device, dtype), *places, self.spec)
