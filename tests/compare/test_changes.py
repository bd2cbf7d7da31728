"""How the data of a contender differ."""

import numpy as np
import pytest

from plait import Modalities
from plait.compare.runs.changes import AsIs, OnlyModalities, ShuffledModality, ShuffledTarget
from samples import three_modalities

X, Y = three_modalities(60)
TRAIN = np.arange(0, 60, 2)
REST = np.setdiff1d(np.arange(60), TRAIN)


def test_as_it_is_nothing_changes():
    """The same objects."""
    changed = AsIs().apply(X, Y, TRAIN, 0)
    assert changed.modalities is X
    assert changed.target is Y
    assert changed.usable.all()


def test_a_subset_uses_the_samples_that_have_some_of_it():
    """In the order of the data, whatever the order of the names."""
    changed = OnlyModalities(("age", "image")).apply(X, Y, TRAIN, 0)
    assert changed.modalities.names == ("image", "age")
    assert np.array_equal(changed.usable, (np.arange(60) % 3 != 0) | (np.arange(60) % 5 != 0))
    assert OnlyModalities(("age", "image")).text(0) == OnlyModalities(("image", "age")).text(0)


def test_a_shuffled_target_is_that_of_the_training_samples_in_another_order():
    """All others keep theirs, and so does the data of the caller."""
    before = np.arange(60.0)
    changed = ShuffledTarget().apply(X, before, TRAIN, 3)
    assert np.array_equal(before, np.arange(60.0))
    assert np.array_equal(changed.target[REST], before[REST])
    assert np.array_equal(np.sort(changed.target[TRAIN]), before[TRAIN])
    assert (changed.target[TRAIN] != before[TRAIN]).mean() > 0.5


def test_a_shuffled_modality_moves_values_with_their_presence():
    """Among the training samples and among the others; the other modalities stay."""
    changed = ShuffledModality("image").apply(X, Y, TRAIN, 3).modalities
    column = X.names.index("image")
    for rows in (TRAIN, REST):
        old, new = X["image"][rows].reshape(len(rows), -1), changed["image"][rows].reshape(len(rows), -1)
        assert sorted(map(tuple, np.nan_to_num(old))) == sorted(map(tuple, np.nan_to_num(new)))
        assert not np.array_equal(old, new, equal_nan=True)
    assert np.array_equal(~np.isnan(changed["image"]).all(axis=(1, 2)), changed.present[:, column])
    assert not np.array_equal(X.present[:, column], changed.present[:, column])
    for name in ("sound", "age"):
        assert np.array_equal(changed[name], X[name], equal_nan=True)
    assert np.array_equal(np.delete(changed.present, column, 1), np.delete(X.present, column, 1))


@pytest.mark.parametrize("change", [ShuffledTarget(), ShuffledModality("sound")])
def test_a_seed_decides(change):
    """The same again, another with another."""
    first, again, other = (change.apply(X, np.arange(60), TRAIN, seed) for seed in (0, 0, 1))
    found = [np.c_[one.target, one.modalities["sound"]] for one in (first, again, other)]
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert change.text(0) != change.text(1)


def test_only_random_changes_depend_on_a_seed():
    """The text of the others does not name it."""
    assert AsIs().text(0) == AsIs().text(1) == {"change": "AsIs"}
    assert OnlyModalities(("age",)).text(0) == OnlyModalities(("age",)).text(1)


@pytest.mark.parametrize("change", [OnlyModalities(("sound", "taste")), OnlyModalities(()), ShuffledModality("taste")])
def test_a_modality_that_is_not_there_is_refused(change):
    """With those that are."""
    with pytest.raises(ValueError, match="'sound', 'image', 'age'"):
        change.apply(X, Y, TRAIN, 0)


def test_shuffled_presence_leaves_out_who_then_has_nothing():
    """Absences that complement each other: such samples are not trained on, and predicted by the prior."""
    arrays = {"a": np.arange(8.0)[:, None], "b": np.arange(8.0)[:, None]}
    first = np.arange(8) < 4
    modalities = Modalities(arrays, present={"a": first, "b": ~first})
    changed = ShuffledModality("a").apply(modalities, np.arange(8) % 2, np.arange(8), 0)
    np.testing.assert_array_equal(changed.usable, changed.modalities.present.any(1))
    assert not changed.usable.all()
