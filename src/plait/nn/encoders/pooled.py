"""A series or an image as one row of numbers, for networks that join modalities as vectors."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.encoders.choice import encoder_for

ENCODED = 64
"""Numbers in the row, where nothing else is said."""
_WIDTH = 32  # of the tokens: every one of them counts in the row, so that they may be small


class Pooled(nn.Module):
    """All tokens of an encoder, under one linear map.

    Args:
        shape: Shape of a sample.
        size: Numbers in the row, at least 1.
        dropout: Share of units dropped in training, in [0, 1).
    """

    def __init__(self, shape: Sequence[int], size: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder_for(shape, width=_WIDTH, dropout=dropout)
        self.linear = nn.Linear(self.encoder.tokens * self.encoder.width, size)

    def forward(self, values: Float[Tensor, "batch *axes"]) -> Float[Tensor, "batch size"]:
        """The rows; values may come flattened."""
        found: Tensor = self.linear(self.encoder(values).flatten(1))
        return found


def pooled_encoder(shape: Sequence[int], size: int = ENCODED, dropout: float = 0.0) -> Pooled:
    """An encoder by shape with one row of numbers a sample, drawn from torch's global random numbers.

    Args:
        shape: Shape of a sample.
        size: Numbers in the row, at least 1.
        dropout: Share of units dropped in training, in [0, 1).
    """
    return Pooled(shape, size, dropout)
