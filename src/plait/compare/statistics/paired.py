"""Every pair of contenders: how much better one is, how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from plait.compare.outcomes import Outcomes, Predicted, Truth
from plait.compare.statistics.differences import Difference, corrected_t, drawn_difference, sign_flips
from plait.compare.statistics.multiple import holm
from plait.compare.statistics.scores import drawn_scores, mean_scores, split_scores
from plait.statistics.metrics import Metric, metric_by_name

COLUMNS = (
    "a",
    "b",
    "difference",
    "low",
    "high",
    "p",
    "p_holm",
    "p_better",
    "p_equal",
    "p_worse",
    "test",
    "runs",
)


@dataclass(frozen=True)
class Paired:
    """Contenders side by side, ready to be compared in pairs.

    Args:
        means: Mean of each contender by the metric: over the splits that can be scored where splits are tested, over
            all samples where samples are.
        differences: Each pair (a, b) of them.
        test: What the p-values are of: "corrected t over 10 splits", "sign-flip over 106 groups", ...
    """

    means: Mapping[str, float]
    differences: Mapping[tuple[str, str], Difference]
    test: str

    def between(self, a: str, b: str) -> Difference:
        """How much better a is than b, whichever way round the pair stands."""
        if (a, b) in self.differences:
            return self.differences[a, b]
        turned = self.differences[b, a]
        return Difference(-turned.mean, -turned.high, -turned.low, turned.p, turned.p_worse, turned.p_better)


def paired_table(
    outcomes: Outcomes, metric: str, margin: float = 0.01, draws: int = 1000, random_state: int = 0
) -> pd.DataFrame:
    """All pairs of baselines, single modalities and fusions, in the order of the contenders.

    Args:
        outcomes: What was predicted.
        metric: Name of the metric.
        margin: Differences up to this count as none, in units of the metric, at least 0.
        draws: Draws of the bootstrap, where there is one split.
        random_state: Seed of draws.

    Returns:
        Columns `a`, `b`; `difference`: a minus b, positive where a is better whatever the direction of the metric;
        `low`, `high`: its 95 % interval; `p`: two-sided; `p_holm`: adjusted over all pairs; `p_better`, `p_equal`,
        `p_worse`: probabilities that a is better by more than the margin, within it, worse by more; `test`: what p is
        of (see `compare_pairs`); `runs`: fits of a.

    Raises:
        ValueError: If the task has no such metric, or the margin is negative.
    """
    judged = outcomes.checked().of_kind("baseline", "single", "fusion")
    paired = compare_pairs(judged, metric_by_name(judged.truth.task, metric), margin, draws, random_state)
    return pairs_frame(judged, paired)


def pairs_frame(outcomes: Outcomes, paired: Paired) -> pd.DataFrame:
    """The table of `paired_table`."""
    adjusted = holm(np.array([one.p for one in paired.differences.values()]))
    splits = len(outcomes.truth.splits)
    rows = [
        (a, b, one.mean, one.low, one.high, one.p, p_holm, one.p_better, one.p_equal, one.p_worse, paired.test, runs)
        for ((a, b), one), p_holm in zip(paired.differences.items(), adjusted, strict=True)
        for runs in [len(outcomes[a].outputs) * splits]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def compare_pairs(
    outcomes: Outcomes, metric: Metric, margin: float = 0.01, draws: int = 1000, random_state: int = 0
) -> Paired:
    """Compare all pairs of contenders, none of which failed.

    - Several splits: the corrected t test of the differences of the splits, each the mean over seeds (`corrected_t`).
      Splits in which the metric is undefined (the AUC where a class is lacking) are left out for all.
    - One split that can be scored (a published test set; folds of one sample for R²): the difference over all samples
      with its bootstrap interval over groups; p by sign flips of the groups (`sign_flips`) of the metric's losses,
      or from the same bootstrap where the metric has none.

    Raises:
        ValueError: If the margin is negative.
    """
    if not margin >= 0:
        raise ValueError(f"The margin is a size, at least 0 in units of the metric (got {margin!r}).")
    labels = list(outcomes.contenders)
    truth, members = outcomes.truth, outcomes.contenders.values()
    each = np.array([split_scores(truth, one, metric).mean(axis=0) for one in members])
    each = metric.sign * each.reshape(len(labels), len(truth.splits))
    defined = each[:, np.isfinite(each).all(axis=0)]
    if defined.shape[1] < 2:
        return _over_groups(outcomes, metric, margin, draws, random_state)
    means = {label: float(metric.sign * score) for label, score in zip(labels, defined.mean(axis=1), strict=True)}
    differences = {
        (labels[a], labels[b]): corrected_t(_apart(defined[a], defined[b]), truth.test_share, margin)
        for a, b in combinations(range(len(labels)), 2)
    }
    return Paired(means, differences, f"corrected t over {defined.shape[1]} splits")


def _apart(one: Float[ndarray, " split"], other: Float[ndarray, " split"]) -> Float[ndarray, " split"]:
    """Differences of scores; 0 where they are equal but for rounding."""
    size = np.maximum(np.abs(one), np.abs(other))
    return np.where(np.abs(one - other) > 1e-6 * size, one - other, 0.0)


def _over_groups(outcomes: Outcomes, metric: Metric, margin: float, draws: int, random_state: int) -> Paired:
    truth, labels = outcomes.truth, list(outcomes.contenders)
    means = {label: float(mean_scores(truth, one, metric).mean()) for label, one in outcomes.contenders.items()}
    drawn = drawn_scores(outcomes, [metric], draws, random_state)
    pairs = list(combinations(labels, 2))
    flipped = _flipped(outcomes, metric, pairs, random_state) if metric.losses and pairs else [None] * len(pairs)
    differences = {}
    for (a, b), p in zip(pairs, flipped, strict=True):
        apart = metric.sign * (drawn[a][0] - drawn[b][0])
        differences[a, b] = drawn_difference(metric.sign * (means[a] - means[b]), apart, p, margin)
    kind = "sign-flip" if metric.losses else "bootstrap"
    return Paired(means, differences, f"{kind} over {truth.units}")


def _flipped(
    outcomes: Outcomes, metric: Metric, pairs: Sequence[tuple[str, str]], random_state: int
) -> list[float | None]:
    """P-values by sign flips of the groups, a pair each."""
    rows = np.flatnonzero(outcomes.truth.reported)
    codes = np.unique(outcomes.truth.groups[rows], return_inverse=True)[1]
    losses = {label: _losses(outcomes.truth, one, metric) for label, one in outcomes.contenders.items()}
    sums = np.stack([np.bincount(codes, (losses[b] - losses[a])[rows]) for a, b in pairs], axis=1)
    return [float(p) for p in sign_flips(sums, random_state)]


def _losses(truth: Truth, one: Predicted, metric: Metric) -> Float[ndarray, " sample"]:
    """Loss of each sample, mean over seeds and sum over repeats; 0 where no fold reports it."""
    if metric.losses is None:
        raise ValueError(f"The metric {metric.name} has no losses of samples. Use the bootstrap.")
    total = np.zeros(len(truth.groups))
    for repeat, fold in enumerate(truth.fold):
        rows = np.flatnonzero(fold >= 0)
        total[rows] += np.mean(
            [metric.losses(truth.target[rows], part[rows]) for part in one.outputs[:, repeat]], axis=0
        )
    return total
