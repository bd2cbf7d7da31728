"""The search for the sparsest pair in closed form: the whole grid, sets built from its best, and the selection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy import ndarray
from tqdm.auto import tqdm

from plait.skew.greedy import forward
from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import PENALTIES, Tap, TapFeatures, ridge_outputs
from plait.skew.scaling import TapScaling, fit_scalings, scaled
from plait.skew.selection import Pairs, Selection, select
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored, scored
from plait.statistics.bootstrap import LEVEL
from plait.statistics.metrics import Metric


@dataclass(frozen=True)
class TapData:
    """Taps of layered encoders and what is to be predicted from them.

    Args:
        taps: By modality, one array (sample, feature) a tap.
        target: Codes of classes, or values.
        outputs: What heads are fitted to: an indicator a class, or the values.
        groups: Group of each sample, which the uncertainty is about; a sample of its own by default.
    """

    taps: Mapping[str, Sequence[Float[ndarray, "_ _"]]]
    target: Shaped[ndarray, "sample *column"]
    outputs: Float[ndarray, "sample out"]
    groups: Int[ndarray, " sample"]

    @property
    def space(self) -> TapSpace:
        """All pairs of the taps."""
        return TapSpace({name: len(own) for name, own in self.taps.items()})


@dataclass(frozen=True)
class ClosedForm:
    """How the grid is scanned: ridge heads on standardised taps.

    Args:
        operators: Which of "concat", "outer" and "concat+outer" are tried; the simplest first.
        rank: Principal components of a tap that are read by themselves, at least 1; None is all features.
        product_rank: Those that are read in products, whose number is the square of it.
        penalties: Penalty of a feature and of a product, as shares of the training samples, above 0.
        shortlist: Pairs from which greater sets are built: the best so many of each operator.
        most: Most pairs of a set.
        draws: Draws of the bootstrap.
        margin: Score that may be given away for sparsity.
        level: Level of simultaneous bounds.
        random_state: Seed of the draws.
    """

    operators: tuple[str, ...] = ("concat", "outer")
    rank: int | None = 64
    product_rank: int | None = 16
    penalties: tuple[float, float] = PENALTIES
    shortlist: int = 12
    most: int = 4
    draws: int = 2000
    margin: float = 0.0
    level: float = LEVEL
    random_state: int = 0

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
        judge = _Judge(self, data, train, validation, metric)
        space = data.space
        grid = [(pair,) for pair in space.all()]
        sets: list[tuple[str, Pairs]] = []
        scores: list[Scored] = []
        for name in tqdm(self.operators, desc="operators", disable=not verbose):
            found = judge.sets(name, grid)
            best = [grid[row][0] for row in np.argsort(-found.values, kind="stable")[: self.shortlist]]
            larger = [pairs for pairs in forward(partial(judge.sets, name), best, self.most) if len(pairs) > 1]
            sets += [(name, pairs) for pairs in (*grid, *larger)]
            scores += [found, judge.sets(name, larger)] if larger else [found]
        taps = tuple(judge.scalings)
        alone, fused = judge.alone(taps), joined(scores)
        chosen = select(space, [pairs for _, pairs in sets], fused, taps, alone, self.margin, self.level)
        return Search(space, metric, tuple(sets), fused, taps, alone, chosen)


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


@dataclass(frozen=True)
class _Judge:
    """Scores of sets and taps by heads that are fitted on training rows."""

    how: ClosedForm
    data: TapData
    train: Int[ndarray, " train"]
    validation: Int[ndarray, " held"]
    metric: Metric
    scalings: dict[Tap, TapScaling] = field(init=False)
    seen: TapFeatures = field(init=False)
    unseen: TapFeatures = field(init=False)

    def __post_init__(self) -> None:
        whole, few = (fit_scalings(self.data.taps, self.train, rank) for rank in (self.how.rank, self.how.product_rank))
        parts = [
            TapFeatures(scaled(self.data.taps, whole, rows), scaled(self.data.taps, few, rows))
            for rows in (self.train, self.validation)
        ]
        for name, value in zip(("scalings", "seen", "unseen"), (whole, *parts), strict=True):
            object.__setattr__(self, name, value)

    def sets(self, operator: str, sets: Sequence[Pairs]) -> Scored:
        return self._scored([CLOSED_FORM[operator](pairs) for pairs in sets])

    def alone(self, taps: Sequence[Tap]) -> Scored:
        return self._scored([((tap,),) for tap in taps])

    def _scored(self, heads: Sequence[tuple[tuple[Tap, ...], ...]]) -> Scored:
        data, how, rows = self.data, self.how, self.validation
        outputs = ridge_outputs(self.seen, data.outputs[self.train], self.unseen, heads, how.penalties)
        return scored(self.metric, data.target[rows], outputs, data.groups[rows], how.draws, how.random_state)
