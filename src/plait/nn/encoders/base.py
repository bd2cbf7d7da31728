"""What every encoder of one modality has in common: samples of one shape become tokens of one width."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod

from jaxtyping import Float
from torch import Tensor, nn

from plait.data.settings import check_real, check_whole


class TokenEncoder(nn.Module, ABC):
    """Samples of one shape as tokens of one width; samples never influence each other.

    Zeros, as an absent modality has, are read like any other values.

    Args:
        shape: Shape of a sample: (features,), (time, channel), (channel, height, width) or more; sizes of at least 1.
        width: Size of a token, at least 1.
        tokens: Number of tokens of a sample.

    Attributes:
        shape: Shape of a sample.
        width: Size of a token.
        tokens: Number of tokens of a sample.
    """

    def __init__(self, shape: Sequence[int], width: int, tokens: int) -> None:
        super().__init__()
        self.shape, self.width, self.tokens = tuple(shape), width, tokens

    @abstractmethod
    def encode(self, values: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch token width"]:
        """The tokens of samples of the right shape."""

    def forward(self, values: Float[Tensor, "batch *axes"]) -> Float[Tensor, "batch token width"]:
        """The tokens of samples, which may come flattened.

        Args:
            values: Samples of the encoder's shape, or flattened to one axis.

        Raises:
            ValueError: If the samples have another shape.
        """
        given = tuple(values.shape[1:])
        if given not in (self.shape, (prod(self.shape),)):
            raise ValueError(
                f"{type(self).__name__} reads samples of shape {self.shape} (or flattened, ({prod(self.shape)},)), but "
                f"these have shape {given}. Build an encoder for {given}, or reshape the samples."
            )
        return self.encode(values.reshape(len(values), *self.shape))


def check_shape(encoder: type[TokenEncoder], shape: Sequence[int], *axes: str) -> None:
    """Raise ValueError unless a sample has these axes (none named: one or more), each of a size of at least 1."""
    right = len(shape) == len(axes) if axes else len(shape) > 0
    if not right or min(shape) < 1:
        wanted = f"({', '.join(axes)})" if axes else "of at least one axis"
        raise ValueError(
            f"{encoder.__name__} reads samples of shape {wanted}, each size at least 1 (got {tuple(shape)}). "
            "encoder_for(shape) chooses an encoder that fits."
        )


def check_network(width: int, layers: int, heads: int, dropout: float) -> None:
    """Raise ValueError if a setting that encoders under a transformer share is out of range."""
    check_whole("width", width, 2)  # what is normalised to mean 0 says nothing if it is one number
    check_whole("layers", layers, 0)
    check_whole("heads", heads, 1)
    check_real("dropout", dropout, 0.0, 1.0)
