"""What modalities share, and what each has for itself: canonical correlation of any number of modalities.

After the principal components that stand out of noise, the shared part is that of generalised canonical correlation
(Kettenring, "Canonical Analysis of Several Sets of Variables", 1971, criterion MAXVAR): the directions in which the
modalities agree most. What a modality keeps beside them is its individual part, as in Feng, Jiang, Hannig and Marron,
"Angle-Based Joint and Individual Variation Explained" (2018); here the joint rank comes from permutations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.nn.decomposition import Decomposition

_PERMUTATIONS = 20
_TAKES_PART = 0.5  # of the share that each modality has of a direction that all have alike


@dataclass(frozen=True)
class LinearPart:
    """A linear map of a modality's features.

    Args:
        mean: What is subtracted from the features.
        directions: One column a value; the values have mean 0.
    """

    mean: Float[Tensor, " width"]
    directions: Float[Tensor, "width value"]

    @property
    def size(self) -> int:
        """Number of values."""
        return self.directions.shape[1]


class SharedParts:
    """Shared and individual parts of modalities; everything is computed when it is first asked for.

    With U_k the scores of modality k, of unit variance, the eigenvectors of the matrix of all blocks U_k' U_l / n are
    the directions. An eigenvalue is 1 where no two modalities agree, and the number of modalities where all do. The
    block of two modalities is of the samples that have both.

    Args:
        decompositions: Principal components of every modality, by name.
        features: Samples of every modality; where one is absent its values are not looked at.
        present: Which modalities (columns, in the order of the names) each sample has.
    """

    def __init__(
        self,
        decompositions: Mapping[str, Decomposition],
        features: Mapping[str, Tensor],
        present: Bool[Tensor, "batch modality"],
    ) -> None:
        self.names = tuple(decompositions)
        self.decompositions = decompositions
        self.ranks = [part.rank for part in decompositions.values()]
        self.present = present
        self.scores = [
            part.scores(features[name], rank).where(here[:, None], 0)
            for (name, part), rank, here in zip(decompositions.items(), self.ranks, present.T, strict=True)
        ]

    @property
    def eigenvalues(self) -> Float[Tensor, " direction"]:
        """Agreement in every direction, in falling order: 1 plus the canonical correlation of two modalities."""
        return self._found[0]

    @cached_property
    def rank(self) -> int:
        """Number of directions that are shared: eigenvalues above all of those after permutations.

        In each of 20 permutations the rows of every modality but the first are shuffled among the samples that have it,
        so that nothing is shared but by chance; the seed is always the same.
        """
        if len(self.names) < 2 or not len(self.eigenvalues):
            return 0
        generator = torch.Generator().manual_seed(0)
        chance = max(float(self._agreement(self._shuffled(generator))[0][-1]) for _ in range(_PERMUTATIONS))
        return int((self.eigenvalues > chance).sum())

    def shared(self, name: str, count: int) -> LinearPart:
        """The first directions, as far as a modality has part in them: of all modalities together they add up.

        A value's variance is 1 where all modalities agree and have alike a part in the direction, and falls to 0 where
        this one has none. Directions beyond all that there are give 0.
        """
        place = self.names.index(name)
        weights = self._weights(place)[:, :count] * len(self.names) ** 0.5
        return self._part(place, torch.nn.functional.pad(weights, (0, count - weights.shape[1])))

    def individual(self, name: str, count: int | None = None, shared: int | None = None) -> LinearPart:
        """What remains of a modality's components beside what it shares: uncorrelated values of variance 1.

        Args:
            name: The modality.
            count: Number of values: all of them if None, else the first and zeros beyond all that there are.
            shared: Number of directions that are shared; None is `rank`.
        """
        place = self.names.index(name)
        weights = self._weights(place)[:, : self.rank if shared is None else shared]
        weights = weights[:, weights.square().sum(0) > _TAKES_PART / len(self.names)]
        basis = torch.linalg.qr(torch.cat([weights, torch.eye(self.ranks[place]).to(weights)], 1)).Q
        rest = basis[:, weights.shape[1] :]
        count = rest.shape[1] if count is None else count
        rest = rest[:, :count]
        return self._part(place, torch.nn.functional.pad(rest, (0, count - rest.shape[1])))

    @cached_property
    def _found(self) -> tuple[Float[Tensor, " direction"], Float[Tensor, "score direction"]]:
        """Eigenvalues in falling order, and directions."""
        values, vectors = self._agreement(self.scores)
        vectors = vectors.flip(1)
        sign = vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign() if len(vectors) else vectors
        return values.flip(0), vectors * sign

    def _weights(self, place: int) -> Float[Tensor, "score direction"]:
        start = sum(self.ranks[:place])
        return self._found[1][start : start + self.ranks[place]]

    def _part(self, place: int, weights: Float[Tensor, "score value"]) -> LinearPart:
        part = self.decompositions[self.names[place]]
        spread = part.strengths[: self.ranks[place]] / max(part.shape[0], 1) ** 0.5
        return LinearPart(part.mean, part.directions[:, : self.ranks[place]] / spread @ weights)

    def _agreement(
        self, scores: Sequence[Float[Tensor, "batch _"]]
    ) -> tuple[Float[Tensor, " direction"], Float[Tensor, "score direction"]]:
        """Eigenvalues, in rising order, and eigenvectors of all blocks U_k' U_l / n; a block with itself is 1."""
        here = self.present.double()
        both = (here.T @ here).clamp(min=1)
        blocks = torch.cat(list(scores), 1)
        blocks = blocks.T @ blocks
        sizes = both.repeat_interleave(torch.tensor(self.ranks), 0).repeat_interleave(torch.tensor(self.ranks), 1)
        blocks = blocks / sizes
        for place, rank in enumerate(self.ranks):
            start = sum(self.ranks[:place])
            blocks[start : start + rank, start : start + rank] = torch.eye(rank)
        values, vectors = torch.linalg.eigh(blocks)
        return values, vectors

    def _shuffled(self, generator: torch.Generator) -> list[Float[Tensor, "batch _"]]:
        """Scores whose rows no longer belong together."""
        shuffled = [self.scores[0]]
        for scores, here in zip(self.scores[1:], self.present.T[1:], strict=True):
            rows = torch.nonzero(here).flatten()
            other = scores.clone()
            other[rows] = scores[rows[torch.randperm(len(rows), generator=generator)]]
            shuffled.append(other)
        return shuffled
