"""What scores sets of pairs and outputs of heads: the search itself where it can, a judge where not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from plait.skew.judge import Judge
from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import Tap, Terms
from plait.skew.selection import Pairs
from plait.skew.uncertainty import Scored


@runtime_checkable
class Scorer(Protocol):
    """Scores on samples of its own, always the same ones and the same draws of them."""

    def sets(self, operator: str, sets: Sequence[Pairs]) -> Scored:
        """Scores of sets of pairs by an operator; NaN where it cannot tell."""
        ...

    def heads(self, heads: Sequence[Terms]) -> Scored:
        """Score of the mean output of heads in closed form, as one candidate."""
        ...


@dataclass(frozen=True)
class Fresh:
    """A judge as a scorer: it fits heads for all that it is asked.

    Args:
        judge: Of the samples.
    """

    judge: Judge

    def sets(self, operator: str, sets: Sequence[Pairs]) -> Scored:
        """Scores of sets of pairs; NaN by operators that have to be trained."""
        if operator in CLOSED_FORM:
            return self.judge.sets(operator, sets)
        return Scored(np.full(len(sets), np.nan), np.full((self.judge.how.draws, len(sets)), np.nan))

    def heads(self, heads: Sequence[Terms]) -> Scored:
        """Score of the mean output of heads in closed form."""
        return self.judge.scored(self.judge.outputs(heads).mean(axis=0, keepdims=True))


def columns(scores: Scored, rows: Sequence[int]) -> Scored:
    """Some of the candidates."""
    return Scored(scores.values[list(rows)], scores.drawn[:, list(rows)])


def mean(scores: Scored) -> Scored:
    """The mean of all candidates, in every draw of the same ones, as one candidate."""
    return Scored(scores.values.mean(keepdims=True), scores.drawn.mean(axis=1, keepdims=True))


def tap_name(tap: Tap) -> str:
    """A tap as it is written: "image@5"."""
    return f"{tap[0]}@{tap[1]}"


def text_of(pairs: Pairs) -> str:
    """A set of pairs as it is written: "image@12 + text@4; image@3 + text@1"."""
    return "; ".join(map(str, pairs))
