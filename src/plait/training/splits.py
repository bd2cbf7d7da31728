"""Which samples validate: a hold-out set or folds, stratified by class, whole groups together."""

from numbers import Integral, Real

import numpy as np
from jaxtyping import Int
from numpy import ndarray
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

Labels = Int[ndarray, " sample"]
_FEWEST = 4


def validation_folds(
    samples: int,
    validation: float | int,
    classes: Labels | None = None,
    groups: ndarray | None = None,
    random_state: int = 0,
) -> Labels:
    """The fold that each sample validates, or -1 for a sample that only trains.

    Args:
        samples: Number of samples, at least 4.
        validation: Share of the samples that is held out (a number between 0 and 1; they are fold 0), or the number
            of folds (a whole number of at least 2).
        classes: Class of each sample, to keep the shares of the classes alike; None does not stratify. A class
            always keeps a sample that trains, where there is a hold-out set.
        groups: Group of each sample (a patient, a recording); groups are never divided. None is no groups.
        random_state: Seed of the division.

    Raises:
        ValueError: If `validation` is out of range, or there are too few samples or groups for it.
    """
    _check(samples, validation, groups)
    if isinstance(validation, Integral):
        return _folds(samples, int(validation), classes, groups, random_state)
    held = _held_out(samples, float(validation), classes, groups, random_state)
    found = np.full(samples, -1)
    found[held] = 0
    if classes is not None and groups is None:
        lost = np.setdiff1d(classes, classes[found < 0])
        found[[int(np.flatnonzero(classes == label)[0]) for label in lost]] = -1
    return found


def _check(samples: int, validation: float | int, groups: ndarray | None) -> None:
    whole = isinstance(validation, Integral) and not isinstance(validation, bool)
    share = isinstance(validation, Real) and not whole and 0 < float(validation) < 1
    if not (share or (whole and validation >= 2)):
        raise ValueError(f"validation must be a share between 0 and 1, or 2 folds or more (got {validation!r}).")
    least = max(_FEWEST, int(validation)) if whole else _FEWEST
    if samples < least:
        raise ValueError(
            f"Training and validation with validation={validation!r} need at least {least} samples; got "
            f"{samples} sample{'s' * (samples != 1)}."
        )
    count = least if groups is None else len(np.unique(groups))
    if count < (int(validation) if whole else 2):
        raise ValueError(
            f"validation={validation!r} divides whole groups, but there are only {count}. Use fewer folds."
        )


def _folds(samples: int, count: int, classes: Labels | None, groups: ndarray | None, seed: int) -> Labels:
    labels = None if classes is None else _without_rare(classes, count)
    shuffled = {"n_splits": count, "shuffle": True, "random_state": seed}
    if groups is None:
        splitter = KFold(**shuffled) if labels is None else StratifiedKFold(**shuffled)
    else:
        splitter = GroupKFold(**shuffled) if labels is None else StratifiedGroupKFold(**shuffled)
    found = np.empty(samples, dtype=np.int64)
    for fold, (_, rows) in enumerate(splitter.split(np.zeros(samples), labels, groups)):
        found[rows] = fold
    return found


def _without_rare(classes: Labels, count: int) -> Labels | None:
    """Classes with fewer samples than folds become one; None where that one is too small as well."""
    _, place, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    rare = sizes[place] < count
    return None if 0 < rare.sum() < count else np.where(rare, -1, classes)


def _held_out(samples: int, share: float, classes: Labels | None, groups: ndarray | None, seed: int) -> Int[ndarray, " held"]:
    rows = np.zeros(samples)
    size = min(max(1, round(share * samples)), samples - 1)
    if groups is not None and classes is not None:
        folds = min(max(2, round(1 / share)), len(np.unique(groups)))
        labels = _without_rare(classes, folds)
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        return np.asarray(next(iter(splitter.split(rows, rows if labels is None else labels, groups)))[1])
    if groups is not None:
        return np.asarray(next(GroupShuffleSplit(1, test_size=share, random_state=seed).split(rows, None, groups))[1])
    labels = None if classes is None else _without_rare(classes, 2)
    if labels is None or len(np.unique(labels)) > min(size, samples - size):
        return np.asarray(next(ShuffleSplit(1, test_size=size, random_state=seed).split(rows))[1])
    return np.asarray(next(StratifiedShuffleSplit(1, test_size=size, random_state=seed).split(rows, labels))[1])
