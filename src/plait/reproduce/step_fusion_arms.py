"""Step Fusion and what it is compared with: the same encoders and the same head, other ways to fuse."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from plait.methods.base import Method
from plait.methods.step import StepFusion

RECONSTRUCTION = (
    "Step Fusion here is a reconstruction after Xu et al. 2023 (arXiv 2306.16950), whose equations, settings and "
    "result tables are not public; no number of the paper is claimed or quoted."
)
STEP, CONCAT, CROSS, ALONE = "step-fusion", "concat", "cross-attention", "alone"
Head = Literal["joint", "tokens"]
_NOT_AT_ALL = -60.0  # logit of beta: no displacement towards the guides' mean


def fusions(
    width: int, steps: int | None, encoder: str, head: Head, dropout: float
) -> Mapping[str, Callable[[], Method]]:
    """The ways to fuse, by name; all encode every modality in the same way and have the same kind of head.

    "step-fusion"; "concat", which is no step at all: pooled encodings side by side; "cross-attention", two layers in
    both directions: the tokens' own displacements in parallel steps, and no other part of a step. (Its steps hold the
    unused parts' weights, which stay as they are.)

    Args:
        width: Size of every token.
        steps: Steps of Step Fusion; None is two a modality.
        encoder: How modalities are read, as `StepFusion` takes it.
        head: What the head reads, as `StepFusion` takes it.
        dropout: As in `StepFusion`.
    """
    step = partial(StepFusion, width=width, encoder=encoder, head=head, dropout=dropout)
    return {
        STEP: partial(step, steps=steps),
        CONCAT: partial(step, steps=0),
        CROSS: partial(step, steps=2, schedule="parallel", alpha=0.0, rotation="none", beta_init=_NOT_AT_ALL),
    }


def alone(width: int, encoder: str, head: Head, dropout: float) -> Method:
    """The same encoder and head on one modality by itself."""
    return StepFusion(width=width, steps=0, encoder=encoder, head=head, dropout=dropout)
