"""Targets: paired with samples by id, classes as any labels, real values scaled and back."""

import numpy as np
import pandas as pd
import pytest

from plait.data.modalities import Modalities
from plait.data.targets import RealTarget, class_codes, group_codes, target_of

IDS = ["p", "q", "r", "s"]
VALUES = np.arange(8.0).reshape(4, 2)
NAMED = Modalities({"a": VALUES}, ids=IDS)
COUNTED = Modalities({"a": VALUES})
Y = pd.Series([1.0, 2.0, 3.0, 4.0], IDS)


def test_a_series_is_matched_by_id() -> None:
    """Whatever its order, and if it holds more; two columns likewise."""
    for y in (Y, Y.iloc[::-1], pd.concat([pd.Series([9.0], ["z"]), Y])):
        assert target_of(y, NAMED).tolist() == [1, 2, 3, 4]
        assert target_of(y, NAMED[[2, 0]]).tolist() == [3, 1]
    assert target_of(pd.DataFrame({"u": Y, "v": -Y}).iloc[::-1], NAMED).tolist() == [[1, -1], [2, -2], [3, -3], [4, -4]]


def test_tables_give_ids_too() -> None:
    """Of a DataFrame, and of tables joined by id."""
    table = pd.DataFrame(VALUES, index=IDS)
    for X in (Modalities.from_frame(table), Modalities.from_frames({"a": table, "b": table.iloc[::-1]})):
        assert target_of(Y.iloc[::-1], X).tolist() == [1, 2, 3, 4]


def test_without_ids_on_both_sides_the_order_counts() -> None:
    """Arrays have no ids, and neither has what is counted from 0; slices of such samples have none either."""
    for y in ([1, 2, 3, 4], np.array([1, 2, 3, 4]), pd.Series([1, 2, 3, 4]), (1, 2, 3, 4)):
        assert target_of(y, NAMED).tolist() == [1, 2, 3, 4]
        assert target_of(y, COUNTED).tolist() == [1, 2, 3, 4]
    assert target_of(Y.iloc[[3, 1]], COUNTED[[3, 1]]).tolist() == [4, 2]
    assert target_of(pd.Series([7.0, 8.0]), COUNTED[[1, 0]]).tolist() == [7, 8]


def test_repeated_samples_are_matched_where_the_target_repeats_too() -> None:
    """As after a bootstrap."""
    assert target_of(Y.iloc[[0, 0, 2]], NAMED[[0, 0, 2]]).tolist() == [1, 1, 3]
    assert target_of(Y, NAMED[[0, 0, 2]]).tolist() == [1, 1, 3]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y.drop("q"), "no value for the samples 'q'"),
        (Y.set_axis(list("wxyz")), "no value for the samples 'p', 'q', 'r', 's'"),
        (pd.concat([Y, Y[:1]]), "repeats 'p'"),
        (None, "y is None"),
        (3.0, "y has no values"),
        ([1.0, 2.0], "X has 4 samples, but y has 2 values"),
        ([[1.0], [1.0, 2.0], [1.0], [1.0]], "one row of as many values"),
    ],
)
def test_a_target_that_cannot_be_paired_is_refused(y: object, message: str) -> None:
    """With who lacks one, and what to do."""
    with pytest.raises(ValueError, match=message):
        target_of(y, NAMED)


def test_a_target_that_may_be_meant_by_order_or_by_id_is_refused() -> None:
    """Samples that are numbered in another order, and a target counted from 0: nobody can tell."""
    X = Modalities({"a": VALUES}, ids=[3, 2, 1, 0])
    with pytest.raises(ValueError, match=r"counted from 0.*y\.to_numpy\(\)"):
        target_of(pd.Series([1.0, 2.0, 3.0, 4.0]), X)
    assert target_of(pd.Series([1.0, 2.0, 3.0, 4.0], index=[0, 1, 2, 3]), X).tolist() == [4, 3, 2, 1]
    assert target_of(np.array([1.0, 2.0, 3.0, 4.0]), X).tolist() == [1, 2, 3, 4]


