"""Whether samples can tell pairs apart: asked before anything is trained."""

import numpy as np
from jaxtyping import Int, Shaped
from numpy import ndarray

from plait.data.batches import Batch, TrainingData
from plait.data.spec import Task
from plait.skew.judge import HeadSettings
from plait.skew.uncertainty import scored
from plait.statistics.metrics import Metric

_LEAST = 2  # complete samples to train on and to judge by, and groups to judge by
_GIVEN = "or name the pairs, which needs no search: SkewPairFusion(pairs=...)"


def check_judgeable(data: TrainingData, heads: HeadSettings, metric: Metric) -> None:
    """Pairs can be told apart by the samples that are held out and have all modalities.

    Args:
        data: All samples.
        heads: Of the draws.
        metric: What pairs are judged by.

    Raises:
        ValueError: If too few samples or groups are held out, or the metric has no value on them.
    """
    fold, complete = data.samples.fold.numpy(), data.samples.present.all(1).numpy()
    for one in range(data.spec.folds):
        _check_rows(fold[complete] == one, data)
    held = complete & (fold >= 0)
    target = coded(data.samples, data.spec.task)[held]
    outputs = data.samples.target.double().numpy()[held]
    groups = groups_of(data)[held]
    several = len(data.spec.names) > 1  # of one modality nothing is bounded
    if several:
        _check_groups(groups)
    draws = heads.draws if several else 1
    found = scored(metric, target, outputs[None], groups, draws, heads.random_state)
    _check_metric(metric, float(found.values[0]), found.drawn[:, 0] if several else found.values)


def coded(samples: Batch, task: Task) -> Shaped[ndarray, "sample *column"]:
    """The target as metrics take it: codes of classes, or values."""
    target = samples.target.double().numpy()
    if task == "classification":
        return np.asarray(target.argmax(1))
    return target[:, 0] if target.shape[1] == 1 else target


def groups_of(data: TrainingData) -> Int[ndarray, " sample"]:
    """Group of each sample, of which there are as many as samples if none were given."""
    return np.arange(len(data.samples)) if data.groups is None else data.groups.numpy()


def _check_rows(held: ndarray, data: TrainingData) -> None:
    train, validation = int((~held).sum()), int(held.sum())
    if min(train, validation) < _LEAST:
        raise ValueError(
            f"Pairs are chosen by samples that have all of {', '.join(data.spec.names)}, and of {len(data.samples)} "
            f"samples {train} to train on and {validation} held out have them; {_LEAST} of each are the least. Give "
            f"more of them, hold out more, {_GIVEN}."
        )


def _check_groups(groups: ndarray) -> None:
    count = len(np.unique(groups))
    if count < _LEAST:
        raise ValueError(
            f"Pairs are chosen by whole groups of samples, and {count} group is held out ({len(groups)} samples), "
            f"which says nothing about other groups; {_LEAST} are the least, and 10 or more are wanted. Give more "
            f"groups, hold out more of them (validation=5 judges by all groups in 5 folds), {_GIVEN}."
        )


def _check_metric(metric: Metric, value: float, drawn: ndarray) -> None:
    wrong = int((~np.isfinite(drawn)).sum())
    if np.isfinite(value) and not wrong:
        return
    where = f"in {wrong} of {len(drawn)} draws of the" if np.isfinite(value) else "on the"
    raise ValueError(
        f"Pairs are chosen by {metric.title}, which has no value {where} samples held out: R2 has none where all "
        "targets are the same, AUC none where a class is missing. Give a target that varies, more samples or groups "
        f"of each kind held out, another metric, {_GIVEN}."
    )
