"""Gated fusion: a weight for every modality, sample by sample."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from plait.data.settings import check_encoded, check_whole
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.methods.network import NetworkFusion
from plait.nn.copies import Copies
from plait.nn.encodings import Encodings, Head, stacked_linear


class GatedNet(Copies):
    """Encodings, averaged by gates that read all of them, then a head.

    Args:
        spec: Shapes, outputs and task.
        method: Hyperparameters.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, method: "GatedFusion", generator: torch.Generator) -> None:
        super().__init__(spec)
        width, count = method.width, len(spec.names)
        self.encodings = Encodings(spec, width, method.encoder_hidden, self.units, generator, method.dropout)
        self.gate = stacked_linear(self.units, width * count, width * count, generator)
        self.head = Head(self.units, (width, *method.hidden, spec.outputs), generator, method.dropout)

    def gates(
        self, encoded: Float[Tensor, "unit batch modality width"], present: Present
    ) -> Float[Tensor, "unit batch modality width"]:
        """Weights of the modalities that are present, for every coordinate; they sum to 1 (to 0 if none is there)."""
        scores: Tensor = self.gate(encoded.flatten(2)).unflatten(2, encoded.shape[2:])
        here = present[None, :, :, None]
        return scores.where(here, torch.finfo(scores.dtype).min).softmax(2) * here

    def forward(self, features: Features, present: Present) -> Output:
        encoded = self.encodings(features, present).tanh()
        output: Tensor = self.head((self.gates(encoded, present) * encoded).sum(2))
        return output


@dataclass(repr=False, eq=False)
class GatedFusion(NetworkFusion):
    """Every modality is encoded, and gates that see all encodings decide, sample by sample, how much of each is read.

    After Arevalo et al., "Gated Multimodal Units for Information Fusion" (2017), for any number of modalities: their
    gates, which for two modalities are z and 1 - z, are a softmax over the modalities, for every coordinate. The gates
    of absent modalities are 0, those of the others sum to 1. With one modality there is nothing to weigh: the method
    is its encoder and head.

    Args:
        width: Size of each modality's encoding, at least 1.
        encoder_hidden: Widths of the hidden layers of the encoders; () is a linear projection.
        hidden: Widths of the hidden layers of the network on the gated sum; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    width: int = 64
    encoder_hidden: tuple[int, ...] = (128,)
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.2

    def network(self, spec: DataSpec, generator: torch.Generator) -> GatedNet:
        """The copies of the network.

        Raises:
            ValueError: If a hyperparameter is out of its range.
        """
        check_whole("width", self.width, 1)
        check_encoded(self.encoder_hidden, self.hidden, self.dropout)
        return GatedNet(spec, self, generator)