def test_groups_are_paired_likewise() -> None:
    """Codes by order of appearance; errors speak of groups."""
    assert group_codes(pd.Series(["b", "a", "b", "c"], IDS).iloc[::-1], NAMED).tolist() == [0, 1, 0, 2]
    with pytest.raises(ValueError, match="groups has 3 values"):
        group_codes([1, 2, 3], NAMED)
    with pytest.raises(ValueError, match="none of them missing"):
        group_codes([1, 2, None, 3], NAMED)
    with pytest.raises(ValueError, match=r"one label a sample.*\(4, 2\)"):
        group_codes(VALUES, NAMED)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a", "b"], ["a", "b"]),
        ([2, 1, 2], [1, 2]),
        ([2.0, 1.0, 2.0], [1.0, 2.0]),
        ([True, False, True], [False, True]),
        (np.array([2, 1, 2], dtype=object), [1, 2]),
        (np.array([True, False, True], dtype=object), [False, True]),
        (pd.array([2, 1, 2], dtype="Int64"), [1, 2]),
        (pd.Categorical(["b", "a", "b"], categories=["b", "a", "never"]), ["a", "b"]),
        (pd.array(["b", "a", "b"], dtype="string"), ["a", "b"]),
    ],
    ids=str,
)
def test_classes_are_sorted_labels(y: object, classes: list) -> None:
    """Of any kind; categories that do not occur are none."""
    found, codes = class_codes(np.asarray(y))
    assert found.tolist() == classes
    assert codes.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 1, 1], r"one class only \(1\)"),
        ([0.5, 1.5, 2.5], "continuous"),
        (VALUES, "2 columns"),
        ([1.0, np.nan, 2.0], r"NaN or None \(positions 1\)"),
        (["a", None, "b"], r"NaN or None \(positions 1\)"),
        (pd.array([1, None, 2], dtype="Int64"), r"NaN or None \(positions 1\)"),
        (np.array([1, "a", 2], dtype=object), "mixes strings"),
        ([1.0, np.inf, 2.0], r"infinity \(positions 1\)"),
        ([b"a", b"b", b"a"], "class labels"),
        ([1j, 2j, 1j], "Complex"),
        (pd.date_range("2024", periods=3), "class labels"),
        (np.array([{}, {}, {}], dtype=object), "dict"),
    ],
)
def test_what_is_no_class_is_refused(y: object, message: str) -> None:
    """By what it is and where."""
    with pytest.raises(ValueError, match=message):
        class_codes(np.asarray(y))


def test_real_targets_are_scaled_by_the_training_samples_alone() -> None:
    """Mean 0 and standard deviation 1 there; decoding gives the values back."""
    y = np.array([[1.0, 5.0], [3.0, 5.0], [100.0, 6.0]])
    train = np.array([True, True, False])
    target = RealTarget("standard").fit(y, train)
    assert target.mean.tolist() == [2, 5]
    assert target.sd.tolist() == [1, 1]  # a constant keeps its unit
    assert target.encode(y).tolist() == [[-1, 0], [1, 0], [98, 1]]
    np.testing.assert_allclose(target.decode(target.encode(y)), y)


def test_unscaled_targets_stay_as_they_are() -> None:
    """Mean 0 and standard deviation 1 by definition."""
    y = np.array([1, 3, 100])
    target = RealTarget("none").fit(y, np.ones(3, dtype=bool))
    assert target.encode(y).tolist() == [[1], [3], [100]]
    assert target.decode(target.encode(y)).tolist() == [1, 3, 100]


@pytest.mark.parametrize("y", [[1.0, 2.0], [[1.0], [2.0]], [[1.0, 2.0], [3.0, 5.0]]], ids=["one axis", "column", "two"])
def test_decoding_restores_the_shape(y: list) -> None:
    """One axis stays one axis, one column one column."""
    target = RealTarget("standard").fit(np.array(y), np.ones(2, dtype=bool))
    np.testing.assert_allclose(target.decode(target.encode(np.array(y))), y)


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1.0, 1e12, 1e300])
def test_scaling_holds_over_the_range_of_numbers(scale: float) -> None:
    """Tiny and large units alike, and far from zero."""
    y = scale * (np.array([1.0, 2.0, 4.0]) + 1000)
    target = RealTarget("standard").fit(y, np.ones(3, dtype=bool))
    np.testing.assert_allclose(target.encode(y)[:, 0], [-1.069045, -0.267261, 1.336306], rtol=1e-5)
    np.testing.assert_allclose(target.decode(target.encode(y)), y, rtol=1e-12)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b"], "must hold numbers, got strings"),
        (np.array([1.0, "b"], dtype=object), "'b' in row 1"),
        ([1.0, np.nan], r"NaN or None \(positions 1\)"),
        (np.array([1.0, None], dtype=object), r"NaN or None \(positions 1\)"),
        ([1.0, -np.inf], r"infinity \(positions 1\)"),
        ([1j, 2j], "Complex"),
        (pd.date_range("2024", periods=2), "dates"),
        (np.ones((2, 2, 2)), r"\(2, 2, 2\)"),
        (np.ones((2, 0)), r"\(2, 0\)"),
    ],
)
def test_what_is_no_real_value_is_refused(y: object, message: str) -> None:
    """By what it is and where."""
    with pytest.raises(ValueError, match=message):
        RealTarget("standard").fit(np.asarray(y), np.ones(2, dtype=bool))


def test_unknown_scaling_is_refused() -> None:
    """With the ways there are; and values that only scaling could train."""
    with pytest.raises(ValueError, match="'standard' or 'none'"):
        RealTarget("log")
    with pytest.raises(ValueError, match="target_scaling='standard'"):
        RealTarget("none").fit(np.array([1e30, 0.0]), np.ones(2, dtype=bool))
