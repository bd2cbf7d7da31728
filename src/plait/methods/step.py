"""Step Fusion: modalities aligned by alternate shift and expand (after Xu et al. 2023; reconstruction)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from plait.data.settings import check_one_of, check_real
from plait.data.spec import DataSpec
from plait.methods.network import NetworkFusion
from plait.nn.step_net import StepCopies, StepPlan

_HEADS = ("joint", "tokens")


@dataclass(repr=False, eq=False)
class StepFusion(NetworkFusion):
    """Modalities are zoomed, rotated and shifted towards each other, step by step, then a linear head.

    After Xu et al., "Step fusion: local and global mutual guidance" (arXiv 2306.16950, 2023). The equations of the
    paper are not public: this is a reconstruction from its abstracts, and no number of the paper is claimed.

    Every modality becomes tokens of one width. At a step, one modality is the target and the others guide it: their
    pooled features say by how much each feature of the target is zoomed and where all its tokens are displaced (global
    guidance), and each token of the target looks up its own displacement among the guides' tokens (local guidance).
    The roles change from step to step. With `steps=0` it is intermediate fusion: encodings side by side and a head.
    One modality alone is its encoder and head. Absent modalities neither guide nor move.

    Args:
        width: Size of every token, at least 2; a multiple of `heads`, and of 4 where an encoder has transformer layers.
        steps: Turns of alignment, at least 0; None is two a modality in the alternate schedule (every modality is
            the target twice), else 2.
        schedule: "alternate" (one target a step, in turn), "sequential" (all targets a step, one after the other), or
            "parallel" (all targets a step, at once).
        order: Names of the modalities in the order in which they are targets; the last one is also the target of the
            last step. None: the first modality last.
        variant: "guided", or "literal" (fixed matrices; with `phi="none"` no more than one linear map).
        phi: Of the literal variant: "gelu" after each step's layer normalisation, or "none".
        alpha: Largest zoom of a step is exp(alpha), the smallest exp(-alpha); at least 0, where nothing is zoomed.
        rotation: "cayley" (orthogonal), "dense" (any matrix, the identity at the start), or "none".
        local: Whether tokens look up displacements of their own.
        shift: "toward" (the target moves towards the guides: the modalities align without a loss that asks for it)
            or "film" (a free displacement: nothing moves at the start).
        beta: How far a target moves with `shift="toward"`: one number a step ("scalar"), one a feature ("feature"), or
            one a sample ("context").
        beta_init: Where it starts: sigmoid(-0.4) is 0.40 of the way.
        guides: Weights of the guides: "uniform", or "learned" from their pooled features.
        joint: "concat" reads the pooled modalities side by side; "mean" averages them (symmetric).
        pool: Tokens are averaged ("mean"), or weighed by a learned query ("attention").
        heads: Attention heads, at least 1.
        share_steps: Whether a modality has the same weights in all its turns.
        share_modalities: Whether all modalities share their weights.
        encoder: How modalities are read that have no encoder of the user: "shape" (convolution for series and images,
            a perceptron for vectors), "perceptron", "convolution" or "patches" (vectors always by a perceptron).
        head: "joint" reads the joint encoding; "tokens" also all tokens of the first modality. None is "tokens" for a
            regression on a series or image, else "joint".
        alignment: Kind of the alignment loss: "mse", "infonce", "coral", "mmd" or "cca".
        alignment_weight: Its weight, at least 0; 0 leaves it out.
        deep_weight: Weight of the losses of the joint encodings on the way, at least 0; 0 leaves them out.
        dropout: Share of hidden values dropped in training, in [0, 1).
    """

    width: int = 128
    steps: int | None = None
    schedule: Literal["alternate", "sequential", "parallel"] = "alternate"
    order: Sequence[str] | None = None
    variant: Literal["guided", "literal"] = "guided"
    phi: Literal["gelu", "none"] = "gelu"
    alpha: float = math.log(2)
    rotation: Literal["cayley", "dense", "none"] = "cayley"
    local: bool = True
    shift: Literal["toward", "film"] = "toward"
    beta: Literal["scalar", "feature", "context"] = "scalar"
    beta_init: float = -0.4
    guides: Literal["uniform", "learned"] = "uniform"
    joint: Literal["concat", "mean"] = "concat"
    pool: Literal["mean", "attention"] = "mean"
    heads: int = 4
    share_steps: bool = False
    share_modalities: bool = False
    encoder: str = "shape"
    head: Literal["joint", "tokens"] | None = None
    alignment: Literal["mse", "infonce", "coral", "mmd", "cca"] = "mse"
    alignment_weight: float = 0.0
    deep_weight: float = 0.0
    dropout: float = 0.1

    def network(self, spec: DataSpec, generator: torch.Generator) -> StepCopies:
        """The copies of the network.

        Raises:
            ValueError: If a hyperparameter is out of its range.
        """
        check_one_of("joint", self.joint, ("concat", "mean"))
        check_one_of("alignment", self.alignment, ("mse", "infonce", "coral", "mmd", "cca"))
        check_real("alignment_weight", self.alignment_weight)
        check_real("deep_weight", self.deep_weight)
        check_real("dropout", self.dropout, 0.0, 1.0)
        return StepCopies(spec, self._plan(spec), generator)

    def _plan(self, spec: DataSpec) -> StepPlan:
        names = (
            *("width", "steps", "schedule", "order", "variant", "phi", "alpha", "rotation", "local", "shift", "beta"),
            *("beta_init", "guides", "joint", "pool", "heads", "share_steps", "share_modalities", "dropout"),
        )
        losses = (self.alignment, self.alignment_weight, self.deep_weight)
        return StepPlan(
            {name: getattr(self, name) for name in names},
            self.encoder,
            self.width,
            self._head(spec),
            self.dropout,
            *losses,
        )

    def _head(self, spec: DataSpec) -> str:
        """What the head reads."""
        if self.head is not None:
            check_one_of("head", self.head, _HEADS)
            return self.head
        return "tokens" if spec.task == "regression" and len(spec.shapes[spec.names[0]]) > 1 else "joint"
