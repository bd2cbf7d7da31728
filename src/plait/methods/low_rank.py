"""Low-rank fusion: a product of the modalities, summed over a few terms."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.settings import check_encoded, check_whole
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.methods.network import NetworkFusion
from plait.nn.copies import Copies
from plait.nn.encodings import Encodings, Head


class LowRankProduct(nn.Module):
    """h = sum_r prod_m W_m^r [1; z_m], a layer on the outer product of [1; z_m] with weights of low rank.

    At the start the constant part of every factor is +1 or -1 at random, and what it adds for encodings of unit
    variance has variance 1/M for M modalities, all of it times rank^(-1/2M). Then every coordinate of h has mean 0 and
    mean square (1 + 1/M)^M, between 2 and e, whatever the rank and the number of modalities.

    Args:
        units: Number of independent copies.
        modalities: Number of modalities, M.
        width: Size of an encoding.
        out: Size of h.
        rank: Number of terms.
        generator: Source of the initial weights.
    """

    def __init__(
        self, units: int, modalities: int, width: int, out: int, rank: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.rank, scale = rank, rank ** (-0.5 / modalities)
        signs = torch.randint(2, (units, modalities, rank * out), generator=generator) * 2 - 1
        weight = torch.randn((units, modalities, width, rank * out), generator=generator)
        self.bias = nn.Parameter(signs * scale)
        self.weight = nn.Parameter(weight * scale / (width * modalities) ** 0.5)

    def forward(self, encoded: Float[Tensor, "unit batch modality width"]) -> Float[Tensor, "unit batch out"]:
        """The sum of products; a modality whose encoding is zero leaves its constant part as its factor."""
        factors = torch.einsum("ubmw,umwf->ubmf", encoded, self.weight) + self.bias[:, None]
        terms: Tensor = factors.prod(2)
        return terms.reshape(*terms.shape[:2], self.rank, -1).sum(2)


class LowRankNet(Copies):
    """A low-rank product of all encodings, then a head.

    Args:
        spec: Shapes, outputs and task.
        method: Hyperparameters.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, method: "LowRankFusion", generator: torch.Generator) -> None:
        super().__init__(spec)
        width, count = method.width, len(spec.names)
        self.encodings = Encodings(spec, width, method.encoder_hidden, self.units, generator, method.dropout)
        self.product = LowRankProduct(self.units, count, width, width, method.rank, generator)
        self.head = Head(self.units, (width, *method.hidden, spec.outputs), generator, method.dropout)

    def forward(self, features: Features, present: Present) -> Output:
        output: Tensor = self.head(self.product(self.encodings(features, present).tanh()))
        return output


@dataclass(repr=False, eq=False)
class LowRankFusion(NetworkFusion):
    """Encodings of all modalities are multiplied, coordinate by coordinate, in a few ways that are summed.

    After Liu et al., "Efficient Low-rank Multimodal Fusion with Modality-Specific Factors" (2018): the first layer on
    the outer product that `TensorFusion` makes, with weights of low rank, so that the product itself is never made and
    the cost grows linearly with the number of modalities. The encodings pass tanh, which bounds their products (the
    paper: ReLU), and a head reads the result. An absent modality multiplies by a learned constant.

    Args:
        rank: Number of products that are summed, at least 1.
        width: Size of each modality's encoding and of their product, at least 1.
        encoder_hidden: Widths of the hidden layers of the encoders; () is a linear projection.
        hidden: Widths of the hidden layers of the network on the product; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    rank: int = 4
    width: int = 64
    encoder_hidden: tuple[int, ...] = (128,)
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.2

    def network(self, spec: DataSpec, generator: torch.Generator) -> LowRankNet:
        """The copies of the network.

        Raises:
            ValueError: If a hyperparameter is out of its range.
        """
        check_whole("rank", self.rank, 1)
        check_whole("width", self.width, 1)
        check_encoded(self.encoder_hidden, self.hidden, self.dropout)
        return LowRankNet(spec, self, generator)
