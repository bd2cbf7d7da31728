"""New samples are brought to what was seen in fit, or refused by name."""

import numpy as np
import pandas as pd
import pytest

from plait.data.matching import matched
from plait.data.modalities import Modalities

SHAPES = {"a": (2,), "b": (3, 1)}
COLUMNS = {"a": ("u", "v")}
A = pd.DataFrame({"u": [1.0, 2.0], "v": [3.0, 4.0]}, index=["p", "q"])
B = np.ones((2, 3, 1))


def test_modalities_and_columns_come_in_the_order_of_fit() -> None:
    """Columns follow their names, ids and presence their samples."""
    X = matched(Modalities({"b": [B[0], None], "a": A[["v", "u"]]}), SHAPES, COLUMNS)
    assert X.names == ("a", "b")
    assert X["a"].tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert X.columns == COLUMNS
    assert X.present.tolist() == [[True, True], [True, False]]
    assert X.ids.tolist() == ["p", "q"]


def test_what_matches_already_is_not_copied() -> None:
    """The same arrays come back."""
    X = Modalities({"a": A, "b": B})
    Y = matched(X, SHAPES, COLUMNS)
    assert all(Y[name] is X[name] for name in X)


def test_names_on_one_side_only_leave_the_number_of_columns_to_compare() -> None:
    """An array has no names, and neither had the fit perhaps."""
    assert matched(Modalities({"a": np.ones((2, 2)), "b": B}), SHAPES, COLUMNS)["a"].shape == (2, 2)
    assert matched(Modalities({"a": A[["v", "u"]], "b": B}), SHAPES, {})["a"].tolist() == [[3, 1], [4, 2]]


def test_none_is_absent_in_all_samples_in_the_shape_of_fit() -> None:
    """A modality may be missing if that is said; rows of it stay so."""
    X = matched(Modalities({"a": A, "b": None})[[1]], SHAPES, COLUMNS)
    assert X["b"].shape == (1, 3, 1)
    assert np.isnan(X["b"]).all()
    assert X.present.tolist() == [[True, False]]


def test_repeated_samples_are_matched() -> None:
    """A resampled container holds an id twice."""
    assert matched(Modalities({"a": A, "b": B})[[0, 0]], SHAPES, COLUMNS).ids.tolist() == ["p", "p"]


WRONG = {
    "unknown modality": (
        {"a": A, "b": B, "c": B},
        "Unknown modalities 'c'; the model was fitted on 'a', 'b'",
    ),
    "missing modality": ({"a": A}, "'b' of the fit are not there.*pass None.*'b': None"),
    "missing column": ({"a": A[["u"]], "b": B}, "'a' lacks the columns 'v'"),
    "extra column": ({"a": A.assign(w=0.0), "b": B}, "'a' has columns that were not there in fit: 'w'"),
    "renamed column": (
        {"a": A.rename(columns={"v": "w"}), "b": B},
        "'a' lacks the columns 'v' and has .*'w'",
    ),
    "shape": (
        {"a": A, "b": np.ones((2, 1, 3))},
        r"'b' has samples of shape \(1, 3\), in fit they had .*\(3, 1\)",
    ),
    "width": (
        {"a": np.ones((2, 5)), "b": B},
        r"'a' has samples of shape \(5,\), in fit they had shape \(2,\)",
    ),
}


@pytest.mark.parametrize(("arrays", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_differs_from_fit_is_refused_by_name(arrays: dict, message: str) -> None:
    """The error names the modality, and what was seen in fit."""
    with pytest.raises(ValueError, match=message):
        matched(Modalities(arrays), SHAPES, COLUMNS)
