"""Closed-form heads: ridge regressions on taps and on products of two taps, many of them on the same samples."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

Tap = tuple[str, int]
"""A modality and the number of one of its taps, from 1."""
Term = tuple[Tap, ...]
"""What a head reads: a tap as it is, or all products of the features of two taps."""
Terms = tuple[Term, ...]
"""All that a head reads."""
Array = Float[ndarray, "_ _"]
Taps = Mapping[Tap, Array]
"""Samples in rows, features in columns."""

PENALTIES = (0.01, 0.05)
"""Penalty, as a share of the samples, of a feature of a tap and of a product of two (both taps standardised)."""
_KEPT, _PASSING = 2**22, 2**24  # numbers that are held: as long as the taps are, and for one call


class Recent:
    """Arrays by what they are of: those that were asked for last, as many as there is room for, and at least one.

    Args:
        room: Numbers that are held.
    """

    def __init__(self, room: int) -> None:
        self.room, self.held = room, 0
        self.arrays: OrderedDict[object, Array] = OrderedDict()

    def __call__(self, key: object, make: Callable[[], Array]) -> Array:
        """The array of a key, made where it is not held."""
        if key not in self.arrays:
            self.arrays[key] = made = make()
            self.held += made.size
        self.arrays.move_to_end(key)
        while self.held > self.room and len(self.arrays) > 1:
            self.held -= self.arrays.popitem(last=False)[1].size
        return self.arrays[key]


@dataclass(frozen=True)
class TapFeatures:
    """Taps of the same samples as they are read.

    Args:
        whole: As they are read by themselves.
        few: As they are read in products, whose number is that of the one times that of the other.

    Attributes:
        blocks: Of the Gram matrices of heads on these samples, for other heads that have the same ones.
    """

    whole: Taps
    few: Taps
    blocks: Recent = field(default_factory=partial(Recent, _KEPT), init=False, repr=False, compare=False)

    def __len__(self) -> int:
        """Number of samples."""
        return len(next(iter(self.whole.values())))

    def of(self, term: Term) -> list[Array]:
        """The taps of a term, in double precision."""
        taps = self.whole if len(term) == 1 else self.few
        return [np.asarray(taps[tap], np.float64) for tap in term]

    def read(self, term: Term) -> Float[ndarray, "sample width"]:
        """The features of a term, in double precision; of products those of the last tap fastest."""
        return reduce(_products, self.of(term))


def ridge_outputs(
    train: TapFeatures,
    target: Float[ndarray, "sample out"],
    unseen: TapFeatures,
    heads: Sequence[Terms],
    penalties: tuple[float, float] = PENALTIES,
) -> Float[ndarray, "head new out"]:
    """Outputs of a ridge regression for each head, fitted on training samples, for unseen ones.

    A head minimises |Y - XB - c|² + |B|² n p, where X are its features and p the penalty of each; c, which is not
    penalised, is the mean where X is centred. Its equations are put together from blocks of two terms, which heads
    share, and solved in double precision.

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
    equations = Equations(train, target)
    found = np.empty((len(heads), len(unseen), target.shape[1]))
    for row, terms in enumerate(heads):
        found[row], each = equations.solved(terms, penalties)
        for term, weights in zip(terms, each, strict=True):
            found[row] += unseen.read(term) @ weights
    return found


class Equations:
    """The normal equations of ridge heads on the same samples.

    Args:
        taps: Taps of the samples, standardised.
        target: Their target.
    """

    def __init__(self, taps: TapFeatures, target: Float[ndarray, "sample out"]) -> None:
        self.taps, self.centre = taps, target.mean(axis=0)
        self.target = np.column_stack([target - self.centre, np.ones(len(target))])
        self.passing = Recent(_PASSING)

    def solved(
        self, terms: Terms, penalties: tuple[float, float]
    ) -> tuple[Float[ndarray, " out"], list[Float[ndarray, "_ out"]]]:
        """The constant of a head, and its weights term by term."""
        moments, count = [self.moment(term) for term in terms], len(self.target)
        gram = np.block([[self.block(one, other) for other in terms] for one in terms])
        shares = [np.full(len(moment), penalties[len(term) - 1]) for term, moment in zip(terms, moments, strict=True)]
        gram[np.diag_indices_from(gram)] += np.concatenate(shares) * count
        sums = np.concatenate(moments)
        weights = np.linalg.solve(gram, sums[:, :-1])
        ends = np.cumsum([len(moment) for moment in moments])[:-1]
        return self.centre - sums[:, -1] @ weights / count, np.split(weights, ends)

    def moment(self, term: Term) -> Float[ndarray, "width _"]:
        """Sums over the samples of the features of a term times the centred target and, in the last column, times 1."""
        return self.passing(("moment", term), lambda: _sums(self.taps.of(term), self.target))

    def block(self, one: Term, other: Term) -> Float[ndarray, "width others"]:
        """Sums over the samples of centred features of one term times those of another: X'Z - n mean(X) mean(Z)'."""
        if other < one:
            return np.asarray(self.block(other, one).T)
        if one == other and len(one) == 2:
            return self._centred(self._itself(*one), one, one)  # not held: a scan asks for it once
        return self.taps.blocks((one, other), lambda: self._centred(self._read(one).T @ self._read(other), one, other))

    def _centred(self, sums: Array, one: Term, other: Term) -> Array:
        return sums - np.outer(self.moment(one)[:, -1], self.moment(other)[:, -1]) / len(self.target)

    def _read(self, term: Term) -> Array:
        return self.passing(("read", term), lambda: self.taps.read(term))

    def _itself(self, first: Tap, second: Tap) -> Float[ndarray, "width width"]:
        """Sums over the samples of (a b)(c d) = (a c)(b d), features a and c of one tap, b and d of the other.

        There are half as many a c as pairs (a, c), so that a quarter of the sums are enough.
        """
        values = self.taps.of((first, second))
        one, other = (
            self.passing(("squares", tap), partial(_squares, own))
            for tap, own in zip((first, second), values, strict=True)
        )
        sums = (one.T @ other)[_places(values[0].shape[1])][:, :, _places(values[1].shape[1])]
        return np.asarray(sums.swapaxes(1, 2).reshape(sums.shape[0] * sums.shape[2], -1))


def _products(one: Float[ndarray, "sample one"], other: Float[ndarray, "sample other"]) -> Array:
    """All products of features of both, those of the other fastest."""
    return np.asarray((one[:, :, None] * other[:, None, :]).reshape(len(one), -1))


def _sums(term: Sequence[Array], target: Float[ndarray, "sample column"]) -> Float[ndarray, "width column"]:
    """Sums over the samples of the features of a term times each column; its products are not made."""
    first, *others = term
    if not others:
        return np.asarray(first.T @ target)
    sums = _products(first, target).T @ others[0]
    return np.asarray(sums.reshape(first.shape[1], target.shape[1], -1).swapaxes(1, 2).reshape(-1, target.shape[1]))


def _squares(values: Float[ndarray, "sample feature"]) -> Float[ndarray, "sample product"]:
    """All products of two features of the same tap, each once."""
    one, other = np.tril_indices(values.shape[1])
    return np.asarray(values[:, one] * values[:, other])


def _places(width: int) -> Int[ndarray, "width width"]:
    """Where `_squares` has the product of each two features."""
    count = np.arange(width)
    larger, smaller = np.maximum.outer(count, count), np.minimum.outer(count, count)
    return np.asarray(larger * (larger + 1) // 2 + smaller)
