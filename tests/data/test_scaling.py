"""Standardised and imputed by the training rows alone."""

import numpy as np
import pytest

from plait.data.modalities import Modalities
from plait.data.scaling import Standardiser

NAN = np.nan


def test_mean_and_deviation_are_those_of_present_training_values() -> None:
    """(1, 3) has mean 2 and population deviation 1; NaN, absent and other rows do not count."""
    X = Modalities({"a": [[1.0, 7.0], [3.0, NAN], [NAN, NAN], [100.0, 9.0]], "b": [0, 0, 0, 1]})
    with pytest.warns(UserWarning, match="'b' has the same values in all training samples"):
        scaler = Standardiser().fit(X, rows=[0, 1, 2])
    assert scaler.mean_["a"].tolist() == [2.0, 7.0]
    assert scaler.sd_["a"].tolist() == [1.0, np.inf]
    assert scaler.transform(X)["a"].tolist() == [[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [98.0, 0.0]]


def test_features_of_any_shape_are_scaled_one_by_one() -> None:
    """Mean 0 and deviation 1 in every place of an image; float32 comes back as float64."""
    images = np.random.default_rng(0).normal(5, 3, size=(50, 3, 2)).astype(np.float32)
    values = Standardiser().fit(X := Modalities({"image": images})).transform(X)["image"]
    assert values.dtype == np.float64
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-6)


def test_without_scaling_units_stay_and_gaps_take_the_mean() -> None:
    """Only the imputation is left."""
    X = Modalities({"a": [[1.0, 7.0], [3.0, NAN], [NAN, NAN]]})
    values = Standardiser("none").fit(X).transform(X)["a"]
    assert values.tolist() == [[1.0, 7.0], [3.0, 7.0], [0.0, 0.0]]


def test_constant_and_unseen_features_teach_nothing() -> None:
    """They are 0 afterwards, whatever comes in new rows; no division by zero, not even by the rounding of a mean."""
    X = Modalities({"a": [[0.1, NAN]] * 10})
    with pytest.warns(UserWarning, match="'a' has the same values in all training samples"):
        scaler = Standardiser().fit(X)
    assert scaler.sd_["a"].tolist() == [np.inf, np.inf]
    np.testing.assert_allclose(scaler.mean_["a"], [0.1, 0.0])
    assert scaler.transform(X)["a"].tolist() == [[0.0, 0.0]] * 10
    assert scaler.transform(Modalities({"a": [[1000.0, -7.0]]}))["a"].tolist() == [[0.0, 0.0]]


def test_a_modality_that_was_never_there_becomes_zeros() -> None:
    """Absent in all training rows, or in all rows."""
    X = Modalities({"a": [1, 2, 3], "b": [[NAN, NAN], [NAN, NAN], [4.0, 5.0]], "c": None})
    with pytest.warns(UserWarning, match="'b' is absent from all training samples"):
        scaler = Standardiser().fit(X, rows=slice(2))
    values = scaler.transform(X[:2])
    assert values["b"].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert values["c"].shape == (2, 0)


def test_a_constant_that_some_have_is_not_warned_of() -> None:
    """Who has it may be what tells."""
    assert Standardiser().fit(Modalities({"a": [1.0, 2.0, 3.0], "b": [1.0, NAN, 1.0]})).sd_["b"].tolist() == [np.inf]


def test_a_single_row_is_enough() -> None:
    """One value has no deviation."""
    with pytest.warns(UserWarning, match="'a' has the same values"):
        scaler = Standardiser().fit(X := Modalities({"a": [5.0]}))
    assert scaler.transform(X)["a"].tolist() == [[0.0]]


def test_rows_do_not_influence_each_other_and_the_input_stays() -> None:
    """Transforming a part is a part of transforming all."""
    X = Modalities({"a": np.random.default_rng(0).normal(size=(6, 2))})
    before = X["a"].copy()
    scaler = Standardiser().fit(X)
    np.testing.assert_array_equal(scaler.transform(X)["a"][2:4], scaler.transform(X[2:4])["a"])
    np.testing.assert_array_equal(X["a"], before)


@pytest.mark.parametrize("scaling", ["standard", "none"])
def test_the_state_restores_it(scaling: str) -> None:
    """Arrays by name are enough, whatever the names look like."""
    X = Modalities({"a.mean": [1.0, 2.0, 5.0], "b": [[1.0, NAN], [2.0, 3.0], [4.0, 5.0]]})
    scaler = Standardiser(scaling).fit(X)
    again = Standardiser.from_state(scaler.state(), scaling)
    assert again.mean_.keys() == scaler.mean_.keys()
    for name, values in scaler.transform(X).items():
        np.testing.assert_array_equal(again.transform(X)[name], values)


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**-500, 1.0, 2.0**500, 2.0**1000])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_scaling_knows_no_unit(unit: float, kind: type) -> None:
    """Values whose squares leave the range of numbers are scaled to the same bits as others; a constant becomes 0."""
    values = np.random.default_rng(0).normal(size=(20, 3)).astype(kind)
    values[:, 1], values[3, 2] = 2.5, NAN
    unit = kind(max(min(unit, 2.0**120), 2.0**-120)) if kind is np.float32 else unit
    plain, other = (Modalities({"a": data}) for data in (values, values * unit))
    expected = Standardiser().fit(plain).transform(plain)["a"]
    np.testing.assert_array_equal(Standardiser().fit(other).transform(other)["a"], expected)
    assert not expected[:, 1].any()


def test_values_that_only_scaling_makes_usable_are_refused_without_it() -> None:
    """Training is in single precision."""
    X = Modalities({"a": [1.5e308, 1.5e308, 1e308]})
    assert np.isfinite(Standardiser().fit(X).transform(X)["a"]).all()
    with pytest.raises(ValueError, match="'a' holds values too large to train on as they are"):
        Standardiser("none").fit(Modalities({"a": [1.0, -1e20, NAN]}))


def test_an_unknown_scaling_is_refused() -> None:
    """The error lists the choices."""
    with pytest.raises(ValueError, match=r"'standard', 'none'.*'minmax'"):
        Standardiser("minmax").fit(Modalities({"a": [1.0]}))
