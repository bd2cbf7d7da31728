"""Tensor fusion: every product of coordinates of different modalities."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from plait.data.settings import check_encoded, check_whole
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.methods.network import NetworkFusion
from plait.nn.copies import Copies
from plait.nn.encodings import Encodings
from plait.nn.layers import StackedMLP

_WIDEST = 32  # of an encoding, where the width is left to the method
_WISHED, _MOST = 2**12, 2**16  # products a sample


def outer_product(encoded: Float[Tensor, "unit batch modality width"]) -> Float[Tensor, "unit batch product"]:
    """The flattened outer product of [1; z_m] over the modalities, the last of them fastest.

    The entry (i_1, ..., i_M) is the product of the coordinates i_m, where coordinate 0 of each modality is 1.
    """
    first, *rest = pad(encoded, (1, 0), value=1.0).unbind(2)
    for factor in rest:
        first = torch.einsum("ubp,ubw->ubpw", first, factor).flatten(2)
    return first


class TensorNet(Copies):
    """The outer product of all encodings, then a perceptron.

    Args:
        spec: Shapes, outputs and task.
        method: Hyperparameters.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, method: "TensorFusion", generator: torch.Generator) -> None:
        super().__init__(spec)
        width = method.width_for(len(spec.names))
        sizes = ((width + 1) ** len(spec.names), *method.hidden, spec.outputs)
        self.encodings = Encodings(spec, width, method.encoder_hidden, self.units, generator, method.dropout)
        self.head = StackedMLP.initial(torch.arange(self.units), sizes, generator, method.dropout)

    def forward(self, features: Features, present: Present) -> Output:
        output: Tensor = self.head(outer_product(self.encodings(features, present).tanh()))
        return output


@dataclass(repr=False, eq=False)
class TensorFusion(NetworkFusion):
    """One network reads all products of coordinates of different modalities: of one, of two, ... of all of them.

    After Zadeh et al., "Tensor Fusion Network for Multimodal Sentiment Analysis" (2017): the joint representation is
    the outer product of [1; z_m] over the modalities, so that it holds the encodings themselves, the products of two,
    and so on. The encodings pass tanh, which bounds their products (the paper: ReLU). An absent modality is [1; 0]:
    what is left is the tensor of the others. There are (width + 1)^M products of M modalities: for more than three or
    four, `LowRankFusion` is the same idea at a cost that grows linearly.

    Args:
        width: Size of each modality's encoding, at least 1. None: the largest with at most 4096 products, and at most
            32. More than 65536 products are refused.
        encoder_hidden: Widths of the hidden layers of the encoders; () is a linear projection.
        hidden: Widths of the hidden layers of the network on the products; () is linear in them.
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    width: int | None = None
    encoder_hidden: tuple[int, ...] = (128,)
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.2

    def network(self, spec: DataSpec, generator: torch.Generator) -> TensorNet:
        """The copies of the network.

        Raises:
            ValueError: If a hyperparameter is out of its range, or there are too many products.
        """
        check_encoded(self.encoder_hidden, self.hidden, self.dropout)
        return TensorNet(spec, self, generator)

    def width_for(self, modalities: int) -> int:
        """Size of an encoding of so many modalities.

        Raises:
            ValueError: If it is no whole number of at least 1, or makes too many products.
        """
        if self.width is not None:
            check_whole("width", self.width, 1)
        width = _largest(modalities, _WISHED) or 1 if self.width is None else int(self.width)
        if (width + 1) ** modalities > _MOST:
            most = _largest(modalities, _MOST)
            smaller = f"a width of at most {most}, or use LowRankFusion" if most else "LowRankFusion"
            raise ValueError(
                f"TensorFusion multiplies {modalities} modalities into at most {_MOST} products, but width {width} "
                f"makes {width + 1}^{modalities}. Take {smaller}, whose cost grows linearly with the modalities."
            )
        return width


def _largest(modalities: int, products: int) -> int:
    """The largest width, up to 32, with at most so many products; 0 if there is none."""
    return max(width for width in range(_WIDEST + 1) if (width + 1) ** modalities <= products)
