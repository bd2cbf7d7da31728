"""What a step block gives."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.shapes import Present
from plait.nn.step_fusion.trace import Trace


@dataclass(frozen=True)
class StepFusionOutput:
    """Where the modalities stand after the last step, and what they are together.

    Args:
        z: The joint representation; with joint="tokens" all tokens, one modality after the other.
        tokens: Local features of every modality, by name; zero where a token is not there.
        pooled: Global features of every modality, in order; zero where it is absent.
        joint: The joint global state G.
        present: Which modalities each sample has.
        valid: Which tokens of every modality are real and of a present modality, by name.
        trace: The way through the steps; None unless it was asked for.
        moments: z before the first step and after each step, for deep supervision; None unless it was asked for.
    """

    z: Float[Tensor, "batch *place width"]
    tokens: Mapping[str, Float[Tensor, "batch _ width"]]
    pooled: Float[Tensor, "batch modality width"]
    joint: Float[Tensor, "batch width"]
    present: Present
    valid: Mapping[str, Bool[Tensor, "batch _"]]
    trace: Trace | None = None
    moments: Float[Tensor, "moment batch *place width"] | None = None
