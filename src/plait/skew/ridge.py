"""Closed-form heads: ridge regressions on taps and on products of two taps, many of them at once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Tap = tuple[str, int]
"""A modality and the number of one of its taps, from 1."""
Term = tuple[Tap, ...]
"""What a head reads: a tap as it is, or all products of the features of two taps."""
Terms = tuple[Term, ...]
"""All that a head reads."""
Taps = Mapping[Tap, Float[ndarray, "_ _"]]
"""Samples in rows, features in columns."""


@dataclass(frozen=True)
class TapFeatures:
    """Taps of the same samples as they are read.

    Args:
        whole: As they are read by themselves.
        few: As they are read in products, whose number is that of the one times that of the other.
    """

    whole: Taps
    few: Taps

    def __len__(self) -> int:
        """Number of samples."""
        return len(next(iter(self.whole.values())))

    def widths(self, term: Term) -> list[int]:
        """Features of each tap of a term."""
        return [values.shape[1] for values in self._of(term)]

    def read(self, term: Term) -> Float[ndarray, "sample width"]:
        """The features of a term, in double precision."""
        first, *others = (values.astype(np.float64) for values in self._of(term))
        for other in others:
            first = (first[:, :, None] * other[:, None, :]).reshape(len(first), -1)
        return first

    def _of(self, term: Term) -> list[Float[ndarray, "_ _"]]:
        return [self.whole[tap] if len(term) == 1 else self.few[tap] for tap in term]


PENALTIES = (0.01, 0.05)
"""Penalty, as a share of the samples, of a feature of a tap and of a product of two (both taps standardised)."""
_CHUNK = 2**24  # numbers of the designs that are held at once


def ridge_outputs(
    train: TapFeatures,
    target: Float[ndarray, "sample out"],
    unseen: TapFeatures,
    heads: Sequence[Terms],
    penalties: tuple[float, float] = PENALTIES,
) -> Float[ndarray, "head new out"]:
    """Outputs of a ridge regression for each head, fitted on training samples, for unseen ones.

    A head minimises |Y - XB - c|² + |B|² n p, where X are its features and p the penalty of each; c, which is not
    penalised, is the mean where X is centred. Designs of equal width are solved together in double precision.

    Args:
        train: Taps of the training samples, standardised.
        target: Their target: an indicator a class, or values.
        unseen: The same taps of other samples.
        heads: What each head reads.
        penalties: Penalty of a feature of a tap, and of a product; shares of the training samples, above 0.

    Returns:
        What each head puts out for the unseen samples. Of indicators the largest is the class; they are no
        probabilities.
    """
    found = np.empty((len(heads), len(unseen), target.shape[1]))
    centre = target.mean(axis=0)
    for rows in _alike(heads, train, len(train) + len(unseen)):
        chosen = [heads[row] for row in rows]
        share = np.concatenate([np.full(prod(train.widths(term)), penalties[len(term) - 1]) for term in chosen[0]])
        design = _designs(train, chosen)
        means = design.mean(axis=1, keepdims=True)
        design -= means
        gram = design.mT @ design
        gram += np.diag(share * len(target))
        weights = np.linalg.solve(gram, design.mT @ (target - centre))
        found[rows] = (_designs(unseen, chosen) - means) @ weights + centre
    return found


def _alike(heads: Sequence[Terms], taps: TapFeatures, samples: int) -> Iterator[list[int]]:
    """Numbers of heads whose designs have the same columns, as many as fit the memory at a time."""
    groups: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
    for row, terms in enumerate(heads):
        groups[tuple((len(term), prod(taps.widths(term))) for term in terms)].append(row)
    for shape, rows in groups.items():
        size = max(1, _CHUNK // (samples * sum(width for _, width in shape)))
        yield from (rows[start : start + size] for start in range(0, len(rows), size))


def _designs(taps: TapFeatures, heads: Sequence[Terms]) -> Float[ndarray, "head sample width"]:
    return np.stack([np.concatenate([taps.read(term) for term in terms], axis=1) for terms in heads])
