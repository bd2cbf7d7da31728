"""A search and the judge of its candidates together, so that nothing is fitted twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from plait.skew.findings.scorers import columns
from plait.skew.judge import Judge
from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import Tap, Terms
from plait.skew.search import Search, joined
from plait.skew.selection import Pairs, gains
from plait.skew.space import Pair, TapSpace
from plait.skew.uncertainty import Band, Scored, confidence_set, simultaneous


@dataclass(frozen=True)
class Evidence:
    """What a search gives by itself, and a judge for the rest, on the samples that chose.

    Args:
        search: What was found.
        judge: By what it was found.
        level: Level of the intervals, in (0, 1).
        margin: What the search gave away for sparsity.
    """

    search: Search
    judge: Judge
    level: float
    margin: float

    @property
    def space(self) -> TapSpace:
        """All pairs."""
        return self.search.space

    @property
    def place(self) -> int:
        """The candidate that the gain is of: the chosen one, or the best where no fusion is supported."""
        place = self.search.selection.place
        return int(np.argmax(self.search.fused.values)) if place is None else place

    @property
    def operator(self) -> str:
        """The operator of that candidate."""
        return self.search.sets[self.place][0]

    @property
    def operators(self) -> tuple[str, ...]:
        """All operators that were tried."""
        return tuple(dict.fromkeys(operator for operator, _ in self.search.sets))

    @cached_property
    def singles(self) -> dict[str, list[int]]:
        """The candidates of one pair, for each operator that has some."""
        found: dict[str, list[int]] = {}
        for row, (operator, pairs) in enumerate(self.search.sets):
            if len(pairs) == 1:
                found.setdefault(operator, []).append(row)
        return found

    def pairs(self, operator: str) -> list[Pair]:
        """The pairs that an operator was tried on one by one."""
        return [self.search.sets[row][1][0] for row in self.singles.get(operator, [])]

    @cached_property
    def gains(self) -> Scored:
        """Gains of all candidates over the best single tap."""
        return gains(self.search.fused, self.search.alone)

    @cached_property
    def band(self) -> Band:
        """Their simultaneous bounds."""
        return simultaneous(self.gains, self.level)

    @cached_property
    def best(self) -> Bool[ndarray, " candidate"]:
        """Candidates that are not told apart from the best one."""
        return confidence_set(self.search.fused, level=self.level)

    @cached_property
    def alone(self) -> dict[Tap, int]:
        """The place of each tap among those that were tried alone; of one tried by several heads, the best."""
        found: dict[Tap, int] = {}
        values = self.search.alone.values
        for place, tap in enumerate(self.search.taps):
            found[tap] = max(found.get(tap, place), place, key=lambda at: float(values[at]))
        return found

    def of_tap(self, tap: Tap) -> float:
        """Score of a tap by itself."""
        return float(self.search.alone.values[self.alone[tap]])

    def taps_of(self, modality: str) -> list[Tap]:
        """The taps of a modality."""
        return [tap for tap in self.alone if tap[0] == modality]

    def can_score(self, operator: str, pairs: Pairs) -> bool:
        """Whether a set was tried, or can be without training."""
        return operator in CLOSED_FORM or (operator, frozenset(pairs)) in self._known

    def sets(self, operator: str, sets: Sequence[Pairs]) -> Scored:
        """Scores of sets of pairs in any order: those of the search where it has them, of the judge where not."""
        keys = {(operator, frozenset(pairs)): pairs for pairs in sets}
        missing = {key: pairs for key, pairs in keys.items() if key not in self._known}
        if missing:
            found = self._fresh(operator, list(missing.values()))
            self._known.update({key: columns(found, [row]) for row, key in enumerate(missing)})
        return joined([self._known[operator, frozenset(pairs)] for pairs in sets])

    def heads(self, heads: Sequence[Terms]) -> Scored:
        """Score of the mean output of heads in closed form, as one candidate."""
        return self.judge.scored(self.judge.outputs(heads).mean(axis=0, keepdims=True))

    def _fresh(self, operator: str, sets: Sequence[Pairs]) -> Scored:
        """Scores of sets that the search has not tried; NaN by operators that have to be trained."""
        if operator in CLOSED_FORM:
            return self.judge.sets(operator, sets)
        return Scored(np.full(len(sets), np.nan), np.full((self.judge.how.draws, len(sets)), np.nan))

    @cached_property
    def _known(self) -> dict[tuple[str, frozenset[Pair]], Scored]:
        """Sets whose scores are known: at first those of the search."""
        fused = self.search.fused
        return {(name, frozenset(pairs)): columns(fused, [row]) for row, (name, pairs) in enumerate(self.search.sets)}
