"""Stability selection: which pairs are among the best in halves of the training samples, again and again."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from tqdm.auto import trange

from plait.skew.judge import HeadSettings, Judge, Split, TapData
from plait.skew.space import Pair
from plait.statistics.metrics import Metric


@dataclass(frozen=True)
class Stability:
    """How often each pair was among the best.

    Args:
        pairs: All pairs.
        frequency: Share of the halves in which each was one of the best so many.
        best: How many that was.
    """

    pairs: tuple[Pair, ...]
    frequency: Float[ndarray, " pair"]
    best: int

    def kept(self, threshold: float = 0.9) -> tuple[Pair, ...]:
        """Pairs of at least this frequency, above 1/2 and at most 1."""
        return tuple(self.pairs[row] for row in np.flatnonzero(self.frequency >= _checked(threshold)))

    def false_at_most(self, threshold: float = 0.9) -> float:
        """Expected number of pairs that are kept by chance alone, at most (Meinshausen and Buehlmann, 2010)."""
        return float(self.best**2 / ((2 * _checked(threshold) - 1) * len(self.pairs)))


def _checked(threshold: float) -> float:
    if not 0.5 < threshold <= 1:
        raise ValueError(f"The threshold must be above 1/2 and at most 1 (got {threshold}).")
    return threshold


def stability_selection(
    data: TapData,
    train: Int[ndarray, " train"],
    validation: Int[ndarray, " held"],
    metric: Metric,
    operator: str = "concat",
    *,
    heads: HeadSettings | None = None,
    repeats: int = 100,
    best: int = 3,
    random_state: int = 0,
    verbose: int = 0,
) -> Stability:
    """Fit all pairs on random halves of the training rows, and count how often each is among the best.

    Args:
        data: Taps and target.
        train: Rows of which halves are drawn without replacement.
        validation: Rows that judge.
        metric: What they judge by.
        operator: A closed-form operator.
        heads: Of the heads; the bootstrap is not used.
        repeats: Number of halves, at least 1.
        best: How many pairs a half may name, at least 1.
        random_state: Seed of the halves.
        verbose: 0 shows no progress.
    """
    random = np.random.default_rng(random_state)
    pairs, settings = data.space.all(), replace(heads or HeadSettings(), draws=1)
    count = np.zeros(len(pairs))
    for _ in trange(repeats, desc="halves", disable=not verbose):
        half = random.permutation(train)[: len(train) // 2]
        values = (
            Judge(settings, [Split(data, half, validation)], metric).sets(operator, [(pair,) for pair in pairs]).values
        )
        count[np.argsort(-values, kind="stable")[:best]] += 1
    return Stability(pairs, count / repeats, best)
