"""Which samples validate: a hold-out set or folds, stratified by class, whole groups together; given ones; or none."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
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
Rows = Int[ndarray, "_"]
HeldOut: TypeAlias = "float | int | Sequence[bool] | ndarray | pd.Series[bool] | None"
"""A share, a number of folds, 0 for nothing, or one boolean a sample; None is by the number of samples."""

_FEWEST = 4
MANY = 1000
"""Samples from which one hold-out set is large enough to judge by, as a rule."""
_FOLDS, _SHARE, _ENOUGH = 5, 0.2, 20


def validation_folds(
    samples: int,
    validation: Any,
    classes: Labels | None = None,
    groups: ndarray | None = None,
    random_state: int = 0,
    *,
    many: int = MANY,
    needed: bool = True,
) -> Labels:
    """The fold that each sample validates, or -1 for a sample that only trains.

    Args:
        samples: Number of samples, at least 4.
        validation: Share of the samples (of the groups, if there are no classes) that is held out (a number between
            0 and 1; they are fold 0), or the number of folds (a whole number of at least 2). None is 5 folds from 20
            to below 1000 samples (`many`; of 20 groups or more), where a hold-out set would be too small to judge by,
            else 0.2. Or one boolean a sample, True for those that are held out, whatever their classes. 0 holds out
            nothing.
        classes: Class of each sample, to keep the shares of the classes alike; None does not stratify. A class
            always keeps a sample that trains, where there is a hold-out set.
        groups: Group of each sample (a patient, a recording); groups are never divided. None is no groups.
        random_state: Seed of the division.
        many: From so many samples None is a hold-out set; 0 where it always is.
        needed: Whether 0 is refused, as something is to be held out.

    Raises:
        ValueError: If `validation` is out of range, there are too few samples or groups for it, no group can be
            held out without all samples of some class, or the samples that are held out divide a group.
    """
    if np.ndim(validation):
        return _given(np.asarray(validation), samples, groups)
    if holds_nothing(validation) and not needed:
        return np.full(samples, -1)
    count = samples if groups is None else len(np.unique(groups))
    if validation is None:
        validation = _FOLDS if count >= _ENOUGH and samples < many else _SHARE
    folds, share = _read(validation)
    _check(samples, max(_FEWEST, folds), f"validation={validation!r} needs at least {{}} samples; got {{}} sample(s).")
    _check(count, folds or 2, f"validation={validation!r} divides whole groups, at least {{}}; got {{}} group(s).")
    if folds:
        return _folds(samples, folds, classes, groups, random_state)
    if groups is None:
        held = _without_last(_held_samples(samples, share, classes, random_state), classes, random_state)
    elif classes is None:
        held = _held_groups(groups, count, share, random_state)
    else:
        held = _held_groups_alike(classes, groups, count, share, random_state)
    found = np.full(samples, -1)
    found[held] = 0
    return found


def holds_nothing(validation: Any) -> bool:
    """Whether `validation` is the number 0: nothing is held out."""
    return not isinstance(validation, bool) and isinstance(validation, Real) and float(validation) == 0


def _given(held: ndarray, samples: int, groups: ndarray | None) -> Labels:
    """The samples that the user holds out as fold 0."""
    if held.dtype != np.bool_ or held.shape != (samples,):
        raise ValueError(
            f"validation, where it is an array, must hold one boolean a sample, {samples} in all, True for those held "
            f"out (got {held.dtype} of shape {held.shape})."
        )
    if held.all() or not held.any():
        raise ValueError(
            f"validation holds out {'every sample' if held.all() else 'no sample'} of {samples}. Give at least one "
            "True, which is held out, and one False, which trains."
        )
    if groups is not None and len(np.intersect1d(groups[held], groups[~held])):
        raise ValueError(
            "validation holds out a part of some groups only, but groups are not divided. Hold out whole groups, or "
            "leave groups out."
        )
    return np.where(held, 0, -1)


def _read(validation: Any) -> tuple[int, float]:
    """The number of folds (0 for a hold-out set) and the share that is held out (0 for folds)."""
    whole = isinstance(validation, Integral)
    if whole and not isinstance(validation, bool) and int(validation) >= 2:
        return int(validation), 0.0
    if isinstance(validation, Real) and not whole and 0 < float(validation) < 1:
        return 0, float(validation)
    raise ValueError(f"validation must be a share between 0 and 1, or 2 folds or more (got {validation!r}).")


def _check(count: int, least: int, message: str) -> None:
    if count < least:
        raise ValueError(f"{message.format(least, count)} Give more, or use fewer folds.")


def _folds(samples: int, count: int, classes: Labels | None, groups: ndarray | None, seed: int) -> Labels:
    labels = None if classes is None else _without_rare(classes, count)
    shuffled = {"n_splits": count, "shuffle": True, "random_state": seed}
    if groups is None:
        splitters = [KFold(**shuffled) if labels is None else StratifiedKFold(**shuffled)]
    else:
        splitters = [GroupKFold(**shuffled)] if labels is None else [_alike(count, seed), GroupKFold(**shuffled)]
    divisions = (_numbered(splitter, samples, labels, groups) for splitter in splitters)
    return next(found for found in divisions if _full(found, count))


def _alike(count: int, seed: int) -> StratifiedGroupKFold:
    return StratifiedGroupKFold(count, shuffle=True, random_state=seed)


def _full(found: Labels, count: int) -> bool:
    """Whether no fold is empty (stratified ones of whole groups can be)."""
    return len(np.unique(found)) == count


def _numbered(splitter: Any, samples: int, labels: ndarray | None, groups: ndarray | None) -> Labels:
    found = np.empty(samples, dtype=np.int64)
    for fold, (_, rows) in enumerate(splitter.split(np.zeros(samples), labels, groups)):
        found[rows] = fold
    return found


def _without_rare(classes: Labels, count: int) -> Labels | None:
    """Classes with fewer samples than folds become one; None where that one is too small as well."""
    _, place, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    rare = sizes[place] < count
    return None if 0 < rare.sum() < count else np.where(rare, -1, classes)


def _held_samples(samples: int, share: float, classes: Labels | None, seed: int) -> Rows:
    rows, size = np.zeros(samples), _size(samples, share)
    labels = None if classes is None else _without_rare(classes, 2)
    if labels is None or len(np.unique(labels)) > min(size, samples - size):
        return np.asarray(next(ShuffleSplit(1, test_size=size, random_state=seed).split(rows))[1])
    return np.asarray(next(StratifiedShuffleSplit(1, test_size=size, random_state=seed).split(rows, labels))[1])


def _size(count: int, share: float) -> int:
    """How many of them are held out: at least one, and not all."""
    return min(max(1, round(share * count)), count - 1)


def _without_last(held: Rows, classes: Labels | None, seed: int) -> Rows:
    """The same but for one sample of every class that would not train at all; one other sample if none is left."""
    if classes is None:
        return held
    first = np.unique(classes, return_index=True)[1]
    kept = np.setdiff1d(held, first[np.isin(classes[first], _lost(held, classes))])
    others = np.setdiff1d(np.arange(len(classes)), first)
    if not len(kept) and not len(others):
        raise ValueError("Every class has one sample only: none can be held out for validation. Give more of each.")
    return kept if len(kept) else np.random.RandomState(seed).permutation(others)[:1]


def _lost(held: Rows, classes: Labels) -> ndarray:
    """Classes of which every sample is held out."""
    return np.setdiff1d(classes, np.delete(classes, held))


def _held_groups(groups: ndarray, count: int, share: float, seed: int) -> Rows:
    splitter = GroupShuffleSplit(1, test_size=_size(count, share), random_state=seed)
    return np.asarray(next(splitter.split(groups, None, groups))[1])


def _held_groups_alike(classes: Labels, groups: ndarray, count: int, share: float, seed: int) -> Rows:
    """Whole groups with about the shares of the classes: of many divisions the one that loses no class."""
    folds = min(max(2, round(1 / min(share, 1 - share))), count)
    labels = _without_rare(classes, folds)
    found = _numbered(_alike(folds, seed), len(classes), np.zeros(len(classes)) if labels is None else labels, groups)
    parts = [np.flatnonzero((found == fold) == (share <= 0.5)) for fold in range(folds)]
    order = np.random.RandomState(seed).permutation(np.unique(groups))
    parts += [np.flatnonzero(groups == group) for group in order]  # where the folds do not do: one group
    for held in parts:
        if 0 < len(held) < len(classes) and not len(_lost(held, classes)):
            return held
    raise ValueError(
        "Every group holds all samples of some class, and groups are not divided: no group can be held out for "
        "validation. Leave groups out, or use folds (validation=2)."
    )
