"""Global guidance: from what the other modalities say to zoom and displacement of the target."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu

from plait.nn.step_fusion.presence import Guides
from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.shift import shift_law
from plait.nn.step_fusion.starting import Start
from plait.nn.step_fusion.transform import Coefficients


class Summary(nn.Module):
    """The mean of the guides' global features, weighted equally or by the softmax of a learned score.

    Args:
        width: Size of the global features.
        learned: Whether the weights are learned; they start equal.
        start: Source of the initial weights.
    """

    def __init__(self, width: int, start: Start, *, learned: bool) -> None:
        super().__init__()
        self.score = start.parameter(width) if learned else None
        self.null = start.parameter(width)

    def forward(self, pooled: Sequence[Float[Tensor, "batch width"]], guides: Guides) -> Float[Tensor, "batch width"]:
        """One vector a sample; the learned null vector for a sample without guides."""
        found = [pooled[place] for place in guides.places]
        mean = found[0] if len(found) == 1 else self._mean(torch.stack(found, 1), guides)
        return mean if guides.alone is None else torch.where(guides.alone, self.null.to(mean.dtype), mean)

    def _mean(self, found: Float[Tensor, "batch guide width"], guides: Guides) -> Float[Tensor, "batch width"]:
        if self.score is not None:
            scores = found @ self.score
            if guides.present is not None:
                scores = scores.masked_fill(~guides.present & guides.present.any(1, keepdim=True), -float("inf"))
            return (scores.softmax(1)[:, None] @ found)[:, 0]
        if guides.present is None:
            return found.mean(1)
        return found.sum(1) / guides.present.sum(1, keepdim=True).clamp(min=1).to(found.dtype)


class Guidance(nn.Module):
    """Zoom, displacement and approach of a target, from the guides' and the joint global features.

    c = GELU(W_c [g; G] + b_c); s = exp(alpha tanh(W_s c + b_s)); delta = W_d c + b_d. With zoom="linear" both are
    linear, s = 1 + W_s c + b_s: features are then polynomials of the inputs. Heads start at zero: s = 1, delta = 0.

    Args:
        settings: Options of the block.
        guides: Number of other modalities.
        rounds: Number of step embeddings, one of which is added to c; 0 where the weights are of one step alone.
        start: Source of the initial weights.
    """

    def __init__(self, settings: StepSettings, guides: int, rounds: int, start: Start) -> None:
        super().__init__()
        width, context = settings.width, settings.context
        self.law, self.alpha, self.use_global = _ZOOMS[settings.zoom], settings.alpha, settings.use_global
        self.activation = _ACTIVATIONS[settings.zoom]
        self.summary = Summary(width, start, learned=settings.guides == "learned" and guides > 1)
        self.context = start.linear(2 * width if settings.use_global else width, context)
        self.embedding = start.parameter(rounds, context) if rounds else None
        self.zoom = start.head(context, width) if settings.alpha else None
        self.displacement = start.head(context, width)
        self.shift = shift_law(settings, start)

    def forward(
        self,
        pooled: Sequence[Float[Tensor, "batch width"]],
        joint: Float[Tensor, "batch width"],
        guides: Guides,
        at: int,
    ) -> Coefficients:
        """How the target is moved.

        Args:
            pooled: Global features of every modality; that of the target is not read.
            joint: The joint global state.
            guides: Who guides.
            at: Round, counted from 0.
        """
        summary: Tensor = self.summary(pooled, guides)
        context = self.activation(self.context(torch.cat([summary, joint], 1) if self.use_global else summary))
        context = context if self.embedding is None else context + self.embedding[at]
        zoom = torch.ones_like(summary) if self.zoom is None else self.law(self.zoom(context), self.alpha)
        displacement: Tensor = self.displacement(context)
        kept, shift = self.shift(summary, displacement, context, guides.pull)
        return Coefficients(zoom, kept, shift, displacement)


def _telescopic(values: Tensor, alpha: float) -> Tensor:
    """From exp(-alpha) to exp(alpha)."""
    return torch.exp(alpha * torch.tanh(values))


def _linear(values: Tensor, _: float) -> Tensor:
    """Without bounds."""
    return 1 + values


_ZOOMS: dict[str, Callable[[Tensor, float], Tensor]] = {"exp": _telescopic, "linear": _linear}
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"exp": gelu, "linear": nn.Identity()}
