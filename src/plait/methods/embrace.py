"""EmbraceNet: every coordinate of the joint representation is taken from one modality, drawn by lot."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from plait.data.settings import check_encoded, check_real, check_whole
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.methods.network import NetworkFusion
from plait.nn.copies import Copies
from plait.nn.encodings import Encodings, Head


def drawn_modalities(present: Present, width: int) -> Int[Tensor, "batch width"]:
    """For every coordinate one of the sample's modalities, all equally likely; any where it has none."""
    lots = present | ~present.any(1, keepdim=True)
    return torch.multinomial(lots.float(), width, replacement=True)


def some_dropped(present: Present, share: float) -> Present:
    """In a share of the samples, keep some of the modalities: at least one, and not all where there are two or more.

    How many are kept is uniform, and so is the choice of those.
    """
    count = present.sum(1, keepdim=True)
    struck = torch.rand_like(count, dtype=torch.float) < share
    kept = 1 + (torch.rand_like(count, dtype=torch.float) * (count - 1)).long()
    lots = torch.rand(present.shape, device=present.device).masked_fill(~present, 2.0)
    place = lots.argsort(1).argsort(1)
    return present & (~struck | (place < kept))


class EmbraceNet(Copies):
    """Encodings embraced into one, then a head.

    Args:
        spec: Shapes, outputs and task.
        method: Hyperparameters.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, method: "EmbraceFusion", generator: torch.Generator) -> None:
        super().__init__(spec)
        width, self.drop_modality = method.width, method.drop_modality
        self.encodings = Encodings(spec, width, method.encoder_hidden, self.units, generator, method.dropout)
        self.head = Head(self.units, (width, *method.hidden, spec.outputs), generator, method.dropout)

    def embrace(
        self, encoded: Float[Tensor, "unit batch modality width"], present: Present
    ) -> Float[Tensor, "unit batch width"]:
        """In training coordinates drawn from the modalities present, the same draw for all copies; else their mean."""
        if not self.training:
            weights = present / present.sum(1, keepdim=True).clamp(min=1)
            return torch.einsum("ubmw,bm->ubw", encoded, weights.to(encoded.dtype))
        if self.drop_modality > 0:
            present = some_dropped(present, self.drop_modality)
        drawn = drawn_modalities(present, encoded.shape[3])[None, :, None]
        return encoded.gather(2, drawn.expand(len(encoded), -1, -1, -1)).squeeze(2)

    def forward(self, features: Features, present: Present) -> Output:
        output: Tensor = self.head(self.embrace(self.encodings(features, present).relu(), present))
        return output


@dataclass(repr=False, eq=False)
class EmbraceFusion(NetworkFusion):
    """All encodings have one width, and every coordinate of the joint one is taken from one modality, drawn by lot.

    After Choi and Lee, "EmbraceNet: A robust deep learning architecture for multimodal classification" (2019): in
    training each coordinate comes from one of the modalities that the sample has, all equally likely, so that the
    network learns to do without any of them. At prediction it is the mean of them, the expectation of the draw; the
    paper draws there too, but then a prediction would change from call to call.

    Args:
        width: Size of each modality's encoding and of the joint one, at least 1.
        encoder_hidden: Widths of the hidden layers of the encoders; () is a linear projection.
        hidden: Widths of the hidden layers of the network on the joint encoding; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
        drop_modality: Share of training samples that lose some of their modalities, drawn anew at every step, in
            [0, 1]; how many stay is uniform from one to all but one. 0 leaves them whole.
    """

    width: int = 64
    encoder_hidden: tuple[int, ...] = (128,)
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.2
    drop_modality: float = 0.0

    def network(self, spec: DataSpec, generator: torch.Generator) -> EmbraceNet:
        """The copies of the network.

        Raises:
            ValueError: If a hyperparameter is out of its range.
        """
        check_whole("width", self.width, 1)
        if self.drop_modality != 1:
            check_real("drop_modality", self.drop_modality, 0.0, 1.0)
        check_encoded(self.encoder_hidden, self.hidden, self.dropout)
        return EmbraceNet(spec, self, generator)
