"""From a modality's tokens to its global feature."""

from abc import ABC, abstractmethod

from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.nn.step_fusion.starting import Start


class Pool(nn.Module, ABC):
    """Global features of one modality."""

    @abstractmethod
    def forward(
        self, tokens: Float[Tensor, "batch token width"], here: Bool[Tensor, "batch token"] | None
    ) -> Float[Tensor, "batch width"]:
        """One vector a sample, zero where no token is there.

        Args:
            tokens: The tokens; zero where they are not there.
            here: Which are there; None is all.
        """


class MeanPool(Pool):
    """The mean of the tokens that are there; it commutes with zoom, rotation and global displacement."""

    def forward(
        self, tokens: Float[Tensor, "batch token width"], here: Bool[Tensor, "batch token"] | None
    ) -> Float[Tensor, "batch width"]:
        if here is None:
            return tokens.mean(1)
        return tokens.sum(1) / here.sum(1, keepdim=True).clamp(min=1).to(tokens.dtype)


class AttentionPool(Pool):
    """A mean weighted by the softmax of each token's product with a learned query; equal weights at start.

    Args:
        width: Size of the tokens.
        start: Source of the initial query.
    """

    def __init__(self, width: int, start: Start) -> None:
        super().__init__()
        self.query = start.parameter(width)

    def forward(
        self, tokens: Float[Tensor, "batch token width"], here: Bool[Tensor, "batch token"] | None
    ) -> Float[Tensor, "batch width"]:
        scores = tokens @ self.query / len(self.query) ** 0.5
        if here is not None:  # where no token is there all are zero, and so is their mean
            scores = scores.masked_fill(~here & here.any(1, keepdim=True), -float("inf"))
        mean: Tensor = scores.softmax(1)[:, None] @ tokens
        return mean[:, 0]


def pool(kind: str, width: int, start: Start) -> Pool:
    """The pool of one modality: "mean" or "attention"."""
    return AttentionPool(width, start) if kind == "attention" else MeanPool()
