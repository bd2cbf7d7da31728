"""What a search tried: the common result of all searches, and the scans that they ask."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from plait.skew.judge import Judge
from plait.skew.search import Search, joined
from plait.skew.selection import Pairs, select
from plait.skew.uncertainty import Scored
from plait.statistics.bootstrap import LEVEL


@dataclass(frozen=True)
class Tried:
    """Every candidate that a search tried, with its scores on the judged rows: what the selection rule asks for.

    Args:
        sets: Operator and pairs of each candidate, none twice.
        fused: Their scores, on the draws of the judge.
        by_seed: The score by each seed of the heads, whose mean is in `fused`; one row where there is one seed, where
            heads are in closed form, and where a search asked for its candidates one after the other.
        chosen: What the search itself ended with. (It says nothing about whether fusion is supported.)
        history: What happened, step by step; its columns are the search's own.
        head_epochs: Passes over the training samples, summed over all heads that were trained; 0 in closed form.
    """

    sets: tuple[tuple[str, Pairs], ...]
    fused: Scored
    by_seed: Float[ndarray, "seed candidate"]
    chosen: Pairs
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    head_epochs: int = 0

    def search(self, judge: Judge, alone: Scored | None = None, margin: float = 0.0, level: float = LEVEL) -> Search:
        """These candidates as a search of their own, with its selection.

        Args:
            judge: The judge that scored them.
            alone: Scores of the judge's taps by themselves; None is by ridge heads. Trained heads are compared fairly
                with `stacked_taps`.
            margin: Score that may be given away for sparsity.
            level: Level of simultaneous bounds.
        """
        single = judge.alone(judge.taps) if alone is None else alone
        chosen = select(judge.space, self.pairs, self.fused, judge.taps, single, margin, level)
        return Search(judge.space, judge.metric, self.sets, self.fused, judge.taps, single, chosen)

    def added(self, search: Search, alone: Scored | None = None, margin: float = 0.0, level: float = LEVEL) -> Search:
        """A search with these candidates beside its own, and a new selection among all of them.

        Args:
            search: Candidates that were scored by the same judge.
            alone: Further scores of the taps of that search, by heads like those of these candidates; None is none.
            margin: Score that may be given away for sparsity.
            level: Level of simultaneous bounds.

        Raises:
            ValueError: If an operator is among those of both, so that its name would not say which heads are meant.
        """
        common = {name for name, _ in self.sets} & {name for name, _ in search.sets}
        if common:
            raise ValueError(f"Candidates of {sorted(common)} are in the search already; try others or search anew.")
        sets, fused = (*search.sets, *self.sets), joined([search.fused, self.fused])
        taps = search.taps if alone is None else search.taps * 2
        single = search.alone if alone is None else joined([search.alone, alone])
        chosen = select(search.space, [pairs for _, pairs in sets], fused, taps, single, margin, level)
        return Search(search.space, search.metric, sets, fused, taps, single, chosen)

    @property
    def pairs(self) -> tuple[Pairs, ...]:
        """The pairs of each candidate."""
        return tuple(pairs for _, pairs in self.sets)


Scan = Callable[[Sequence[Pairs]], Tried]
"""Scores sets of pairs, always on the same rows and draws: `closed_scan` or `stacked_scan` with all else given."""


def closed_scan(judge: Judge, sets: Sequence[Pairs] | None = None, operator: str = "concat") -> Tried:
    """Scores by ridge heads, as a search.

    Args:
        judge: Fits and scores.
        sets: The candidates; None is every single pair.
        operator: A key of `plait.skew.operators.CLOSED_FORM`.
    """
    candidates = singles(judge) if sets is None else tuple(sets)
    fused = judge.sets(operator, candidates)
    return Tried(tuple((operator, pairs) for pairs in candidates), fused, fused.values[None], best(candidates, fused))


def singles(judge: Judge) -> tuple[Pairs, ...]:
    """Every single pair, as a set."""
    return tuple((pair,) for pair in judge.space.all())


def best(sets: Sequence[Pairs], fused: Scored) -> Pairs:
    """The set with the highest score, the first of equals."""
    return sets[int(np.argmax(fused.values))]


def written(pairs: Pairs) -> str:
    """A set in a table: "image@12 + text@4; image@3 + text@1"."""
    return "; ".join(map(str, pairs))


class Memo:
    """A scan that is asked for every set once, whatever the order of its pairs.

    Args:
        scan: What scores.
    """

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.places: dict[frozenset[object], int] = {}
        self.parts: list[Tried] = []

    def __call__(self, sets: Sequence[Pairs]) -> Scored:
        """Scores of the sets, new ones all at once."""
        new = {key: pairs for pairs in sets if (key := frozenset(pairs)) not in self.places}
        if new:
            self.parts.append(self.scan(list(new.values())))
            self.places |= {key: len(self.places) + place for place, key in enumerate(new)}
        rows = [self.places[frozenset(pairs)] for pairs in sets]
        every = self._scores()
        return Scored(every.values[rows], every.drawn[:, rows])

    def __len__(self) -> int:
        """Number of different sets that were scored."""
        return len(self.places)

    def tried(self, chosen: Pairs, history: pd.DataFrame) -> Tried:
        """All that was asked for, in the order in which it was."""
        fused = self._scores()
        sets = tuple(one for part in self.parts for one in part.sets)
        spent = sum(part.head_epochs for part in self.parts)
        return Tried(sets, fused, fused.values[None], chosen, history, spent)

    def _scores(self) -> Scored:
        return joined([part.fused for part in self.parts])
