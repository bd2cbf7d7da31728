"""One vector a sample from the tokens of a tap; what lies in padding never counts."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.nn.taps.base import Tapped

Tokens = Float[Tensor, "batch token width"]
Here = Bool[Tensor, "batch token"]
Vectors = Float[Tensor, "batch width"]

_SEGMENTS = re.compile(r"segments-([1-9]|[1-5][0-9]|6[0-4])")


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


def segments(tokens: Tokens, here: Here, number: int) -> Float[Tensor, "batch side_by_side"]:
    """Means of so many consecutive segments of the tokens that are there, side by side: so many times the width.

    Of T tokens that are there, segment i = 0, 1, ... has those from floor(i T / number) to before
    ceil((i + 1) T / number), as in torch's adaptive average pooling: segments are never empty, and share tokens where
    the number does not divide T.

    Args:
        tokens: The tokens.
        here: Which of them are there, at least one a sample.
        number: Number of segments, at least 1.
    """
    rank, total = here.cumsum(1)[:, None] - 1, here.sum(1)[:, None]
    place = torch.arange(number, device=here.device)
    start, stop = place * total // number, -(-(place + 1) * total // number)  # the floor, and the ceiling
    inside = here[:, None] & (rank >= start[..., None]) & (rank < stop[..., None])
    share = inside.to(tokens.dtype) / (stop - start)[..., None]
    return torch.bmm(share, _without_padding(tokens, here, 0.0)).flatten(1)


POOLINGS: Mapping[str, Callable[[Tokens, Here], Tensor]] = {
    "first": first,
    "cls": cls,
    "mean": mean,
    "max": largest,
    "mean+std": mean_and_spread,
}
"""How the tokens of a tap become one vector, by name; there is "segments-N" besides."""


def check_pooling(how: Any) -> None:
    """Raise ValueError if a setting is neither a name in `POOLINGS` nor "segments-N" with N from 1 to 64."""
    if not isinstance(how, str) or not (how in POOLINGS or _SEGMENTS.fullmatch(how)):
        names = ", ".join(map(repr, POOLINGS))
        raise ValueError(f"pool must be one of {names} (got {how!r}), or 'segments-N' with N from 1 to 64.")


def pooled(tapped: Tapped, how: str) -> Float[Tensor, "batch pooled"]:
    """One vector a sample, in float32 or finer.

    Args:
        tapped: What a block gives; a vector counts as a single token.
        how: "first" (the first token that is there), "cls" (token 0), "mean", "max", "mean+std" (twice as wide), or
            "segments-N" with N from 1 to 64: means of N consecutive segments (N times as wide).

    Raises:
        ValueError: If there is no such pooling, if a row has no token that is there, or, for "cls", if token 0 is
            padding.
    """
    check_pooling(how)
    values = tapped.values.to(torch.promote_types(tapped.values.dtype, torch.float32))
    tokens = values if values.ndim == 3 else values[:, None]
    here = tapped.here if tapped.here is not None else tokens.new_ones(tokens.shape[:2], dtype=torch.bool)
    empty = ~here.any(1)
    if empty.any():
        raise ValueError(
            f"Row {int(empty.nonzero()[0])} has no token that is there: all is padding, and nothing can be pooled. "
            "Leave such samples out."
        )
    return _pooling(how)(tokens, here)


def _pooling(how: str) -> Callable[[Tokens, Here], Tensor]:
    """The pooling of that name."""
    cut = _SEGMENTS.fullmatch(how)
    return partial(segments, number=int(cut[1])) if cut else POOLINGS[how]


def _without_padding(tokens: Tokens, here: Here, value: float) -> Tokens:
    """The tokens, with one value in all padding (whatever was there: NaN times 0 is NaN)."""
    return tokens.masked_fill(~here[..., None], value)
