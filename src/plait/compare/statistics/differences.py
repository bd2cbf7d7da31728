"""Is one better than the other? Tests of differences between two contenders on the same splits or samples."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import special

from plait.statistics.bootstrap import LEVEL, percentile_interval

_ALIKE = 1e-12
"""Relative size up to which numbers differ by rounding alone."""
_FLIPS = 9999
"""Sign patterns that are drawn where all of them are more than this."""


@dataclass(frozen=True)
class Difference:
    """How much better a is than b.

    Args:
        mean: The difference; positive where a is better, whatever the direction of the metric.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: Two-sided p-value of no difference; 1 where a and b are the same.
        p_better: Probability that a is better by more than the margin.
        p_worse: Probability that a is worse by more than the margin.
    """

    mean: float
    low: float
    high: float
    p: float
    p_better: float
    p_worse: float

    @property
    def p_equal(self) -> float:
        """Probability that the two differ by no more than the margin."""
        return max(0.0, 1 - self.p_better - self.p_worse)

    @property
    def p_in_favour(self) -> float:
        """One-sided p-value of "a is not better than b"."""
        return self.p / 2 if self.mean > 0 else 1 - self.p / 2


def corrected_t(differences: Float[ndarray, " split"], test_share: float, margin: float = 0.0) -> Difference:
    """The t test for splits whose training samples overlap, and its Bayesian reading.

    The variance of the mean over J splits is (1/J + test/train) s² with J - 1 degrees of freedom (Nadeau and Bengio,
    2003). With a flat prior the same t distribution, around the mean, is the posterior of the true difference
    (Benavoli, Corani, Demsar and Zaffalon, 2017, with a correlation of test / (test + train)).

    If all differences are the same, s is 0 and there is no t: p is then that of the sign test, 2^(1 - J) (1 if they
    are all 0), the interval is undefined (the point 0 if they are all 0), and the posterior is a point.

    Args:
        differences: One a split, positive where a is better; at least 2.
        test_share: Test samples over training samples of a split, above 0.
        margin: Differences up to this count as none, in units of the metric, at least 0.

    Raises:
        ValueError: If there are fewer than two differences.
    """
    count = len(differences)
    if count < 2:
        raise ValueError(f"A t test over splits needs at least 2 of them (got {count}). Test over samples instead.")
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if spread <= _ALIKE * float(np.abs(differences).max()):
        return _constant(mean, count, margin)
    scale, freedom = spread * np.sqrt(1 / count + test_share), count - 1
    half = scale * special.stdtrit(freedom, (1 + LEVEL) / 2)
    p, better, worse = special.stdtr(freedom, np.array([-abs(mean), mean - margin, -mean - margin]) / scale).tolist()
    return Difference(mean, mean - float(half), mean + float(half), 2 * p, better, worse)


def _constant(mean: float, count: int, margin: float) -> Difference:
    end = 0.0 if mean == 0 else float("nan")
    p = 1.0 if mean == 0 else 2.0 ** (1 - count)
    return Difference(mean, end, end, p, float(mean > margin), float(mean < -margin))


def drawn_difference(
    mean: float, drawn: Float[ndarray, " draw"], p: float | None = None, margin: float = 0.0
) -> Difference:
    """A difference on one test set, by its bootstrap over groups.

    Args:
        mean: The difference, positive where a is better.
        drawn: The difference in each draw; NaN where it is undefined.
        p: Two-sided p-value of another test; None is that of the bootstrap: twice the smaller share of draws on
            either side of 0, one draw added to both.
        margin: Differences up to this count as none. The shares of draws beyond it are the probabilities of
            better and worse (the bootstrap read as a posterior, after Rubin, 1981).
    """
    low, high = percentile_interval(drawn)
    known = drawn[np.isfinite(drawn)]
    if len(known) == 0:
        nan = float("nan")
        return Difference(mean, nan, nan, nan if p is None else p, nan, nan)
    tail = min((1 + np.sum(known <= 0)), (1 + np.sum(known >= 0))) / (1 + len(known))
    p = min(1.0, 2 * float(tail)) if p is None else p
    return Difference(mean, float(low), float(high), p, float(np.mean(known > margin)), float(np.mean(known < -margin)))


def sign_flips(sums: Float[ndarray, "group pair"], random_state: int = 0) -> Float[ndarray, " pair"]:
    """Two-sided p-values of no difference, by flipping the signs of whole groups (Fisher, 1935).

    If a and b are exchangeable within each group, the sum of its differences is as likely to have the other sign.
    All sign patterns are tried if they are fewer than 10,000 (up to 13 groups), else 9,999 are drawn, the same for
    all pairs, and the observed one is added. It is `scipy.stats.permutation_test(permutation_type="samples")` for
    many pairs at once.

    Args:
        sums: Sum of the differences of the samples of each group, one column a pair.
        random_state: Seed of the drawn patterns.
    """
    seen = np.abs(sums.sum(axis=0)) * (1 - _ALIKE)
    exact = 2 ** len(sums) <= _FLIPS
    patterns = _all_signs(len(sums)) if exact else np.random.default_rng(random_state).random((_FLIPS, len(sums))) < 0.5
    as_extreme = np.zeros(sums.shape[1])
    for part in np.array_split(patterns, 1 + patterns.size // 2_000_000):
        as_extreme += (np.abs(np.where(part, 1.0, -1.0) @ sums) >= seen).sum(axis=0)
    return as_extreme / len(patterns) if exact else (1 + as_extreme) / (1 + len(patterns))


def _all_signs(count: int) -> Bool[ndarray, "pattern group"]:
    return (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(bool)
