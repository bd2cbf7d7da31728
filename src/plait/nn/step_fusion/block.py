"""The step block: several modalities, moved towards each other step by step, and joined."""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.data.settings import check_whole
from plait.nn.step_fusion.alignment_losses import alignment_loss
from plait.nn.step_fusion.course import Course
from plait.nn.step_fusion.diary import Diary
from plait.nn.step_fusion.inputs import Named, Valid, read
from plait.nn.step_fusion.joint import joint as joint_of
from plait.nn.step_fusion.output import StepFusionOutput
from plait.nn.step_fusion.presence import Presence
from plait.nn.step_fusion.projection import Projection
from plait.nn.step_fusion.schedule import planned
from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start
from plait.nn.step_fusion.state import State


class StepFusionBlock(nn.Module):
    """Step fusion: modalities are zoomed, rotated and shifted in turns, each guided by the others.

    After Xu et al., "Step fusion: local and global mutual guidance" (2023); a reconstruction. Of the paper's method
    only the abstract and secondary descriptions could be read: one modality's features are scaled and rotated, then
    shifted by what the other modalities say, and the roles alternate.

    Each modality is projected to tokens of one width. In a step the target's tokens H become

        (1 - beta) R (s * H) + beta (g + delta) + D        shift="toward"
        R (s * H) + delta + D                              shift="film"

    with the zoom s and the displacement delta computed from the mean g of the guides' global features and the joint
    global state G, a static rotation R, and a displacement D of every token by cross-attention to the guides' tokens.
    Fresh steps have s = 1, R = I, delta = 0 and D = 0. A modality that a sample lacks is neither moved nor read, and
    what it holds has no influence; nor do samples on each other.

    Args:
        widths: Size of each modality's tokens (or vectors), by name, in order; at least one modality. With a single one
            the steps do nothing, for there are no guides.
        width: Common width, at least 2; a multiple of `heads`.
        steps: Number of steps, at least 0, which is no fusion before the joint map. None is two for each modality with
            schedule="alternate" and 2 with the others.
        schedule: "alternate" moves one modality a step, in turns; "sequential" all of them one after the other in each
            step; "parallel" all at once, from where they stood before the step.
        order: The names in the order in which they are moved; the last one is moved last. None is the order of
            `widths` with the first modality moved last. Without effect with schedule="parallel".
        variant: "guided", or "literal" for f <- phi(S f + mean of T_b f_b) with static matrices, which takes vectors,
            or equally many tokens of all modalities. With phi="none" the literal variant is exactly one linear map of
            all modalities together.
        alpha: Bound of the logarithm of the zoom, s in (exp(-alpha), exp(alpha)), at least 0, which is no zoom.
        zoom: "exp" for s = exp(alpha tanh(.)), or "linear" for an unbounded s linear in the guides' features, where
            the features are polynomials of the inputs; alpha then only says whether there is a zoom.
        rotation: "cayley" (orthogonal), "dense" (any matrix) or "none".
        local: Whether tokens are displaced one by one.
        heads: Heads of attention, at least 1.
        shift: "toward" or "film", as above.
        beta: "scalar" for one beta a step and target, "feature" for one a feature, or "context" for one that depends on
            what the guides say.
        beta_init: Logit of beta at start; -0.4 is beta = 0.40, minus infinity is 0.
        guides: "uniform" for the mean of the guides, or "learned" for a mean by the softmax of a learned score.
        use_global: Whether zoom and displacement depend on the joint global state too.
        joint: "concat" for a linear map of all global features, "mean" for their mean, alike for all modalities, both
            normalised; or "tokens" for all tokens one modality after the other.
        pool: From tokens to a global feature: "mean", or "attention" with a learned query.
        phi: "gelu" or "none", of the literal variant.
        share_steps: Whether all rounds use the same weights, told apart by a learned embedding added to the context.
        share_modalities: Whether all modalities use the same weights in the steps.
        dropout: Share of the attention weights, and of the local displacements' features, dropped in training, [0, 1).
        init_scale: Standard deviation of the weights that start at zero otherwise, at least 0; for tests and studies.
        generator: Source of the initial weights; None is torch's own.

    Raises:
        ValueError: If an option is out of its range, or two do not fit.
    """

    def __init__(  # noqa: PLR0913 - the options of the method
        self,
        widths: Mapping[str, int],
        width: int = 128,
        *,
        steps: int | None = None,
        schedule: str = "alternate",
        order: Sequence[str] | None = None,
        variant: str = "guided",
        alpha: float = math.log(2),
        zoom: str = "exp",
        rotation: str = "cayley",
        local: bool = True,
        heads: int = 4,
        shift: str = "toward",
        beta: str = "scalar",
        beta_init: float = -0.4,
        guides: str = "uniform",
        use_global: bool = True,
        joint: str = "concat",
        pool: str = "mean",
        phi: str = "gelu",
        share_steps: bool = False,
        share_modalities: bool = False,
        dropout: float = 0.1,
        init_scale: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        path = (width, steps, schedule, order, variant, alpha, zoom, rotation, local, heads, shift, beta, beta_init)
        rest = (guides, use_global, joint, pool, phi, share_steps, share_modalities, dropout, init_scale)
        self.settings = StepSettings(*path, *rest)
        self.settings.check()
        self.widths = _checked(widths)
        self.turns = planned(self.names, self.settings)
        start = Start(generator, init_scale)
        self.projections = nn.ModuleList(Projection(size, width, start) for size in self.widths.values())
        self.course = Course(self.turns, len(self.widths), self.settings, start)
        self.join = joint_of(self.settings, len(self.widths), start)

    @property
    def names(self) -> tuple[str, ...]:
        """The modalities, in order."""
        return tuple(self.widths)

    @property
    def width(self) -> int:
        """Size of the tokens, the global features and the joint representation."""
        return self.settings.width

    def forward(
        self,
        features: Named,
        present: Bool[Tensor, "rows modalities"] | None = None,
        valid: Valid | None = None,
        *,
        return_trace: bool = False,
        return_moments: bool = False,
    ) -> StepFusionOutput:
        """Project the modalities, move them, and join them.

        Args:
            features: Tokens (batch, token, size) or vectors (batch, size) of every modality, by name. A vector is one
                token. The numbers of tokens may differ between modalities.
            present: Which modalities each sample has, in order; None is all. Every sample needs one.
            valid: Which tokens are real, (batch, token), by name; None, or a name left out, is all.
            return_trace: Whether to tell what happened in each step; costs time.
            return_moments: Whether to give z before the first step and after each step as well.

        Raises:
            ValueError: If names or shapes do not fit, a sample has no modality, a present modality has no valid token,
                or a valid token holds NaN or infinity.
        """
        values, presence = read(features, self.widths, present, valid)
        projected = [projection(each) for projection, each in zip(self.projections, values, strict=True)]
        tokens = [presence.cleared(place, each) for place, each in enumerate(projected)]
        return self._fused(tokens, presence, return_trace=return_trace, return_moments=return_moments)

    def fuse(
        self,
        tokens: Named,
        present: Bool[Tensor, "rows modalities"] | None = None,
        valid: Valid | None = None,
        *,
        return_trace: bool = False,
        return_moments: bool = False,
    ) -> StepFusionOutput:
        """Move and join tokens that have the common width already, without the projections; else as `forward`."""
        values, presence = read(tokens, dict.fromkeys(self.names, self.settings.width), present, valid)
        return self._fused(values, presence, return_trace=return_trace, return_moments=return_moments)

    def inverse(
        self, tokens: Named, present: Bool[Tensor, "rows modalities"] | None = None, valid: Valid | None = None
    ) -> dict[str, Float[Tensor, "batch _ width"]]:
        """The tokens that `fuse` would bring to these: with global guidance alone the steps lose nothing.

        Args:
            tokens: Tokens after the last step, by name.
            present: Which modalities each sample has; None is all.
            valid: Which tokens are real; None is all.

        Raises:
            ValueError: If the options do not allow it; the message says which.
        """
        state, presence = self._invertible(tokens, present, valid)
        return dict(zip(self.names, self.course.inverse(state, presence).tokens, strict=True))

    def log_det(
        self, tokens: Named, present: Bool[Tensor, "rows modalities"] | None = None, valid: Valid | None = None
    ) -> Float[Tensor, " batch"]:
        """Logarithm of the absolute determinant of the Jacobian of `fuse`, from tokens to tokens, of each sample.

        It is the sum over steps and tokens of log s, and of log(1 - beta) with shift="toward"; rotations add nothing.

        Args:
            tokens: Tokens before the first step, by name.
            present: Which modalities each sample has; None is all.
            valid: Which tokens are real; None is all. Only those count.

        Raises:
            ValueError: If the options do not allow it; the message says which.
        """
        return self.course.log_det(*self._invertible(tokens, present, valid))

    def alignment_loss(self, output: StepFusionOutput, kind: str = "mse") -> Float[Tensor, ""]:
        """How far apart the modalities' global features are after the last step; see `alignment_losses`."""
        return alignment_loss(output.pooled, output.present, kind)

    def _fused(
        self,
        tokens: list[Float[Tensor, "batch _ width"]],
        presence: Presence,
        *,
        return_trace: bool,
        return_moments: bool,
    ) -> StepFusionOutput:
        if self.settings.variant == "literal":
            _check_equal(dict(zip(self.names, tokens, strict=True)))
        first = self.course.first(tokens, presence)
        diary = Diary(first, moves=return_trace) if return_trace or return_moments else None
        last = self.course(first, presence, diary)
        trace = diary.trace(self.names, presence) if diary is not None and return_trace else None
        moments = None
        if diary is not None and return_moments:
            moments = torch.stack([self.join(state, presence) for state in diary.states])
        return StepFusionOutput(
            z=self.join(last, presence) if moments is None else moments[-1],
            tokens=dict(zip(self.names, last.tokens, strict=True)),
            pooled=torch.stack(last.pooled, 1),
            joint=last.joint,
            present=presence.present,
            valid=dict(zip(self.names, presence.here, strict=True)),
            trace=trace,
            moments=moments,
        )

    def _invertible(
        self, tokens: Named, present: Bool[Tensor, "rows modalities"] | None, valid: Valid | None
    ) -> tuple[State, Presence]:
        """Where the tokens stand, if the steps can be undone."""
        wrong = [
            f"{name}={getattr(self.settings, name)!r}"
            for name, fitting in _INVERTIBLE.items()
            if getattr(self.settings, name) not in fitting
        ]
        if wrong:
            raise ValueError(
                f"The steps cannot be undone with {', '.join(wrong)}. They can with "
                + ", ".join(f"{name} {' or '.join(map(repr, fitting))}" for name, fitting in _INVERTIBLE.items())
                + "."
            )
        values, presence = read(tokens, dict.fromkeys(self.names, self.settings.width), present, valid)
        return self.course.first(values, presence), presence


_INVERTIBLE: dict[str, tuple[str | bool, ...]] = {
    "variant": ("guided",),
    "schedule": ("alternate", "sequential"),
    "local": (False,),
    "use_global": (False,),
    "rotation": ("cayley", "none"),
    "zoom": ("exp",),
}


def _check_equal(tokens: Mapping[str, Float[Tensor, "batch _ width"]]) -> None:
    """Raise ValueError if modalities that are added token by token have different numbers of them."""
    counts = {name: values.shape[1] for name, values in tokens.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(
            f"variant='literal' adds modalities token by token and needs equally many of all (got {counts}). "
            "Give vectors, or take variant='guided'."
        )


def _checked(widths: Mapping[str, int]) -> dict[str, int]:
    """The sizes of the modalities' tokens, in order."""
    if not widths:
        raise ValueError("widths must name one modality at least, for example {'image': 64, 'series': 7} (got none).")
    for name, size in widths.items():
        check_whole(f"The width of modality {name!r}", size, 1)
    return dict(widths)
