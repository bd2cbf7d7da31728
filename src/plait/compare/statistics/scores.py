"""The table of scores: every contender by every metric, with intervals."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from plait.compare.outcomes import Outcomes, Predicted, Truth
from plait.statistics.bootstrap import percentile_interval, weight_chunks
from plait.statistics.metrics import Metric, metrics_by_name

COLUMNS = (
    "method",
    "kind",
    "joins",
    "metric",
    "mean",
    "low",
    "high",
    "sd_folds",
    "sd_seeds",
    "runs",
    "seconds",
    "failure",
)


def score_table(
    outcomes: Outcomes, metrics: Iterable[str] | None = None, draws: int = 1000, random_state: int = 0
) -> pd.DataFrame:
    """Every contender by every metric: one row each, in the order of the contenders and the metrics.

    Args:
        outcomes: What was predicted.
        metrics: Names of metrics; None is all of the task.
        draws: Draws of the bootstrap, at least 1; all contenders share them.
        random_state: Seed of the draws.

    Returns:
        Columns `method`, `kind`, `joins`, `metric`; `mean`: the metric over all samples that a repeat reports (the AUC:
        the mean over its folds, whose models rank apart), mean over repeats and seeds; `low`, `high`: 95 % percentile
        interval over groups drawn with replacement (samples where there are no groups), repeats and seeds kept;
        `sd_folds`: standard deviation of the scores of the splits (mean over seeds); `sd_seeds`: standard deviation
        over seeds (mean over repeats), NaN of one seed; `runs`: fits; `seconds`: of one fit, on average; `failure`: why
        there are no numbers, "" if there are some.

    Raises:
        ValueError: If the task has no metric of one of the names.
    """
    outcomes = outcomes.checked()
    chosen = metrics_by_name(outcomes.truth.task, metrics)
    judged = outcomes.of_kind("baseline", "single", "fusion", "control", "subset")
    drawn = drawn_scores(judged, chosen, draws, random_state)
    rows = [
        row
        for label, one in outcomes.contenders.items()
        for row in (_failed(one, chosen) if one.failure else _rows(outcomes.truth, one, chosen, drawn[label]))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def drawn_scores(
    outcomes: Outcomes, metrics: Sequence[Metric], draws: int, random_state: int
) -> dict[str, Float[ndarray, "metric draw"]]:
    """Each contender's mean over repeats and seeds in every draw of groups, the same draws for all.

    Args:
        outcomes: What was predicted; no contender failed.
        metrics: What is computed.
        draws: Draws of the bootstrap.
        random_state: Seed of the draws.

    Returns:
        By label; NaN in draws for which a metric is undefined.
    """
    truth = outcomes.truth
    rows = np.flatnonzero(truth.reported)
    totals = {label: np.zeros((len(metrics), draws)) for label in outcomes.contenders}
    for chosen, weights in weight_chunks(truth.groups[rows], draws, random_state):
        for repeat, fold in enumerate(truth.fold[:, rows]):
            inside = weights if (fold >= 0).all() else _reported(weights, fold >= 0)
            for label, one in outcomes.contenders.items():
                part = _under(truth, one, metrics, repeat, rows[fold >= 0], inside)
                totals[label][:, chosen] += part / len(truth.fold)
    return totals


def mean_scores(truth: Truth, one: Predicted, metric: Metric) -> Float[ndarray, "seed repeat"]:
    """The metric over all samples that each repeat reports (or the mean over its folds), for each seed."""
    scores = np.empty(one.outputs.shape[:2])
    for seed, repeat in np.ndindex(scores.shape):
        parts = [np.flatnonzero(chosen) for chosen in _parts(truth.fold[repeat], metric)]
        each = [metric.score(truth.target[rows], one.outputs[seed, repeat, rows]) for rows in parts]
        scores[seed, repeat] = _mean_defined(np.array(each)[:, None])[0]
    return scores


def _parts(fold: Int[ndarray, " sample"], metric: Metric) -> list[Bool[ndarray, " sample"]]:
    """The samples that are scored together: all that a repeat reports, or those of each fold."""
    together = [fold >= 0]
    return [fold == one for one in np.unique(fold[fold >= 0])] if metric.by_fold else together


def _mean_defined(each: Float[ndarray, "part draw"]) -> Float[ndarray, " draw"]:
    """The mean over the parts in which a metric is defined; NaN where it is in none."""
    there = np.isfinite(each)
    total = np.where(there, each, 0.0).sum(axis=0)
    mean = np.full(len(total), np.nan)
    np.divide(total, there.sum(axis=0), out=mean, where=there.any(axis=0))
    return mean


def split_scores(truth: Truth, one: Predicted, metric: Metric) -> Float[ndarray, "seed split"]:
    """The metric over the samples of each split, in the order of `truth.splits`, for each seed."""
    scores = []
    for repeat, train in enumerate(truth.train):
        rows = np.flatnonzero(truth.fold[repeat] >= 0)
        of_fold = truth.fold[repeat, rows] == np.flatnonzero(train)[:, None]
        scores.append(
            [metric.weighted(truth.target[rows], part[rows], of_fold.astype(float)) for part in one.outputs[:, repeat]]
        )
    return np.concatenate(scores, axis=1)


def _reported(weights: Float[ndarray, "draw sample"], there: ndarray) -> Float[ndarray, "draw row"]:
    """Weights of the samples that a repeat reports; NaN in draws without any of them."""
    kept = weights[:, there]
    return np.where(kept.sum(axis=1, keepdims=True) > 0, kept, np.nan)


def _under(
    truth: Truth,
    one: Predicted,
    metrics: Sequence[Metric],
    repeat: int,
    rows: ndarray,
    weights: Float[ndarray, "draw row"],
) -> Float[ndarray, "metric draw"]:
    """The metrics of one repeat under each weighting, mean over seeds."""
    each = [
        [_weighted(truth, part, metric, repeat, rows, weights) for metric in metrics] for part in one.outputs[:, repeat]
    ]
    return np.asarray(np.mean(each, axis=0))


def _weighted(
    truth: Truth,
    part: Float[ndarray, "sample out"],
    metric: Metric,
    repeat: int,
    rows: ndarray,
    weights: Float[ndarray, "draw row"],
) -> Float[ndarray, " draw"]:
    """One metric of one repeat with one seed under each weighting."""
    target, outputs = truth.target[rows], part[rows]
    parts = _parts(truth.fold[repeat, rows], metric)
    if len(parts) == 1:
        return metric.weighted(target, outputs, weights)
    each = [metric.weighted(target[chosen], outputs[chosen], weights[:, chosen]) for chosen in parts]
    return _mean_defined(np.stack(each))


def _rows(
    truth: Truth, one: Predicted, metrics: Sequence[Metric], drawn: Float[ndarray, "metric draw"]
) -> list[tuple[Any, ...]]:
    low, high = percentile_interval(drawn.T)
    runs = len(one.outputs) * len(truth.splits)
    seconds = float(np.mean(one.seconds[np.isfinite(one.seconds)])) if np.isfinite(one.seconds).any() else np.nan
    rows = []
    for place, metric in enumerate(metrics):
        means = mean_scores(truth, one, metric)
        spread = _sd(split_scores(truth, one, metric).mean(axis=0)), _sd(means.mean(axis=1))
        numbers = (float(means.mean()), float(low[place]), float(high[place]), *spread, runs, seconds)
        rows.append((one.label, one.kind, one.joins, metric.name, *numbers, ""))
    return rows


def _failed(one: Predicted, metrics: Sequence[Metric]) -> list[tuple[Any, ...]]:
    nothing = (np.nan,) * 5
    return [
        (one.label, one.kind, one.joins, metric.name, *nothing, 0, np.nan, one.failure or "failed")
        for metric in metrics
    ]


def _sd(values: Float[ndarray, " value"]) -> float:
    """Standard deviation of a sample; NaN of fewer than two values that are defined."""
    known = values[np.isfinite(values)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else float("nan")
