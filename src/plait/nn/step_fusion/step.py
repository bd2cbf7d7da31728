"""One step of one target: zoom, rotate, shift."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.step_fusion.cayley import angles, rotation
from plait.nn.step_fusion.guidance import Guidance
from plait.nn.step_fusion.local import LocalDisplacement
from plait.nn.step_fusion.presence import Guides
from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start
from plait.nn.step_fusion.state import State
from plait.nn.step_fusion.transform import Coefficients, moved, moved_back


@dataclass(frozen=True)
class Move:
    """What a step does to one target.

    Args:
        tokens: Its tokens afterwards; where they are not there they hold anything.
        pooled: Its global features, where they follow from those before; None otherwise.
        by: Zoom and shift.
        local: The displacement of every token; None is none.
    """

    tokens: Float[Tensor, "batch token width"]
    pooled: Float[Tensor, "batch width"] | None
    by: Coefficients
    local: Float[Tensor, "batch token width"] | None


class Step(nn.Module, ABC):
    """How one modality is moved by the others."""

    @abstractmethod
    def forward(self, state: State, target: int, guides: Guides, at: int) -> Move:
        """What comes of the target; the state is left as it is.

        Args:
            state: Where all modalities stand.
            target: The one that is moved.
            guides: The others.
            at: Round, counted from 0.
        """

    @abstractmethod
    def angles(self) -> Float[Tensor, " plane"]:
        """Rotation angles in radians, in falling order, one for each plane; zeros where nothing is rotated."""


class GuidedStep(Step):
    """H <- (1 - beta) R (s * H) + beta (g + delta) + D, or R (s * H) + delta + D with shift="film".

    Args:
        settings: Options of the block.
        guides: Number of other modalities.
        rounds: Number of step embeddings; 0 where the weights are of one step alone.
        start: Source of the initial weights.
    """

    def __init__(self, settings: StepSettings, guides: int, rounds: int, start: Start) -> None:
        super().__init__()
        self.width = settings.width
        self.guidance = Guidance(settings, guides, rounds, start)
        self.rotation = rotation(settings.rotation, settings.width, start)
        self.local = LocalDisplacement(settings, start) if settings.local else None
        self.commutes = settings.pool == "mean" and not settings.local

    def forward(self, state: State, target: int, guides: Guides, at: int) -> Move:
        by: Coefficients = self.guidance(state.pooled, state.joint, guides, at)
        tokens, matrix = state.tokens[target], self.rotation()
        local = (
            None if self.local is None else self.local(tokens, sources(state, guides), guides.readable, guides.alone)
        )
        # the mean of what is moved alike is moved in the same way
        pooled = moved(state.pooled[target][:, None], by, matrix)[:, 0] if self.commutes else None
        return Move(moved(tokens, by, matrix, local), pooled, by, local)

    def back(self, state: State, target: int, guides: Guides, at: int) -> Float[Tensor, "batch token width"]:
        """The target's tokens before the step, from the state after it; only without local displacement."""
        by = self.guidance(state.pooled, state.joint, guides, at)
        return moved_back(state.tokens[target], by, self.rotation())

    def angles(self) -> Float[Tensor, " plane"]:
        matrix = self.rotation()
        return self.guidance.displacement.weight.new_zeros(self.width // 2) if matrix is None else angles(matrix)


def sources(state: State, guides: Guides) -> Float[Tensor, "batch source width"]:
    """The guides' tokens, one modality after the other."""
    first, *rest = (state.tokens[place] for place in guides.places)
    return torch.cat([first, *rest], 1) if rest else first
