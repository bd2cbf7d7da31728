"""Features of several modalities side by side, as linear scores read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

_CACHED = 2000  # up to so many features the agreement of all pairs is computed once

Coefficients = Float[ndarray, "feature out"]


@dataclass(frozen=True)
class Design:
    """Features of some samples side by side, centred over the samples that have them, and zero where absent.

    Args:
        features: One row a sample.
        modality: Place of the modality that each feature belongs to; features of one stand together, in order.
        present: Which modalities each sample has.
        centre: What was subtracted from each feature.
    """

    features: Float[ndarray, "sample feature"]
    modality: Int[ndarray, " feature"]
    present: Bool[ndarray, "sample modality"]
    centre: Float[ndarray, " feature"]

    @classmethod
    def of(cls, blocks: Sequence[Float[ndarray, "sample _"]], present: Bool[ndarray, "sample modality"]) -> "Design":
        """The design of one array a modality; values where a modality is absent are not read."""
        here = [np.where(present[:, [place]], block, 0.0) for place, block in enumerate(blocks)]
        counts = np.maximum(present.sum(0), 1)
        centres = [block.sum(0) / count for block, count in zip(here, counts, strict=True)]
        centred = [
            np.where(present[:, [place]], block - centre, 0.0)
            for place, (block, centre) in enumerate(zip(here, centres, strict=True))
        ]
        modality = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
        features = np.asfortranarray(np.concatenate(centred, axis=1), dtype=float)
        return cls(features, modality, present, np.concatenate(centres).astype(float))

    @cached_property
    def parts(self) -> list[slice]:
        """Where the features of each modality stand."""
        ends = np.searchsorted(self.modality, np.arange(self.present.shape[1] + 1))
        return [slice(int(start), int(end)) for start, end in pairwise(ends)]

    @cached_property
    def count(self) -> Float[ndarray, " sample"]:
        """Number of modalities that each sample has."""
        return np.asarray(self.present.sum(1), dtype=float)

    def agreement(self, chosen: Int[ndarray, " chosen"]) -> Float[ndarray, "chosen chosen"]:
        """R of these features: the sum over all pairs of modalities of |f_m - f_m'|^2 is b'R b."""
        if self.features.shape[1] <= _CACHED:
            return np.asarray(self._agreement.take(chosen, 0).take(chosen, 1))
        return self._agreement_of(chosen)

    @cached_property
    def _agreement(self) -> Float[ndarray, "feature feature"]:
        return self._agreement_of(np.arange(self.features.shape[1]))

    def _agreement_of(self, chosen: Int[ndarray, " chosen"]) -> Float[ndarray, "chosen chosen"]:
        """sum_m |f_m|^2 times the modalities present, minus |sum_m f_m|^2, sample by sample."""
        features = self.features[:, chosen]
        total = -features.T @ features
        for place in range(self.present.shape[1]):
            own = np.flatnonzero(self.modality[chosen] == place)
            weighted = features[:, own] * np.sqrt(self.count)[:, None]
            total[np.ix_(own, own)] += weighted.T @ weighted
        return np.asarray(total)

    def scores(self, coefficients: Coefficients) -> Float[ndarray, "modality sample out"]:
        """f_m of every modality."""
        return np.stack([self.features[:, part] @ coefficients[part] for part in self.parts])
