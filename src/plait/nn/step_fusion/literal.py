"""The most literal reading of the method: static matrices for the target and its guides."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.step_fusion.presence import Guides
from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start
from plait.nn.step_fusion.state import State
from plait.nn.step_fusion.step import Move, Step
from plait.nn.step_fusion.transform import Coefficients

_FIRST = 0.1  # of the guides' matrices, by the identity


class LiteralStep(Step):
    """f <- phi(S f + mean of T_b f_b), token by token; phi is GELU after normalisation, or nothing.

    Without phi any number of steps is one linear map of all modalities together: no interaction, for study only.

    Args:
        settings: Options of the block.
        guides: Number of other modalities.
        start: Source of the initial weights.
    """

    def __init__(self, settings: StepSettings, guides: int, start: Start) -> None:
        super().__init__()
        width = settings.width
        self.own = _multiple(width, 1.0, start)
        self.others = nn.ModuleList(
            _multiple(width, _FIRST, start) for _ in range(1 if settings.share_modalities else guides)
        )
        self.phi = nn.Sequential(nn.LayerNorm(width), nn.GELU()) if settings.phi == "gelu" else nn.Identity()

    def forward(self, state: State, target: int, guides: Guides, at: int) -> Move:
        tokens = state.tokens[target]
        shift = self._mean([state.tokens[place] for place in guides.places], guides)
        found: Tensor = self.phi(self.own(tokens) + shift)
        one = tokens.new_ones(len(tokens), tokens.shape[2])
        return Move(found, None, Coefficients(one, None, shift.mean(1), shift.mean(1)), None)

    def _mean(
        self, tokens: list[Float[Tensor, "batch token width"]], guides: Guides
    ) -> Float[Tensor, "batch token width"]:
        """What the guides that are there add; tokens of the others are zero."""
        layers = [self.others[place % len(self.others)] for place in range(len(tokens))]
        total = torch.stack([layer(values) for layer, values in zip(layers, tokens, strict=True)]).sum(0)
        if guides.present is None:
            return total / len(tokens)
        return total / guides.present.sum(1).clamp(min=1).to(total.dtype)[:, None, None]

    def angles(self) -> Float[Tensor, " plane"]:
        weight: Tensor = self.own.weight
        return weight.new_zeros(len(weight) // 2)


def _multiple(width: int, factor: float, start: Start) -> nn.Linear:
    """A dense layer without bias that multiplies by a number at start."""
    layer = start.linear(width, width, bias=False)
    with torch.no_grad():
        layer.weight.copy_(factor * torch.eye(width) + start.parameter(width, width))
    return layer
