"""Encoders of an image (channel, height, width): patches under a transformer, or a convolution."""

from collections.abc import Sequence
from math import ceil, prod

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from plait.data.settings import check_whole
from plait.nn.encoders.base import TokenEncoder, check_network, check_shape
from plait.nn.encoders.positions import Positions
from plait.nn.encoders.stem import Stem
from plait.nn.encoders.transformer import Transformer

_AXES = ("channel", "height", "width")
_STRIDE = 4  # pixels from a token of a convolution to the next
_AROUND = 3  # tokens that its second convolution sees, along a side


class ImagePatches(TokenEncoder):
    """Square patches of an image under a transformer (after Dosovitskiy et al., 2021); zeros fill the last ones up.

    Args:
        shape: (channel, height, width).
        width: Size of a token, at least 2, a multiple of `heads` if there are layers.
        patch: Pixels of a side of a patch, at least 1; a patch is never larger than the longer side of the image.
        layers: Transformer layers, at least 0; 0 is a linear map of every patch.
        heads: Attention heads.
        dropout: Share of units dropped in training, in [0, 1).

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        shape: Sequence[int],
        width: int = 64,
        patch: int = 6,
        layers: int = 1,
        heads: int = 4,
        dropout: float = 0.1,
    ) -> None:
        check_shape(type(self), shape, *_AXES)
        check_network(width, layers, heads, dropout)
        check_whole("patch", patch, 1)
        side = min(patch, max(shape[1:]))
        grid = tuple(ceil(size / side) for size in shape[1:])
        super().__init__(shape, width, prod(grid))
        self.patch, self.grid = side, grid
        self.embed = nn.Linear(shape[0] * side**2, width)
        self.positions = Positions(grid, width)
        self.transformer = Transformer(width, layers, heads, dropout)

    def encode(self, values: Float[Tensor, "batch channel row column"]) -> Float[Tensor, "batch token width"]:
        (rows, columns), side = self.grid, self.patch
        whole = pad(values, (0, columns * side - self.shape[2], 0, rows * side - self.shape[1]))
        cut = whole.reshape(*whole.shape[:2], rows, side, columns, side)
        patches = cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
        tokens: Tensor = self.transformer(self.positions(self.embed(patches)))
        return tokens


class ImageConvolution(TokenEncoder):
    """Two convolutions that make an image four times smaller along each side; what they give are the tokens.

    Args:
        shape: (channel, height, width).
        width: Size of a token, at least 2, a multiple of `heads` if there are layers.
        layers: Transformer layers on the tokens, at least 0; 0 is the convolutions alone.
        heads: Attention heads.
        dropout: Share of units dropped in the transformer in training, in [0, 1).

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self, shape: Sequence[int], width: int = 64, layers: int = 0, heads: int = 4, dropout: float = 0.1
    ) -> None:
        check_shape(type(self), shape, *_AXES)
        check_network(width, layers, heads, dropout)
        grid = tuple(ceil(size / _STRIDE) for size in shape[1:])
        super().__init__(shape, width, prod(grid))
        self.stem = Stem(shape[0], shape[1:], width, _STRIDE, _AROUND)
        self.positions = Positions(grid, width)
        self.transformer = Transformer(width, layers, heads, dropout)

    def encode(self, values: Float[Tensor, "batch channel row column"]) -> Float[Tensor, "batch token width"]:
        tokens: Tensor = self.transformer(self.positions(self.stem(values)))
        return tokens
