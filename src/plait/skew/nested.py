"""Little data: inner folds choose the pairs, outer folds report them, and no sample does both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray
from tqdm.auto import tqdm

from plait.data.settings import check_whole
from plait.skew.judge import Judge, Split, TapData
from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import Terms
from plait.skew.search import ClosedForm
from plait.skew.selection import Selection
from plait.skew.uncertainty import Scored, scored
from plait.statistics.bootstrap import LEVEL, percentile_interval
from plait.statistics.metrics import METRICS, Metric
from plait.training.splits import validation_folds

CONTENDERS = ("chosen", "best tap", "late pair")
"""What every outer fold reports: the choice of its inner folds (the best tap, where they support no fusion), the best
single tap of the inner folds, and the last taps."""


@dataclass(frozen=True)
class FoldChoice:
    """What the inner folds of one outer fold came to.

    Args:
        fold: The outer fold, from 0.
        operator: Operator of the pairs; "" where no fusion is supported.
        selection: The choice, and how it was made.
    """

    fold: int
    operator: str
    selection: Selection


@dataclass(frozen=True)
class Nested:
    """Scores of what was chosen, on samples that had no part in choosing it.

    The folds may choose differently: the scores are of the procedure, not of one set of pairs.

    Args:
        metric: What was scored.
        folds: The outer fold that reports each sample, from 0.
        choices: What was chosen, fold by fold.
        scores: Of `CONTENDERS`, greater is better, over all samples and on the same draws of the groups.
    """

    metric: Metric
    folds: Int[ndarray, " sample"]
    choices: tuple[FoldChoice, ...]
    scores: Scored

    def table(self, level: float = LEVEL) -> pd.DataFrame:
        """Scores and what the choice is ahead of each, with percentile intervals of the cluster bootstrap.

        Draws fit nothing again: an interval is about other samples, not about other training samples, whose folds
        overlap.

        Args:
            level: Coverage, in (0, 1).

        Returns:
            name, score, low, high, difference (the choice minus it), difference_low, difference_high; greater is
            better.
        """
        values, drawn = self.scores.values, self.scores.drawn
        ahead = drawn[:, :1] - drawn
        columns = {"score": values, **_ends("", drawn, level), "difference": values[0] - values}
        return pd.DataFrame({"name": CONTENDERS, **columns, **_ends("difference_", ahead, level)})

    @property
    def chosen(self) -> pd.DataFrame:
        """What was chosen in each outer fold: fold, verdict, operator, pairs, tap, and its gain on the inner folds."""
        return pd.DataFrame(map(_told, self.choices))


def nested(
    data: TapData,
    how: ClosedForm,
    metric: Metric,
    folds: int = 5,
    inner: int = 4,
    random_state: int = 0,
    verbose: int = 0,
) -> Nested:
    """Choose pairs on inner folds and report them on outer ones.

    For each outer fold the rest is divided into inner folds; every candidate is fitted on all of these but one and
    judged on that one; the choice is fitted again on the whole rest and reported on the outer fold. Folds are
    stratified by class and never divide a group.

    Args:
        data: Taps, target and groups.
        how: The search.
        metric: What is judged. Where folds cannot be pooled (AUC), the report is the mean over the outer folds; the
            choice pools its inner folds, whose heads have one scale.
        folds: Outer folds, at least 2.
        inner: Inner folds, at least 2.
        random_state: Seed of the folds.
        verbose: 0 shows no progress.

    Raises:
        ValueError: If there are fewer than two folds of either kind, or fewer groups than folds.
    """
    check_whole("folds", folds, 2)
    check_whole("inner", inner, 2)
    everyone = np.arange(len(data.target))
    outer = _folds(data, everyone, metric, folds, random_state)
    choices, parts = [], []
    for fold in tqdm(range(folds), desc="outer folds", disable=not verbose):
        train, test = everyone[outer != fold], everyone[outer == fold]
        choice = _choice(data, how, metric, train, _folds(data, train, metric, inner, random_state), fold)
        parts.append(
            (test, Judge(how.heads, [Split(data, train, test)], metric).outputs(_contenders(choice, data, how)))
        )
        choices.append(choice)
    return Nested(metric, outer, tuple(choices), _scored(data, how, metric, parts))


def _folds(
    data: TapData, rows: Int[ndarray, " row"], metric: Metric, count: int, random_state: int
) -> Int[ndarray, " row"]:
    """The fold of each of some samples, by class and by group."""
    groups = data.groups[rows]
    found = len(np.unique(groups))
    if found < count:
        raise ValueError(
            f"{count} folds need as many groups of samples, got {found}. Use fewer folds or give more data."
        )
    classes = data.target[rows] if metric in METRICS["classification"].values() else None
    return validation_folds(len(rows), count, classes, groups if found < len(rows) else None, random_state)


def _choice(
    data: TapData, how: ClosedForm, metric: Metric, train: Int[ndarray, " row"], inner: Int[ndarray, " row"], fold: int
) -> FoldChoice:
    """By all samples of the inner folds, each judged by heads that did not see it."""
    splits = [Split(data, train[inner != one], train[inner == one]) for one in np.unique(inner)]
    search = how.judged(Judge(how.heads, splits, metric))
    return FoldChoice(fold, search.operator or "", search.selection)


def _contenders(choice: FoldChoice, data: TapData, how: ClosedForm) -> list[Terms]:
    """What the heads of `CONTENDERS` read; the last taps by the operator of the choice, or by the first one."""
    tap: Terms = ((choice.selection.tap,),)
    join = CLOSED_FORM[choice.operator or how.operators[0]]
    pairs, late = choice.selection.pairs, data.space.late()
    return [join(pairs) if pairs else tap, tap, join(late)]


Part = tuple[Int[ndarray, "_"], Float[ndarray, "contender _ out"]]
"""Rows of an outer fold, and what the contenders put out for them."""


def _scored(data: TapData, how: ClosedForm, metric: Metric, parts: Sequence[Part]) -> Scored:
    """Scores over all samples; the mean over the folds of a metric that cannot be pooled."""
    if not metric.by_fold:
        parts = [(np.concatenate([rows for rows, _ in parts]), np.concatenate([one for _, one in parts], axis=1))]
    draws, seed = how.heads.draws, how.heads.random_state
    each = [
        scored(metric, data.target[rows], outputs, data.groups[rows], draws, seed + place)
        for place, (rows, outputs) in enumerate(parts)
    ]
    return Scored(_mean([one.values for one in each]), _mean([one.drawn for one in each]))


def _mean(values: Sequence[Float[ndarray, "*what"]]) -> Float[ndarray, "*what"]:
    """Mean over the folds in which it is defined."""
    stacked = np.stack(values)
    known = np.isfinite(stacked)
    total, count = np.where(known, stacked, 0.0).sum(axis=0), known.sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _ends(name: str, drawn: Float[ndarray, "draw contender"], level: float) -> dict[str, Float[ndarray, " contender"]]:
    low, high = percentile_interval(drawn, level)
    return {f"{name}low": low, f"{name}high": high}


def _told(choice: FoldChoice) -> dict[str, object]:
    found = choice.selection
    told: dict[str, object] = {"fold": choice.fold, "verdict": found.verdict, "operator": choice.operator}
    told |= {"pairs": "; ".join(map(str, found.pairs)), "tap": f"{found.tap[0]}@{found.tap[1]}"}
    return {**told, "gain": found.gain}
