"""What a search on planted taps came to, in numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.reproduce.planted_data import Planted
from plait.reproduce.study import Found, Table
from plait.skew.judge import HeadSettings, Judge, Split
from plait.skew.operators import CLOSED_FORM, concat
from plait.skew.search import Search
from plait.skew.selection import Pairs
from plait.skew.space import Pair, TapSpace
from plait.skew.uncertainty import Scored, confidence_set, selection_frequency
from plait.statistics.bootstrap import percentile_interval
from plait.statistics.metrics import primary

Outputs = Callable[[Sequence[Pairs]], Float[ndarray, "set test out"]]
"""From sets of pairs to what their heads put out for the test rows."""
ACCURACY = primary("classification")
DECIDED = ("chosen", "tap", "late", "diagonal", "dense")
"""What is scored on test rows: the choice, the best tap, the last taps, the best diagonal pair, all taps at once.

Where no fusion is supported, the set with the best validation score stands for the choice.
"""


@dataclass(frozen=True)
class Trial:
    """A finished search, and the heads of its candidates on rows that nothing was chosen by.

    Args:
        planted: What was searched.
        search: What came out; the single pairs of its first operator come first.
        outputs: The heads of that operator.
        heads: Of ridge heads on taps by themselves and on all taps, and of the bootstrap.
    """

    planted: Planted
    search: Search
    outputs: Outputs
    heads: HeadSettings

    def found(self) -> Found:
        """Numbers and tables.

        Scores are accuracies. Those of the choice itself (`validation_score`, `gain`, `gain_low`, frequencies, the set
        of the best) are of validation rows; all others are of test rows.
        """
        grid = self._test_grid()
        numbers = {**self._chosen(), **self._sureness(), **self._against_oracle(grid), **self._tested()}
        tables: dict[str, Table] = {"verdict": {self.search.selection.verdict: {"runs": 1.0}}}
        tables["grid"] = _by_tap(self.search.space, grid)
        tables["oracle"] = _by_tap(self.search.space, self.planted.best_possible)
        return Found(numbers, tables)

    @property
    def _place(self) -> int:
        """The set that is chosen, or would be."""
        place = self.search.selection.place
        return int(np.argmax(self.search.fused.values)) if place is None else place

    @property
    def _singles(self) -> Scored:
        """Single pairs on validation rows."""
        count, fused = len(self.search.space), self.search.fused
        return Scored(fused.values[:count], fused.drawn[:, :count])

    @property
    def _planted_places(self) -> list[int]:
        pairs = self.search.space.all()
        return [pairs.index(pair) for pair in self.planted.pairs]

    def _chosen(self) -> dict[str, float]:
        choice = self.search.selection
        return {
            "recovered": float(set(choice.pairs) == set(self.planted.pairs)),
            "pairs": float(len(choice.pairs)),
            "validation_score": float(self.search.fused.values[self._place]),
            "gain": choice.gain,
            "gain_low": choice.low,
            "first_tap_as_planted": self._first_tap(),
        }

    def _first_tap(self) -> float:
        """Whether the best tap of the first modality is the one that can be best."""
        name, *_ = self.search.space.depths
        own = [row for row, (modality, _) in enumerate(self.search.taps) if modality == name]
        return float(np.argmax(self.search.alone.values[own]) == np.argmax(self.planted.alone[name]))

    def _sureness(self) -> dict[str, float]:
        frequency, inside = selection_frequency(self._singles), confidence_set(self._singles)
        places = self._planted_places
        return {
            "planted_frequency": float(frequency[places].sum()) if places else float("nan"),
            "winner_frequency": float(frequency.max()),
            "confidence_set": float(inside.sum()),
            "planted_in_confidence_set": float(inside[places].all()) if places else float("nan"),
        }

    def _against_oracle(self, grid: Float[ndarray, " pair"]) -> dict[str, float]:
        best = self.planted.best_possible
        flat = np.ptp(best) == 0 or np.ptp(grid) == 0
        return {
            "correlation": float("nan") if flat else float(np.corrcoef(grid, best)[0, 1]),
            "max_deviation": float(np.abs(grid - best).max()),
            "off_chance": float(np.abs(grid - self.planted.chance).max()),
        }

    def _tested(self) -> dict[str, float]:
        """Scores of `DECIDED` on test rows, and the gain of the choice over the best tap with its interval."""
        judge, space = self._judge(), self.search.space
        diagonal = [row for row, pair in enumerate(space.all()) if space.skewness(pair) == 0]
        best = space.all()[max(diagonal, key=lambda row: self._singles.values[row])]
        sets = [self.search.sets[self._place][1], space.late(), (best,)]
        chosen, late, square = self.outputs(sets)
        tap, dense = judge.outputs([((self.search.selection.tap,),), concat(space.all())])
        scores = judge.scored(np.stack([chosen, tap, late, square, dense]))
        low, high = percentile_interval(scores.drawn[:, 0] - scores.drawn[:, 1])
        named = {f"test_{name}": float(value) for name, value in zip(DECIDED, scores.values, strict=True)}
        over = {"test_gain": named["test_chosen"] - named["test_tap"], "test_gain_low": float(low)}
        return {
            **named,
            **over,
            "test_gain_high": float(high),
            "over_dense": named["test_chosen"] - named["test_dense"],
        }

    def _test_grid(self) -> Float[ndarray, " pair"]:
        """Scores of all single pairs on test rows."""
        target = self.planted.data.target[self.planted.test]
        found = self.outputs([(pair,) for pair in self.search.space.all()])
        return np.array([ACCURACY.sign * ACCURACY.score(target, one) for one in found])

    def _judge(self) -> Judge:
        return test_judge(self.planted, self.heads)


def test_judge(planted: Planted, heads: HeadSettings) -> Judge:
    """A judge by test rows."""
    return Judge(heads, [Split(planted.data, planted.train, planted.test)], ACCURACY)


def closed_form_outputs(judge: Judge, operator: str) -> Outputs:
    """Of ridge heads."""
    return lambda sets: judge.outputs([CLOSED_FORM[operator](pairs) for pairs in sets])


def _by_tap(space: TapSpace, values: Float[ndarray, " pair"]) -> dict[str, dict[str, float]]:
    """One number a pair as a table: taps of the first modality down, of the second across."""
    table: dict[str, dict[str, float]] = {}
    for pair, value in zip(space.all(), values.tolist(), strict=True):
        first, second = _taps(pair)
        table.setdefault(first, {})[second] = value
    return table


def _taps(pair: Pair) -> tuple[str, str]:
    return f"{pair.first}@{pair.i}", f"{pair.second}@{pair.j}"
