"""Who is there: worked out once for all steps of a forward pass, with no mask where nothing is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.shapes import Present


@dataclass(frozen=True)
class Guides:
    """The modalities that guide one target.

    Args:
        places: Which they are.
        present: Which of them each sample has; None is all.
        alone: Samples without any of them; None is no sample.
        readable: Which of their tokens, one modality after the other, may be attended to, some for each sample;
            None is all.
        pull: Factor of beta: 0 for a sample without guides; (M' - 1) / M' where all M' present modalities move at once.
    """

    places: tuple[int, ...]
    present: Bool[Tensor, "batch guide"] | None
    alone: Bool[Tensor, "batch 1"] | None
    readable: Bool[Tensor, "batch 1 1 token"] | None
    pull: Float[Tensor, "batch 1"] | float


class Presence:
    """The modalities and tokens that a batch has.

    Args:
        present: Which modalities each sample has.
        here: Which tokens of every modality are real and of a present modality.
        everyone: Whether all samples have all modalities.
        full: Of every modality, whether all its tokens are there.
    """

    def __init__(
        self, present: Present, here: Sequence[Bool[Tensor, "batch _"]], *, everyone: bool, full: Sequence[bool]
    ) -> None:
        self.present, self.here, self.everyone, self.full = present, tuple(here), everyone, tuple(full)

    def of(self, place: int) -> Bool[Tensor, "batch token"] | None:
        """Which tokens of a modality are there; None is all."""
        return None if self.full[place] else self.here[place]

    def cleared(self, place: int, tokens: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The tokens with zeros for those that are not there, whatever they hold."""
        return tokens if self.full[place] else tokens.masked_fill(~self.here[place][..., None], 0)

    def mean(self, pooled: Iterable[Float[Tensor, "batch width"]]) -> Float[Tensor, "batch width"]:
        """Mean of the modalities that are there; the others must be zero."""
        stacked = torch.stack(list(pooled))
        if self.everyone:
            return stacked.mean(0)
        return stacked.sum(0) / self.present.sum(1, keepdim=True).to(stacked.dtype)

    def count(self, place: int, dtype: torch.dtype) -> Float[Tensor, " batch"]:
        """Number of a modality's tokens that are there."""
        return self.here[place].sum(1).to(dtype)

    def guides(self, target: int, dtype: torch.dtype, *, together: bool) -> Guides:
        """Who guides a target, where all modalities move `together` or it moves alone."""
        places = tuple(place for place in range(self.present.shape[1]) if place != target)
        readable = self._readable(places)
        if self.everyone:
            count = len(places)
            return Guides(places, None, None, readable, count / (count + 1) if together else 1.0)
        present = self.present[:, list(places)]
        alone = ~present.any(1, keepdim=True)
        count_of = present.sum(1, keepdim=True).to(dtype)
        return Guides(places, present, alone, readable, count_of / (count_of + 1) if together else (~alone).to(dtype))

    def _readable(self, places: Sequence[int]) -> Bool[Tensor, "batch 1 1 token"] | None:
        """Where there is no token at all, all of them, for a softmax over nothing is NaN: nothing may come of it."""
        if all(self.full[place] for place in places):
            return None
        here = torch.cat([self.here[place] for place in places], 1)
        return (here | ~here.any(1, keepdim=True))[:, None, None]
