"""Learned positions of tokens on a grid: what attention knows of where a token comes from."""

from collections.abc import Sequence
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor, nn

_SPREAD = 0.02  # standard deviation at the start, as in Dosovitskiy et al. (2021)


class Positions(nn.Module):
    """A learned vector for each place along each axis of a grid; a token's position is their sum.

    Args:
        grid: Number of places along each axis: (time,) or (rows, columns).
        width: Size of a token.
    """

    def __init__(self, grid: Sequence[int], width: int) -> None:
        super().__init__()
        self.grid = tuple(grid)
        self.along = nn.ParameterList(nn.Parameter(_SPREAD * torch.randn(size, width)) for size in grid)

    def forward(self, tokens: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The tokens with their positions added."""
        each: list[Tensor] = [table.view(*self._along(axis), -1) for axis, table in enumerate(self.along)]
        return tokens + reduce(torch.add, each).flatten(0, -2)

    def _along(self, axis: int) -> list[int]:
        """The grid's shape with all axes but one of size 1."""
        return [size if place == axis else 1 for place, size in enumerate(self.grid)]
