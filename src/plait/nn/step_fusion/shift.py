"""Two laws of the global displacement: towards the guides, or a free one."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start


class Shift(nn.Module, ABC):
    """What is kept of the zoomed and rotated target, and what is added to it."""

    @abstractmethod
    def forward(
        self,
        summary: Float[Tensor, "batch width"],
        displacement: Float[Tensor, "batch width"],
        context: Float[Tensor, "batch context"],
        pull: Float[Tensor, "batch 1"] | float,
    ) -> tuple[Float[Tensor, "rows features"] | None, Float[Tensor, "batch width"]]:
        """The factor of what is kept (None is 1), and the shift.

        Args:
            summary: The guides' mean.
            displacement: The learned offset.
            context: What the guides say.
            pull: Factor of beta, 0 for samples without guides.
        """


class Film(Shift):
    """All is kept, and the displacement is added."""

    def forward(
        self,
        summary: Float[Tensor, "batch width"],
        displacement: Float[Tensor, "batch width"],
        context: Float[Tensor, "batch context"],
        pull: Float[Tensor, "batch 1"] | float,
    ) -> tuple[Float[Tensor, "rows features"] | None, Float[Tensor, "batch width"]]:
        return None, displacement


class Toward(Shift):
    """1 - beta is kept, and beta (summary + displacement) added: the target approaches a point near its guides.

    Args:
        logits: Number of learned logits of beta: 1, or one a feature.
        first: Their start; beta = sigmoid(logit).
        context: Size of the context that beta depends on as well; 0 is a beta of its own, alike for all samples.
        start: Source of the initial weights.
    """

    def __init__(self, logits: int, first: float, context: int, start: Start) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.full((1, logits), float(first)))
        self.by_context = start.parameter(context, 1) if context else None

    def forward(
        self,
        summary: Float[Tensor, "batch width"],
        displacement: Float[Tensor, "batch width"],
        context: Float[Tensor, "batch context"],
        pull: Float[Tensor, "batch 1"] | float,
    ) -> tuple[Float[Tensor, "rows features"] | None, Float[Tensor, "batch width"]]:
        logit = self.logit if self.by_context is None else self.logit + context @ self.by_context
        beta = logit.sigmoid() * pull
        return 1 - beta, beta * (summary + displacement)


def shift_law(settings: StepSettings, start: Start) -> Shift:
    """The shift of a step, as the options say."""
    if settings.shift == "film":
        return Film()
    logits = settings.width if settings.beta == "feature" else 1
    return Toward(logits, settings.beta_init, settings.context if settings.beta == "context" else 0, start)
