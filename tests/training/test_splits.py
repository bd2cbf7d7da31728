"""Which samples validate: shares, classes, groups, folds, and what is refused."""

import numpy as np
import pytest

from plait.training.splits import validation_folds

CLASSES = np.array([0] * 50 + [1] * 30 + [2] * 20)
GROUPS = np.repeat(np.arange(25), 4)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5, 0.75])
def test_a_share_is_held_out(share):
    """Fold 0 validates, -1 only trains."""
    folds = validation_folds(100, share)
    assert set(folds) == {-1, 0}
    assert (folds == 0).sum() == round(100 * share)


def test_classes_keep_their_shares():
    """A fifth of each class is held out."""
    folds = validation_folds(100, 0.2, CLASSES)
    assert np.bincount(CLASSES[folds == 0]).tolist() == [10, 6, 4]


@pytest.mark.parametrize("share", [1e-6, 0.01, 0.99, 1 - 1e-6])
@pytest.mark.parametrize("classes", [None, np.array([0, 1, 0, 1, 0])])
def test_somebody_always_trains_and_somebody_validates(share, classes):
    """At the smallest and largest shares of five samples."""
    folds = validation_folds(5, share, classes)
    assert 0 < (folds == 0).sum() < 5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_every_class_trains(share, seed):
    """Also one of a single sample, and several of two."""
    classes = np.array([0] * 20 + [1, 2, 2, 3, 3, 4])
    folds = validation_folds(len(classes), share, classes, random_state=seed)
    assert set(classes[folds == -1]) == set(classes)
    assert (folds == 0).any()


@pytest.mark.parametrize("count", [2, 5, 10])
def test_folds_share_the_samples(count):
    """Every sample validates once; sizes differ by one at most."""
    sizes = np.bincount(validation_folds(101, count), minlength=count)
    assert len(sizes) == count
    assert sizes.sum() == 101
    assert np.ptp(sizes) <= 1


def test_folds_keep_the_shares_of_the_classes():
    """Every one of five folds has a fifth of each class."""
    folds = validation_folds(100, 5, CLASSES)
    for fold in range(5):
        assert np.bincount(CLASSES[folds == fold]).tolist() == [10, 6, 4]


def test_classes_rarer_than_the_folds_do_not_stand_in_the_way():
    """No warning, no empty fold, and the common classes keep their shares."""
    classes = np.array([0] * 50 + [1] * 45 + [2, 2, 3, 4, 5])
    folds = validation_folds(100, 5, classes)
    assert np.bincount(folds).tolist() == [20] * 5
    assert np.bincount(folds[:50]).tolist() == [10] * 5


@pytest.mark.parametrize("validation", [0.2, 0.5, 3, 5])
@pytest.mark.parametrize("classes", [None, CLASSES])
@pytest.mark.parametrize("seed", range(3))
def test_groups_are_never_divided(validation, classes, seed):
    """A patient's samples are all in one fold; each fold has some."""
    groups = np.random.default_rng(seed).permutation(GROUPS)
    folds = validation_folds(100, validation, classes, groups, seed)
    assert all(len(set(folds[groups == group])) == 1 for group in range(25))
    expected = set(range(validation)) if isinstance(validation, int) else {-1, 0}
    assert set(folds) == expected


@pytest.mark.parametrize("classes", [None, CLASSES])
def test_groups_are_held_out_by_about_the_share(classes):
    """A fifth of the samples, give or take two groups."""
    folds = validation_folds(100, 0.2, classes, np.random.default_rng(0).permutation(GROUPS))
    assert abs((folds == 0).sum() - 20) <= 8


@pytest.mark.parametrize("validation", [0.2, 5])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("classes", [None, CLASSES])
def test_the_seed_decides(validation, grouped, classes):
    """The same seed divides the same way, another one otherwise."""
    groups = np.random.default_rng(0).permutation(GROUPS) if grouped else None
    divisions = [validation_folds(100, validation, classes, groups, seed) for seed in (1, 1, 2)]
    assert np.array_equal(divisions[0], divisions[1])
    assert not np.array_equal(divisions[0], divisions[2])


@pytest.mark.parametrize(
    ("samples", "groups", "allowed", "folds"),
    [
        (19, None, True, 1),
        (20, None, True, 5),
        (999, None, True, 5),
        (1000, None, True, 1),
        (100, 19, True, 1),
        (100, 20, True, 5),
        (100, None, False, 1),
    ],
)
def test_by_default_small_data_have_folds(samples, groups, allowed, folds):
    """Five from 20 samples and groups up to 1000 samples, where the method allows it; else a fifth is held out."""
    labels = None if groups is None else np.arange(samples) % groups
    found = validation_folds(samples, None, None, labels, many=1000 if allowed else 0)
    assert found.max() + 1 == folds
    if folds == 1 and groups is None:
        assert (found == 0).sum() == round(0.2 * samples)


@pytest.mark.parametrize("validation", [0, 1, -1, 0.0, 1.0, 1.5, -0.2, True, False, "0.2", float("nan")])
def test_validation_out_of_range_is_refused(validation):
    """With what was expected and what came."""
    with pytest.raises(ValueError, match=r"share between 0 and 1, or 2 folds or more \(got"):
        validation_folds(100, validation)


@pytest.mark.parametrize(("samples", "validation"), [(3, 0.2), (3, 2), (5, 6)])
def test_too_few_samples_are_refused(samples, validation):
    """With how many are needed."""
    with pytest.raises(ValueError, match=rf"at least \d samples.*got {samples} sample"):
        validation_folds(samples, validation)


@pytest.mark.parametrize(("groups", "validation"), [(1, 0.2), (2, 3)])
def test_too_few_groups_are_refused(groups, validation):
    """They cannot be divided."""
    with pytest.raises(ValueError, match="whole groups"):
        validation_folds(12, validation, None, np.arange(12) % groups)


def test_groups_that_are_classes_are_refused():
    """Held out, a class would not be trained; the message says what to do."""
    classes = np.repeat([0, 1, 2], 6)
    with pytest.raises(ValueError, match="no group can be held out"):
        validation_folds(18, 0.3, classes, classes)
