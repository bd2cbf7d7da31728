"""The search for the sparsest pair in closed form: the whole grid, sets built from its best, and the selection."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from tqdm.auto import tqdm

from plait.skew.greedy import forward
from plait.skew.judge import HeadSettings, Judge, Split, TapData
from plait.skew.ridge import Tap
from plait.skew.selection import Pairs, Selection, select
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored
from plait.statistics.bootstrap import LEVEL
from plait.statistics.metrics import Metric


@dataclass(frozen=True)
class ClosedForm:
    """How the grid is scanned: ridge heads on standardised taps.

    Args:
        operators: Which of "concat", "outer" and "concat+outer" are tried; the simplest first.
        heads: Of the heads, and of how they are judged.
        shortlist: Pairs from which greater sets are built: the best so many of each operator.
        most: Most pairs of a set.
        margin: Score that may be given away for sparsity.
        level: Level of simultaneous bounds.
    """

    operators: tuple[str, ...] = ("concat", "outer")
    heads: HeadSettings = field(default_factory=HeadSettings)
    shortlist: int = 12
    most: int = 4
    margin: float = 0.0
    level: float = LEVEL

    def search(
        self,
        data: TapData,
        train: Int[ndarray, " train"],
        validation: Int[ndarray, " held"],
        metric: Metric,
        verbose: int = 0,
    ) -> "Search":
        """Fit heads on training rows, judge them on validation rows, and choose.

        Args:
            data: Taps and target.
            train: Rows for scalings and heads.
            validation: Other rows, by which pairs are chosen.
            metric: What they are judged by.
            verbose: 0 shows no progress.
        """
        return self.judged(Judge(self.heads, [Split(data, train, validation)], metric), verbose)

    def judged(self, judge: Judge, verbose: int = 0) -> "Search":
        """Choose by what a judge says.

        Args:
            judge: It has the heads' settings of its own.
            verbose: 0 shows no progress.
        """
        space = judge.space
        grid = [(pair,) for pair in space.all()]
        sets: list[tuple[str, Pairs]] = []
        scores: list[Scored] = []
        for name in tqdm(self.operators, desc="operators", disable=not verbose):
            found = judge.sets(name, grid)
            best = [grid[row][0] for row in np.argsort(-found.values, kind="stable")[: self.shortlist]]
            larger = [pairs for pairs in forward(partial(judge.sets, name), best, self.most) if len(pairs) > 1]
            sets += [(name, pairs) for pairs in (*grid, *larger)]
            scores += [found, judge.sets(name, larger)] if larger else [found]
        taps = judge.taps
        alone, fused = judge.alone(taps), joined(scores)
        chosen = select(space, [pairs for _, pairs in sets], fused, taps, alone, self.margin, self.level)
        return Search(space, judge.metric, tuple(sets), fused, taps, alone, chosen)


@dataclass(frozen=True)
class Search:
    """What was searched, and what came out.

    Args:
        space: All pairs.
        metric: What was scored; `fused` and `alone` are greater-is-better.
        sets: Operator and pairs of each candidate; for every operator all pairs in the order of the space come first.
        fused: Scores of the candidates on validation rows.
        taps: The taps that were tried alone.
        alone: Their scores on the same rows and draws.
        selection: The choice.
    """

    space: TapSpace
    metric: Metric
    sets: tuple[tuple[str, Pairs], ...]
    fused: Scored
    taps: tuple[Tap, ...]
    alone: Scored
    selection: Selection

    @property
    def operator(self) -> str | None:
        """Operator of the choice; None if no fusion is supported."""
        place = self.selection.place
        return None if place is None else self.sets[place][0]

    def grid(self, operator: str, between: tuple[str, str] | None = None) -> Float[ndarray, "i j"]:
        """Scores of all single pairs of two modalities by an operator; row i - 1 is tap i of the first."""
        first, second = between or self.space.edges[0]
        pairs = {(operator, (pair,)) for pair in self.space.all((first, second))}
        rows = [row for row, one in enumerate(self.sets) if one in pairs]
        return self.fused.values[rows].reshape(self.space.depths[first], self.space.depths[second])


def joined(scores: Sequence[Scored]) -> Scored:
    """Candidates of several scorings on the same draws, one after the other."""
    return Scored(np.concatenate([one.values for one in scores]), np.hstack([one.drawn for one in scores]))
