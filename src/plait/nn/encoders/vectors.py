"""The encoder of a vector, and of any sample read as one."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from jaxtyping import Float
from torch import Tensor, nn

from plait.data.settings import check_real, check_whole, layer_widths
from plait.nn.encoders.base import TokenEncoder, check_shape


class Perceptron(TokenEncoder):
    """A perceptron that makes one token of the whole sample.

    Args:
        shape: Shape of a sample of any number of axes; it is read flattened.
        width: Size of the token, at least 1.
        hidden: Widths of the hidden layers; () is a linear map.
        dropout: Share of hidden units dropped in training, in [0, 1).

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self, shape: Sequence[int], width: int = 64, hidden: Sequence[int] = (128,), dropout: float = 0.1
    ) -> None:
        check_shape(type(self), shape)
        check_whole("width", width, 1)
        check_real("dropout", dropout, 0.0, 1.0)
        sizes = (prod(shape), *layer_widths("hidden", hidden), width)
        super().__init__(shape, width, 1)
        *inner, last = [nn.Linear(read, out) for read, out in pairwise(sizes)]
        self.layers = nn.Sequential(
            *(part for layer in inner for part in (layer, nn.GELU(), nn.Dropout(dropout))), last
        )

    def encode(self, values: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch 1 width"]:
        token: Tensor = self.layers(values.flatten(1))
        return token[:, None]
