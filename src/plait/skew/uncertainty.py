"""How sure a choice among many candidates is: simultaneous intervals, the set of the best, how often each is chosen.

Everything works on scores of the same resampled examples, greater is better: nothing is fitted again.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from plait.statistics.bootstrap import LEVEL, weight_chunks
from plait.statistics.metrics import Metric


@dataclass(frozen=True)
class Scored:
    """Candidates by a metric, greater is better.

    Args:
        values: Score of each candidate.
        drawn: Its score in every draw of the examples, the same draws for all candidates.
    """

    values: Float[ndarray, " candidate"]
    drawn: Float[ndarray, "draw candidate"]

    def minus(self, candidate: int) -> "Scored":
        """Gains of all over one of them, in every draw over the same one."""
        one = slice(candidate, candidate + 1)
        return Scored(self.values - self.values[one], self.drawn - self.drawn[:, one])

    def behind(self) -> "Scored":
        """How far each is behind the one with the best score (that one stays the best in every draw)."""
        ahead = self.minus(int(np.argmax(self.values)))
        return Scored(-ahead.values, -ahead.drawn)


def scored(
    metric: Metric,
    target: ndarray,
    outputs: Float[ndarray, "candidate sample out"],
    groups: Int[ndarray, " sample"],
    draws: int = 2000,
    random_state: int = 0,
) -> Scored:
    """Score candidates, also in draws of the groups with replacement (the paired cluster bootstrap).

    Args:
        metric: What is scored; lower-is-better ones are negated.
        target: Codes of classes, or values.
        outputs: What each candidate puts out.
        groups: Group of each sample; whole groups are drawn. A group of its own a sample is the ordinary bootstrap.
        draws: Draws, at least 1.
        random_state: Seed of the draws.
    """
    whole = np.ones((1, len(target)))  # each sample once; `metric.score` is the same, checked anew for each candidate
    values = np.array([metric.weighted(target, one, whole)[0] for one in outputs])
    drawn = np.empty((draws, len(outputs)))
    for rows, weights in weight_chunks(groups, draws, random_state):
        drawn[rows] = np.column_stack([metric.weighted(target, one, weights) for one in outputs])
    return Scored(metric.sign * values, metric.sign * drawn)


@dataclass(frozen=True)
class Band:
    """Simultaneous one-sided bounds: all hold together with the level's probability.

    Args:
        low: Lower bounds.
        high: Upper bounds, of the same level by themselves.
        error: Bootstrap standard errors.
        quantile: How many standard errors the lower bounds are below: t*.
    """

    low: Float[ndarray, " candidate"]
    high: Float[ndarray, " candidate"]
    error: Float[ndarray, " candidate"]
    quantile: float


def simultaneous(scores: Scored, level: float = LEVEL) -> Band:
    """Bounds by the studentised max-T (Romano and Wolf, 2005): t* is a quantile of the largest of all deviations.

    A candidate that does not vary between draws has bounds without width and does not widen the others'.

    Args:
        scores: Candidates, or their differences to something.
        level: Probability that every lower bound is below what it bounds, in (0, 1).
    """
    error = scores.drawn.std(axis=0, ddof=1)
    deviations = np.zeros_like(scores.drawn)
    np.divide(scores.drawn - scores.values, error, out=deviations, where=error > 0)
    lowest, highest = (np.quantile((sign * deviations).max(axis=1), level) for sign in (1, -1))
    return Band(scores.values - lowest * error, scores.values + highest * error, error, float(lowest))


def confidence_set(scores: Scored, margin: float = 0.0, level: float = LEVEL) -> Bool[ndarray, " candidate"]:
    """Candidates that are not significantly more than a margin behind the best: the resolution of a search.

    Args:
        scores: Candidates.
        margin: What may be given away, at least 0.
        level: Level of the simultaneous bounds.
    """
    return np.asarray(simultaneous(scores.behind(), level).low <= margin)


def selection_frequency(scores: Scored) -> Float[ndarray, " candidate"]:
    """Share of the draws in which each candidate is the best; those that tie share a draw."""
    best = scores.drawn == scores.drawn.max(axis=1, keepdims=True)
    return np.asarray((best / best.sum(axis=1, keepdims=True)).mean(axis=0))
