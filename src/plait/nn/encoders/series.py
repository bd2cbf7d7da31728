"""Encoders of a series (time, channel): patches under a transformer, or a convolution before one."""

from collections.abc import Sequence
from math import ceil

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from plait.data.settings import check_whole
from plait.nn.encoders.base import TokenEncoder, check_network, check_shape
from plait.nn.encoders.positions import Positions
from plait.nn.encoders.stem import Stem
from plait.nn.encoders.transformer import Transformer

_AROUND = 5  # tokens that the second convolution sees


class SeriesPatches(TokenEncoder):
    """Overlapping patches of a series, all channels in one, under a transformer (after Nie et al., 2023).

    The last step is repeated `stride` times at the end, so a series of T steps has (T - patch) // stride + 2 tokens. A
    series shorter than a patch is a patch itself, and the stride shrinks in proportion.

    Args:
        shape: (time, channel).
        width: Size of a token, at least 2, a multiple of `heads` if there are layers.
        patch: Steps of a patch, at least 1.
        stride: Steps between the starts of patches, from 1 to `patch`.
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
        patch: int = 16,
        stride: int = 8,
        layers: int = 2,
        heads: int = 4,
        dropout: float = 0.1,
    ) -> None:
        check_shape(type(self), shape, "time", "channel")
        check_network(width, layers, heads, dropout)
        check_whole("stride", stride, 1)
        check_whole("patch", patch, stride)
        fitting = min(patch, shape[0])
        step = ceil(stride * fitting / patch)
        super().__init__(shape, width, (shape[0] - fitting) // step + 2)
        self.patch, self.stride = fitting, step
        self.embed = nn.Linear(fitting * shape[1], width)
        self.positions = Positions((self.tokens,), width)
        self.transformer = Transformer(width, layers, heads, dropout)

    def encode(self, values: Float[Tensor, "batch time channel"]) -> Float[Tensor, "batch token width"]:
        longer = pad(values.mT, (0, self.stride), mode="replicate")
        patches = longer.unfold(2, self.patch, self.stride).transpose(1, 2).flatten(2)
        tokens: Tensor = self.transformer(self.positions(self.embed(patches)))
        return tokens


class SeriesConvolution(TokenEncoder):
    """Two convolutions that shorten a series, then transformer layers on what they give.

    A series of T steps has ceil(T / stride) tokens.

    Args:
        shape: (time, channel).
        width: Size of a token, at least 2, a multiple of `heads` if there are layers.
        stride: Steps from a token to the next, at least 1.
        layers: Transformer layers, at least 0; 0 is the convolutions alone.
        heads: Attention heads.
        dropout: Share of units dropped in the transformer in training, in [0, 1).

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        shape: Sequence[int],
        width: int = 64,
        stride: int = 4,
        layers: int = 1,
        heads: int = 4,
        dropout: float = 0.1,
    ) -> None:
        check_shape(type(self), shape, "time", "channel")
        check_network(width, layers, heads, dropout)
        check_whole("stride", stride, 1)
        super().__init__(shape, width, ceil(shape[0] / stride))
        self.stem = Stem(shape[1], (1, shape[0]), width, stride, _AROUND)
        self.positions = Positions((self.tokens,), width)
        self.transformer = Transformer(width, layers, heads, dropout)

    def encode(self, values: Float[Tensor, "batch time channel"]) -> Float[Tensor, "batch token width"]:
        tokens: Tensor = self.transformer(self.positions(self.stem(values.mT[:, :, None])))
        return tokens
