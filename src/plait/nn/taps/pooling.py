"""One vector a sample from the tokens of a tap; what lies in padding never counts."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.settings import check_one_of
from plait.nn.taps.base import Tapped

Tokens = Float[Tensor, "batch token width"]
Here = Bool[Tensor, "batch token"]
Vectors = Float[Tensor, "batch width"]


def first(tokens: Tokens, here: Here) -> Vectors:
    """The first token that is there, whatever it stands for (as the published code of skew-pair fusion reads it)."""
    return tokens[torch.arange(len(tokens), device=tokens.device), here.int().argmax(1)]


def cls(tokens: Tokens, here: Here) -> Vectors:
    """Token 0, where an encoder keeps its trained summary of the sample.

    Raises:
        ValueError: If token 0 of a sample is padding.
    """
    if not here[:, 0].all():
        row = int((~here[:, 0]).nonzero()[0])
        raise ValueError(
            f"Token 0 of row {row} is padding, so it cannot be a summary of the sample. Pad on the right, or pool by "
            "'first' or 'mean'."
        )
    return tokens[:, 0]


def mean(tokens: Tokens, here: Here) -> Vectors:
    """Mean of the tokens that are there."""
    return _without_padding(tokens, here, 0.0).sum(1) / here.sum(1, keepdim=True)


def largest(tokens: Tokens, here: Here) -> Vectors:
    """The largest value of each feature among the tokens that are there."""
    return _without_padding(tokens, here, float("-inf")).amax(1)


def mean_and_spread(tokens: Tokens, here: Here) -> Float[Tensor, "batch twice"]:
    """Mean, then standard deviation (divided by the number of tokens, so 0 for a single one): twice the width."""
    centre = mean(tokens, here)
    squares = _without_padding(tokens - centre[:, None], here, 0.0).square()
    return torch.cat([centre, (squares.sum(1) / here.sum(1, keepdim=True)).sqrt()], 1)


POOLINGS: Mapping[str, Callable[[Tokens, Here], Tensor]] = {
    "first": first,
    "cls": cls,
    "mean": mean,
    "max": largest,
    "mean+std": mean_and_spread,
}
"""How the tokens of a tap become one vector, by name."""


def pooled(tapped: Tapped, how: str) -> Float[Tensor, "batch pooled"]:
    """One vector a sample, in float32 or finer.

    Args:
        tapped: What a block gives; a vector counts as a single token.
        how: "first" (the first token that is there), "cls" (token 0), "mean", "max", or "mean+std" (twice as wide).

    Raises:
        ValueError: If there is no such pooling, if a row has no token that is there, or, for "cls", if token 0 is
            padding.
    """
    check_one_of("pool", how, POOLINGS)
    values = tapped.values.to(torch.promote_types(tapped.values.dtype, torch.float32))
    tokens = values if values.ndim == 3 else values[:, None]
    here = tapped.here if tapped.here is not None else tokens.new_ones(tokens.shape[:2], dtype=torch.bool)
    empty = ~here.any(1)
    if empty.any():
        raise ValueError(
            f"Row {int(empty.nonzero()[0])} has no token that is there: all is padding, and nothing can be pooled. "
            "Leave such samples out."
        )
    return POOLINGS[how](tokens, here)


def _without_padding(tokens: Tokens, here: Here, value: float) -> Tokens:
    """The tokens, with one value in all padding (whatever was there: NaN times 0 is NaN)."""
    return tokens.masked_fill(~here[..., None], value)
