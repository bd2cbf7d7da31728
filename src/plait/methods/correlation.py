"""Correlation fusion: encodings side by side, and a reward for what they have in common."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.batches import Batch
from plait.data.settings import check_encoded, check_real, check_whole
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.methods.network import NetworkFusion
from plait.nn.canonical import pairwise_correlation
from plait.nn.copies import Copies
from plait.nn.criteria import Criterion
from plait.nn.encodings import Encodings, Head


class CorrelationNet(Copies):
    """Encodings side by side, then a head; canonical correlations between the encodings lower the objective.

    Args:
        spec: Shapes, outputs and task.
        method: Hyperparameters.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, method: "CorrelationFusion", generator: torch.Generator) -> None:
        super().__init__(spec)
        self.weight, sizes = method.weight, (method.width * len(spec.names), *method.hidden, spec.outputs)
        self.encodings = Encodings(spec, method.width, method.encoder_hidden, self.units, generator, method.dropout)
        self.head = Head(self.units, sizes, generator, method.dropout)

    def forward(self, features: Features, present: Present) -> Output:
        output: Tensor = self.head(self.encodings(features, present).flatten(2))
        return output

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """Task loss minus the weighted correlation, on the samples that the unit learns from."""
        encoded, taught = self.encodings(batch.features, batch.present), self.taught(batch)
        loss = criterion.loss(self.head(encoded.flatten(2)), batch.target, taught)
        if self.weight == 0:
            return loss
        return loss - self.weight * pairwise_correlation(encoded, self._counted(batch, taught))

    def _counted(self, batch: Batch, taught: Bool[Tensor, "unit batch"] | None) -> Bool[Tensor, "unit batch modality"]:
        """The modalities of the samples that each unit learns from."""
        present = batch.present.expand(self.units, -1, -1)
        return present if taught is None else present & taught[..., None]


@dataclass(repr=False, eq=False)
class CorrelationFusion(NetworkFusion):
    """One network reads all encodings side by side, and the encodings are drawn towards what they have in common.

    Intermediate fusion with a term after Andrew et al., "Deep Canonical Correlation Analysis" (2013): the objective is
    the task loss minus `weight` times the mean over pairs of modalities of the mean *squared* canonical correlation
    between their encodings in the minibatch (their squares have smooth gradients; the paper sums the correlations).
    A pair needs 2 * width + 2 samples of a minibatch that have both modalities, and else adds nothing: leave the
    trainer's batch_size well above that. Encodings of absent modalities are zeros.

    Args:
        weight: What a mean squared correlation of 1 is worth, in units of the task loss, >= 0; 0 is intermediate fusion
            without the term.
        width: Size of each modality's encoding, at least 1.
        encoder_hidden: Widths of the hidden layers of the encoders; () is a linear projection.
        hidden: Widths of the hidden layers of the network on the encodings; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    weight: float = 0.1
    width: int = 16
    encoder_hidden: tuple[int, ...] = (128,)
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.2

    def network(self, spec: DataSpec, generator: torch.Generator) -> CorrelationNet:
        """The copies of the network.

        Raises:
            ValueError: If a hyperparameter is out of its range.
        """
        check_real("weight", self.weight)
        check_whole("width", self.width, 1)
        check_encoded(self.encoder_hidden, self.hidden, self.dropout)
        return CorrelationNet(spec, self, generator)
