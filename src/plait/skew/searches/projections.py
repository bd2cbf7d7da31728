"""A dense layer for every tap in every copy of a network that reads many taps."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.layers import uniform


class TapProjections(nn.Module):
    """P_t h_t + c_t for all taps t in all units: one batched product over the taps.

    Args:
        units: Number of networks, each with layers of its own.
        taps: Number of taps.
        read: Size of a tap.
        width: Size of what comes out.
        generator: Source of the initial weights.
    """

    def __init__(self, units: int, taps: int, read: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(uniform((units, taps, read, width), read, generator))
        self.bias = nn.Parameter(uniform((units, taps, width), read, generator))

    def forward(self, taps: Float[Tensor, "batch tap read"]) -> Float[Tensor, "unit tap batch width"]:
        """Every tap projected in every unit."""
        units, count, read, width = self.weight.shape
        weight = self.weight.permute(1, 2, 0, 3).reshape(count, read, units * width)
        found = torch.bmm(taps.transpose(0, 1), weight).view(count, -1, units, width)
        return found.permute(2, 0, 1, 3) + self.bias[:, :, None]
