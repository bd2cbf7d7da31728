"""Which samples train and which are reported, the same for everyone."""

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    LeaveOneGroupOut,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)

from plait.compare.runs.splits import from_cv, make_splits

CODES = np.arange(40) % 4 // 3  # three to one
GROUPS = np.repeat(np.arange(10), 4)


def test_every_sample_is_reported_once_a_repeat_and_never_trains_there():
    """Training and reported samples of a split are all samples."""
    splits = make_splits(40, CODES, folds=5, repeats=3)
    assert splits.fold.shape == (3, 40)
    assert (splits.fold >= 0).all()
    assert (splits.train == 32).all()
    for part in splits.parts:
        assert np.array_equal(np.sort(np.concatenate([part.train, part.test])), np.arange(40))
        assert np.array_equal(part.test, np.flatnonzero(splits.fold[part.repeat] == part.fold))


def test_folds_keep_the_shares_of_the_classes():
    """Ten of forty samples are of class 1: two in each of five folds."""
    assert [CODES[part.test].sum() for part in make_splits(40, CODES, folds=5).parts] == [2] * 5


@pytest.mark.parametrize("codes", [None, CODES])
def test_groups_are_never_divided(codes):
    """With classes and without."""
    for part in make_splits(40, codes, GROUPS, folds=5, repeats=2).parts:
        assert not np.intersect1d(GROUPS[part.train], GROUPS[part.test]).size


def test_a_repeat_is_the_same_however_many_there_are():
    """More repeats use the runs of fewer; repeats and seeds differ."""
    few, many = make_splits(40, CODES, repeats=1), make_splits(40, CODES, repeats=3)
    assert np.array_equal(few.fold[0], many.fold[0])
    assert not np.array_equal(many.fold[0], many.fold[1])
    assert not np.array_equal(few.fold, make_splits(40, CODES, seed=1).fold)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 3, "folds": 3}, "5|4 samples; got 3"),
        ({"n": 40, "groups": GROUPS % 3}, "5 groups; got 3. Use folds=3"),
        (
            {"n": 40, "target_codes": np.r_[1, 1, 1, np.zeros(37, int)]},
            "Class of code 1 has 3 sample.*leave the class out",
        ),
        ({"n": 40, "folds": 1}, "folds must be a whole number of at least 2"),
        ({"n": 40, "repeats": 0}, "repeats must be"),
        ({"n": 40, "seed": -1}, "seed of the folds must be"),
    ],
)
def test_too_little_for_the_folds_is_said(given, message):
    """What there is, what is needed, and what to do."""
    with pytest.raises(ValueError, match=message):
        make_splits(**given)


def test_a_rare_class_is_named():
    """By its name where it has one."""
    with pytest.raises(ValueError, match="Class 'rare'"):
        make_splits(40, np.r_[1, 1, np.zeros(38, int)], classes=("common", "rare"))


# Splits of the user's


def test_a_repeated_splitter_makes_its_repeats():
    """Ten folds of which five overlap with the others are two repeats of five."""
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
    splits = from_cv(cv, np.zeros(40), CODES)
    assert [(part.repeat, part.fold) for part in splits.parts] == [(r, f) for r in range(2) for f in range(5)]
    for part, (train, test) in zip(splits.parts, cv.split(np.zeros(40), CODES), strict=True):
        assert np.array_equal(part.train, train)
        assert np.array_equal(part.test, test)
    assert "RepeatedStratifiedKFold" in splits.protocol


def test_a_published_split_keeps_its_rows():
    """Rows in neither part are never used; booleans will do."""
    train, test = np.arange(20), np.arange(30, 40)
    (part,) = from_cv([(train, test)], np.zeros(40)).parts
    assert np.array_equal(part.train, train)
    assert np.array_equal(part.test, test)
    (again,) = from_cv([(np.arange(40) < 20, np.arange(40) >= 30)], np.zeros(40)).parts
    assert np.array_equal(again.train, train)
    assert from_cv([(train, test)], np.zeros(40)).fold.tolist() == [[-1] * 30 + [0] * 10]


def test_overlapping_tests_are_repeats():
    """No sample is reported twice in one repeat."""
    splits = from_cv(ShuffleSplit(6, test_size=0.5, random_state=0), np.zeros(40))
    reported = np.zeros((len(splits.fold), 40), dtype=int)
    for part in splits.parts:
        reported[part.repeat, part.test] += 1
    assert reported.max() == 1
    assert len(splits.parts) == 6


@pytest.mark.parametrize("cv", [GroupKFold(5), LeaveOneGroupOut(), TimeSeriesSplit(3), StratifiedKFold(4)])
def test_any_splitter_is_taken(cv):
    """Every split is there, with its training rows."""
    groups = None if isinstance(cv, TimeSeriesSplit | StratifiedKFold) else GROUPS
    splits = from_cv(cv, np.zeros(40), CODES, groups)
    assert len(splits.parts) == cv.get_n_splits(np.zeros(40), CODES, groups)
    assert splits.train.sum() == sum(len(part.train) for part in splits.parts)


def test_a_number_is_folds():
    """As scikit-learn's check_cv: stratified for a classifier."""
    assert np.array_equal(from_cv(5, np.zeros(40), CODES, classifier=True).fold, make_splits(40, CODES).fold)
    assert np.array_equal(from_cv(5, np.zeros(40), CODES).fold, make_splits(40).fold)


@pytest.mark.parametrize(
    ("cv", "error", "message"),
    [
        ([([0, 1], [1, 2])], ValueError, "both in training and test, positions 1"),
        ([([0], [])], ValueError, "0 test samples"),
        ([([0], [40])], ValueError, "numbered from 0 to 39"),
        ([([0], [-1])], ValueError, "numbered from 0 to 39"),
        ([([0, 0], [1])], ValueError, "more than once"),
        ([([0.5], [1])], ValueError, "positions or 40 booleans"),
        ([], ValueError, "no split"),
        ([([0, 4], [1, 20])], ValueError, "Split 0 divides groups between training and test: 0.*GroupKFold"),
        ("five", TypeError, "cv must be"),
        ([3], TypeError, "pairs"),
        (True, TypeError, "cv must be"),
    ],
)
def test_splits_that_cannot_be_used_are_refused(cv, error, message):
    """With the split, the group or the positions."""
    with pytest.raises(error, match=message):
        from_cv(cv, np.zeros(40), CODES, GROUPS)
