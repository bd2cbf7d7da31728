"""One representation of all modalities, after the steps."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.step_fusion.presence import Presence
from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start
from plait.nn.step_fusion.state import State


class Joint(nn.Module, ABC):
    """From where the modalities stand to the joint representation z."""

    @abstractmethod
    def forward(self, state: State, presence: Presence) -> Float[Tensor, "batch *token width"]:
        """The joint representation of each sample."""


class JointConcat(Joint):
    """LN(W [g_1; ...; g_M; G] + b); an absent modality contributes zeros.

    Args:
        width: Common width.
        modalities: Number of modalities.
        start: Source of the initial weights.
        with_global: Whether the joint global state is read too.
    """

    def __init__(self, width: int, modalities: int, start: Start, *, with_global: bool) -> None:
        super().__init__()
        self.with_global = with_global
        self.linear = start.linear((modalities + with_global) * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, state: State, presence: Presence) -> Float[Tensor, "batch *token width"]:
        parts = [*state.pooled, state.joint] if self.with_global else state.pooled
        found: Tensor = self.norm(self.linear(torch.cat(parts, 1)))
        return found


class JointMean(Joint):
    """LN(half the mean of the modalities that are there and half the joint global state): all modalities alike.

    Args:
        width: Common width.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, state: State, presence: Presence) -> Float[Tensor, "batch *token width"]:
        found: Tensor = self.norm((presence.mean(state.pooled) + state.joint) / 2)
        return found


class JointTokens(Joint):
    """The tokens of all modalities, one modality after the other."""

    def forward(self, state: State, presence: Presence) -> Float[Tensor, "batch *token width"]:
        return torch.cat(state.tokens, 1)


def joint(settings: StepSettings, modalities: int, start: Start) -> Joint:
    """The joint map of a block: "concat", "mean" or "tokens"."""
    makers: dict[str, Callable[[], Joint]] = {
        "concat": lambda: JointConcat(settings.width, modalities, start, with_global=settings.variant == "guided"),
        "mean": lambda: JointMean(settings.width),
        "tokens": JointTokens,
    }
    return makers[settings.joint]()
