"""Which samples train and which are reported: folds drawn once for every contender, or splits that the user gives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from plait.data.checks import listed
from plait.data.settings import check_whole
from plait.training.splits import validation_folds

Rows = Int[ndarray, "_"]
Codes = Int[ndarray, " sample"]


@dataclass(frozen=True)
class Split:
    """One division of the samples.

    Args:
        train: Positions of the samples that a contender is fitted on, ascending.
        test: Positions of the samples that are reported, ascending; none of them is in `train`.
        repeat: The repeat it belongs to, from 0; no sample is reported twice in one repeat.
        fold: Its place in the repeat, from 0.
    """

    train: Rows
    test: Rows
    repeat: int
    fold: int


@dataclass(frozen=True)
class Splits:
    """Every division of a comparison.

    Args:
        samples: Number of samples.
        parts: The divisions, by repeat and fold.
        protocol: How they were made, in words.
    """

    samples: int
    parts: tuple[Split, ...]
    protocol: str

    @cached_property
    def fold(self) -> Int[ndarray, "repeat sample"]:
        """The fold that reports each sample in each repeat; -1 where none does."""
        found = np.full((1 + max(part.repeat for part in self.parts), self.samples), -1)
        for part in self.parts:
            found[part.repeat, part.test] = part.fold
        return found

    @cached_property
    def train(self) -> Int[ndarray, "repeat fold"]:
        """Number of training samples of each fold of each repeat; 0 where there is no such fold."""
        found = np.zeros((len(self.fold), 1 + max(part.fold for part in self.parts)), dtype=np.int64)
        for part in self.parts:
            found[part.repeat, part.fold] = len(part.train)
        return found


def make_splits(
    n: int,
    target_codes: Codes | None = None,
    groups: Codes | None = None,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    classes: Sequence[str] = (),
) -> Splits:
    """Folds in which every sample is reported once a repeat: stratified by class, whole groups together.

    Args:
        n: Number of samples.
        target_codes: Class of each sample, counted from 0, to keep the shares of the classes alike; None for none.
        groups: Group of each sample; groups are never divided. None for none.
        folds: Number of folds, at least 2.
        repeats: How many times the samples are divided anew, at least 1. Repeat r is the same however many there are.
        seed: Seed of the divisions, at least 0.
        classes: Names of the classes, for the errors.

    Raises:
        ValueError: If a number is out of its range, or there are fewer samples, groups or samples of a class than
            folds.
    """
    check_whole("folds", folds, 2)
    check_whole("repeats", repeats, 1)
    check_whole("The seed of the folds", seed, 0)
    _check_counts(n, target_codes, groups, folds, classes)
    seeds = [int(np.random.SeedSequence((seed, repeat)).generate_state(1)[0]) >> 1 for repeat in range(repeats)]
    labels = np.stack([validation_folds(n, folds, target_codes, groups, drawn) for drawn in seeds])
    kind = "" if target_codes is None else "stratified "
    whole = "" if groups is None else ", whole groups together"
    times = f"{repeats} repeat{'s' if repeats > 1 else ''}"
    return _from_labels(labels, f"{folds} {kind}folds x {times}{whole}, seed {seed}")


def from_cv(
    cv: Any,
    X: Any,
    y: ndarray | None = None,
    groups: Codes | None = None,
    *,
    classifier: bool = False,
    seed: int = 0,
) -> Splits:
    """Splits as scikit-learn's users write them.

    Args:
        cv: A number of folds; any splitter of scikit-learn; or (train, test) pairs of positions or of booleans: a
            published split is `[(train, test)]`. Training samples need not be all that are not reported. Tests that
            do not overlap make one repeat, others further ones.
        X: The samples.
        y: Class codes or values, for splitters that stratify.
        groups: Group of each sample; no split may divide one.
        classifier: Whether y are class codes, by which a number of folds is stratified.
        seed: Seed of a number of folds; a splitter has its own (`random_state`).

    Raises:
        ValueError: If a split is empty, has a sample twice or both in training and test, divides a group, or asks
            for positions that are not there.
        TypeError: If cv is none of these.
    """
    n = len(X)
    if isinstance(cv, int | np.integer) and not isinstance(cv, bool):
        return make_splits(n, y if classifier else None, groups, int(cv), 1, seed)
    pairs = [(_positions(train, n, "train"), _positions(test, n, "test")) for train, test in _pairs(cv, X, y, groups)]
    if not pairs:
        raise ValueError("cv gives no split. Give at least one pair (train, test) of positions.")
    for place, (train, test) in enumerate(pairs):
        _check_pair(place, train, test, groups)
    return Splits(n, tuple(_packed(pairs, n)), _told(cv, len(pairs)))


def _check_counts(n: int, codes: Codes | None, groups: Codes | None, folds: int, classes: Sequence[str]) -> None:
    if n < max(folds, 4):
        raise ValueError(f"{folds} folds need at least {max(folds, 4)} samples; got {n}. Give more, or fewer folds.")
    count = folds if groups is None else len(np.unique(groups))
    if count < folds:
        raise ValueError(
            f"{folds} folds of whole groups need at least {folds} groups; got {count}. Use folds={max(count, 2)} or "
            "fewer, or finer groups."
        )
    if codes is None:
        return
    sizes = np.bincount(codes)
    rare = int(np.where(sizes > 0, sizes, n + 1).argmin())
    if sizes[rare] < folds:
        name = repr(classes[rare]) if len(classes) > rare else f"of code {rare}"
        raise ValueError(
            f"Class {name} has {sizes[rare]} sample(s), fewer than the {folds} folds, each of which must report some "
            "of it. Use fewer folds, leave the class out, or merge it with another."
        )


def _from_labels(labels: Int[ndarray, "repeat sample"], protocol: str) -> Splits:
    parts = tuple(
        Split(np.flatnonzero(row != fold), np.flatnonzero(row == fold), repeat, fold)
        for repeat, row in enumerate(labels)
        for fold in range(row.max() + 1)
    )
    return Splits(labels.shape[1], parts, protocol)


def _pairs(cv: Any, X: Any, y: ndarray | None, groups: Codes | None) -> Iterable[tuple[Any, Any]]:
    if hasattr(cv, "split") and not isinstance(cv, str):
        return list(cv.split(X, y, groups))
    if not isinstance(cv, Iterable) or isinstance(cv, str):
        raise TypeError(f"cv must be a number of folds, a splitter, or pairs (train, test) of positions; got {cv!r}.")
    pairs = list(cv)
    for pair in pairs:
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise TypeError(f"cv must hold pairs (train, test) of positions; one of its entries is {pair!r}.")
    return pairs


def _positions(rows: Any, n: int, what: str) -> Rows:
    """The positions in ascending order."""
    given = np.asarray(rows)
    if given.dtype == bool and given.shape == (n,):
        return np.flatnonzero(given)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(f"The {what} rows of a split must be positions or {n} booleans; got {given!r}.")
    found = np.unique(given).astype(np.int64)
    if len(found) < len(given):
        raise ValueError(f"The {what} rows of a split hold a sample more than once. Give every position once.")
    if len(found) and (found[0] < 0 or found[-1] >= n):
        raise ValueError(
            f"The {what} rows of a split go from {found[0]} to {found[-1]}, but the {n} samples are numbered from 0 "
            f"to {n - 1}. Give positions, not ids."
        )
    return found


def _check_pair(place: int, train: Rows, test: Rows, groups: Codes | None) -> None:
    if not len(train) or not len(test):
        raise ValueError(
            f"Split {place} has {len(train)} training and {len(test)} test samples; it needs some of each."
        )
    both = np.intersect1d(train, test)
    if len(both):
        raise ValueError(f"Split {place} has samples both in training and test, positions {listed(both)}.")
    shared = np.empty(0) if groups is None else np.intersect1d(groups[train], groups[test])
    if len(shared):
        raise ValueError(
            f"Split {place} divides groups between training and test: {listed(shared)}. Use a splitter that keeps "
            "groups together, such as GroupKFold, or leave groups out."
        )


def _packed(pairs: Sequence[tuple[Rows, Rows]], n: int) -> Iterable[Split]:
    """Every split in the first repeat in which none of its test samples is reported yet; by repeat and fold."""
    taken: list[ndarray] = []
    sizes: list[int] = []
    found = []
    for train, test in pairs:
        repeat = next((place for place, seen in enumerate(taken) if not seen[test].any()), len(taken))
        if repeat == len(taken):
            taken.append(np.zeros(n, dtype=bool))
            sizes.append(0)
        taken[repeat][test] = True
        found.append(Split(train, test, repeat, sizes[repeat]))
        sizes[repeat] += 1
    return sorted(found, key=lambda split: (split.repeat, split.fold))


def _told(cv: Any, count: int) -> str:
    if hasattr(cv, "split"):
        return f"{count} splits by {' '.join(repr(cv).split())}"
    return "1 given split" if count == 1 else f"{count} given splits"
