"""From a modality's own features to tokens of the common width."""

from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.step_fusion.starting import Start


class Projection(nn.Module):
    """A dense layer, unless the width is right already, normalisation, and a learned mark of the modality.

    The normalisation makes the scales of the modalities comparable, so that "zoom" is about relative scale.

    Args:
        inputs: Size of the modality's tokens.
        width: The common width.
        start: Source of the initial weights.
    """

    def __init__(self, inputs: int, width: int, start: Start) -> None:
        super().__init__()
        self.linear = start.linear(inputs, width) if inputs != width else nn.Identity()
        self.norm = nn.LayerNorm(width)
        self.mark = start.parameter(width)

    def forward(self, values: Float[Tensor, "batch token feature"]) -> Float[Tensor, "batch token width"]:
        """LN(x W + b) + tau."""
        found: Tensor = self.norm(self.linear(values)) + self.mark
        return found
