"""What a search on one fold chose, what its rivals put out on test rows, and how all of them compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from plait.skew.search import joined
from plait.skew.selection import Pairs, Selection, gains
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored, confidence_set, scored, selection_frequency, simultaneous
from plait.statistics.bootstrap import percentile_interval
from plait.statistics.metrics import Metric

CHOSEN, BEST_TAP, LATE_DECISIONS = "chosen", "best tap", "late decisions"
LATE, PAIRWISE, DIAGONAL, SKEW = "late pair", "pairwise", "best diagonal pair", "best skew pair"
Outputs = Float[ndarray, "copy test out"]


@dataclass(frozen=True)
class Judged:
    """One fold.

    Args:
        space: All pairs.
        sets: Operator and pairs of each candidate.
        fused: Their scores on validation rows.
        alone: Scores of the taps by themselves.
        selection: The choice.
        outputs: What the chosen one and its rivals put out for the test rows, by name; several copies of one are
            scored one by one, and their scores averaged.
    """

    space: TapSpace
    sets: Sequence[tuple[str, Pairs]]
    fused: Scored
    alone: Scored
    selection: Selection
    outputs: Mapping[str, Outputs]

    @property
    def words(self) -> str:
        """The choice: verdict, operator and pairs, or the tap that is used instead."""
        chosen = self.selection
        if chosen.place is None:
            return f"{chosen.verdict}: {chosen.tap[0]}@{chosen.tap[1]}"
        return f"{chosen.verdict}: {self.sets[chosen.place][0]} of {', '.join(map(str, chosen.pairs))}"

    @property
    def facts(self) -> dict[str, float]:
        """Numbers of the choice, on validation rows.

        Gains are over the best tap. Those of the "best" set, of whatever size, with its simultaneous lower bound;
        "skew effect" is the best skew pair minus the best diagonal one, with a pointwise interval; "p_skew" how often a
        skew pair is the best pair in resampled rows; "near" how many pairs of all are not told apart from the best.
        """
        over = gains(self.fused, self.alone)
        low, best = simultaneous(over).low, int(np.argmax(over.values))
        single, skewness = self._singles()
        effect, drawn = self._skew_effect(single, skewness)
        ends = percentile_interval(drawn)
        frequency = selection_frequency(single)
        return {
            "fused": float(self.selection.place is not None),
            "pairs": float(len(self.selection.pairs)),
            "validation_gain": float(over.values[best]),
            "validation_gain_low": float(low[best]),
            "supported": float(np.count_nonzero(low > 0)),
            "near": float(confidence_set(single).sum()),
            "p_skew": float(frequency[skewness != 0].sum()),
            "skew_effect": effect,
            "skew_effect_low": float(ends[0]),
            "skew_effect_high": float(ends[1]),
        }

    def _singles(self) -> tuple[Scored, Int[ndarray, " single"]]:
        """Scores of the single pairs, and the skewness of each."""
        rows = [row for row, (_, pairs) in enumerate(self.sets) if len(pairs) == 1]
        skewness = np.array([self.space.skewness(self.sets[row][1][0]) for row in rows])
        return Scored(self.fused.values[rows], self.fused.drawn[:, rows]), skewness

    def _skew_effect(self, single: Scored, skewness: Int[ndarray, " single"]) -> tuple[float, Float[ndarray, " draw"]]:
        best = [
            rows[np.argmax(single.values[rows])] for rows in (np.flatnonzero(skewness), np.flatnonzero(skewness == 0))
        ]
        skew, diagonal = best
        return float(single.values[skew] - single.values[diagonal]), single.drawn[:, skew] - single.drawn[:, diagonal]

    def grid(self) -> dict[str, dict[str, float]]:
        """Validation scores of all single pairs that were scored: a row a tap of the first, by operator."""
        found: dict[str, dict[str, float]] = {}
        for (operator, pairs), value in zip(self.sets, self.fused.values, strict=True):
            if len(pairs) == 1:
                row = found.setdefault(f"{operator} {pairs[0].first}@{pairs[0].i}", {})
                row[f"{pairs[0].second}@{pairs[0].j}"] = float(value)
        return found


@dataclass(frozen=True)
class Compared:
    """A rival on the test rows of all folds; scores are greater-is-better.

    Args:
        score: Its score.
        low: Lower end of the percentile interval.
        high: Upper end.
        difference: Score of the chosen one minus its own, on the same draws.
        difference_low: Lower end of the interval of that one comparison.
        difference_high: Upper end.
    """

    score: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float


def compared(
    metric: Metric,
    target: Int[ndarray, " test"],
    groups: Int[ndarray, " test"],
    outputs: Mapping[str, Outputs],
    draws: int,
    random_state: int,
) -> dict[str, Compared]:
    """Scores of all on test rows, and what the chosen one is ahead of each: a paired bootstrap of the groups."""
    means = [
        _mean(scored(metric, target, one.astype(np.float64), groups, draws, random_state)) for one in outputs.values()
    ]
    whole = joined(means)
    ahead = whole.minus(list(outputs).index(CHOSEN))
    ends = percentile_interval(whole.drawn), percentile_interval(-ahead.drawn)
    columns = (whole.values, *ends[0], -ahead.values, *ends[1])
    return {name: Compared(*(float(column[place]) for column in columns)) for place, name in enumerate(outputs)}


def pooled(folds: Sequence[Judged]) -> dict[str, Outputs]:
    """Outputs of all folds, one after the other; each fold has chosen for itself."""
    return {name: np.concatenate([fold.outputs[name] for fold in folds], axis=1) for name in folds[0].outputs}


def _mean(copies: Scored) -> Scored:
    return Scored(copies.values.mean(keepdims=True), copies.drawn.mean(axis=1, keepdims=True))
