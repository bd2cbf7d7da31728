"""The convolutions before a transformer: a coarser grid of places, each described by what is near."""

from collections.abc import Sequence
from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu

_NEAR = 7  # places that the first convolution sees along an axis, at least


class Stem(nn.Module):
    """Two convolutions, each normalised at every place (so samples never influence each other), then GELU.

    The first takes every stride-th place along each axis with overlap, at half the width; the second relates
    neighbours. A grid of n places along an axis becomes one of ceil(n / stride). Kernels shrink on short axes.

    Args:
        channels: Values at a place of the input.
        grid: Places of the input along its two axes; a series is one row.
        width: Values at a place of the output, at least 2.
        stride: Places of the input from one of the output to the next, at least 1.
        around: Places of the output that the second convolution sees along an axis; odd.

    Attributes:
        grid: Places of the output along both axes.
    """

    def __init__(self, channels: int, grid: Sequence[int], width: int, stride: int, around: int) -> None:
        super().__init__()
        hidden = max(2, ceil(width / 2))
        self.grid = tuple(ceil(size / stride) for size in grid)
        self.first = _convolution(channels, hidden, grid, max(_NEAR, 2 * stride - 1), stride)
        self.second = _convolution(hidden, width, self.grid, around, 1)
        self.norms = nn.ModuleList([nn.LayerNorm(hidden), nn.LayerNorm(width)])

    def forward(self, values: Float[Tensor, "batch channel row column"]) -> Float[Tensor, "batch place width"]:
        """The places of the coarser grid, row by row."""
        for convolution, norm in zip((self.first, self.second), self.norms, strict=True):
            # The values of a place lie side by side in memory, as the normalisation and the next convolution want it.
            values = convolution(values.contiguous(memory_format=torch.channels_last))
            values = gelu(norm(values.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return values.flatten(2).mT


def _convolution(read: int, out: int, grid: Sequence[int], kernel: int, stride: int) -> nn.Conv2d:
    """A convolution that gives ceil(size / stride) places along an axis, with an odd kernel that fits in the grid."""
    reach = tuple(min(kernel // 2, size - 1) for size in grid)
    sides, steps = tuple(2 * far + 1 for far in reach), tuple(min(stride, size) for size in grid)
    return nn.Conv2d(read, out, (sides[0], sides[1]), (steps[0], steps[1]), (reach[0], reach[1]))
