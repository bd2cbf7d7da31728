"""The front door: one table divided by columns, lists, mappings; and what is none of these."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from plait.data.convert import as_modalities
from plait.data.modalities import Modalities

SQUARE = np.arange(6.0).reshape(2, 3)
FRAME = pd.DataFrame(SQUARE, columns=["rna_1", "age", "rna_2"], index=["p", "q"])


def test_modalities_pass_as_they_are() -> None:
    """No copy."""
    X = Modalities({"a": SQUARE})
    assert as_modalities(X) is X


def test_a_plain_table_is_one_modality() -> None:
    """Arrays, lists of lists, lists of vectors and frames are what scikit-learn takes them for."""
    for table in (SQUARE, SQUARE.tolist(), list(SQUARE), tuple(map(tuple, SQUARE)), FRAME):
        X = as_modalities(table)
        assert X.names == ("x",)
        np.testing.assert_array_equal(X["x"], SQUARE)
    assert as_modalities(FRAME).columns == {"x": ("rna_1", "age", "rna_2")}
    assert as_modalities(SQUARE)["x"] is SQUARE


GROUPS = {
    "pattern and name": {"rna": "rna_*", "age": "age"},
    "lists": {"rna": ["rna_1", "rna_2"], "age": ["age"]},
    "positions": {"rna": [0, 2], "age": 1},
    "slice and booleans": {"rna": slice(None, None, 2), "age": [False, True, False]},
}


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS.keys())
def test_groups_divide_the_columns_of_a_frame(groups: dict) -> None:
    """By pattern, by name or by position; ids and names of columns stay."""
    X = as_modalities(FRAME, groups)
    assert X["rna"].tolist() == [[0.0, 2.0], [3.0, 5.0]]
    assert X["age"].tolist() == [[1.0], [4.0]]
    assert X.columns == {"rna": ("rna_1", "rna_2"), "age": ("age",)}
    assert X.ids.tolist() == ["p", "q"]


def test_groups_keep_the_order_asked_for_and_leave_the_rest_out() -> None:
    """A list of names is an order."""
    assert as_modalities(FRAME, {"a": ["rna_2", "rna_1"]}).columns == {"a": ("rna_2", "rna_1")}
    assert as_modalities(SQUARE, {"a": [2, 0]})["a"].tolist() == [[2.0, 0.0], [5.0, 3.0]]


def test_two_levels_of_columns_name_the_modalities() -> None:
    """Level 0 is the modality, the rest the column; columns of one modality need not stand together."""
    levels = pd.MultiIndex.from_tuples([("rna", "g1"), ("clinic", "age"), ("rna", "g2")])
    X = as_modalities(FRAME.set_axis(levels, axis=1))
    assert X.columns == {"rna": ("g1", "g2"), "clinic": ("age",)}
    assert X["rna"].tolist() == [[0.0, 2.0], [3.0, 5.0]]


def test_a_list_of_tables_is_a_list_of_modalities() -> None:
    """They are numbered; None is an absent one."""
    X = as_modalities([SQUARE, None, SQUARE.reshape(2, 3, 1).tolist()])
    assert X.names == ("m0", "m1", "m2")
    assert X.sample_shapes == {"m0": (3,), "m1": (0,), "m2": (3, 1)}


def test_a_mapping_of_arrays_keeps_its_names() -> None:
    """The usual case."""
    X = as_modalities({"audio": SQUARE, "image": np.ones((2, 4, 4))})
    assert X.sample_shapes == {"audio": (3,), "image": (4, 4)}


class ArrayLike:
    """Something that only knows how to become an array."""

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return SQUARE


def test_whatever_becomes_an_array_is_one() -> None:
    """scikit-learn passes such objects."""
    np.testing.assert_array_equal(as_modalities(ArrayLike())["x"], SQUARE)


WRONG = {
    "vector": (np.ones(3), None, ValueError, "Expected a 2D array.*Reshape your data"),
    "numbers": ([1, 2, 3], None, ValueError, "Reshape your data"),
    "cube": (np.ones((2, 2, 2)), None, ValueError, r"got an array of shape \(2, 2, 2\)"),
    "nothing": ([], None, ValueError, r"0 sample\(s\)"),
    "no columns": (
        np.ones((12, 0)),
        None,
        ValueError,
        r"0 feature\(s\) \(shape=\(12, 0\)\) while a minimum of 1",
    ),
    "None": (None, None, TypeError, "single NoneType"),
    "number": (5, None, TypeError, "single int"),
    "words": (["x", "y"], None, ValueError, "must hold numbers, got strings"),
    "sparse": (csr_matrix(SQUARE), None, TypeError, "sparse matrix, but dense data is required"),
    "sparse in a list": ([csr_matrix(SQUARE), SQUARE], None, TypeError, "'m0' is a sparse matrix"),
    "groups of several": ({"a": SQUARE}, {"a": [0]}, ValueError, "divide one table; dict holds several"),
    "groups of Modalities": (Modalities({"a": SQUARE}), {"a": [0]}, ValueError, "Modalities holds several"),
    "names of an array": (SQUARE, {"a": "rna_*"}, ValueError, "an array has none.*pass a DataFrame"),
    "position": (SQUARE, {"a": [3]}, ValueError, r"'a' must hold positions from 0 to 2, got \[3\]"),
    "no position": (SQUARE, {"a": None}, ValueError, "'a' must hold positions"),
    "half a position": (SQUARE, {"a": [0.5]}, ValueError, "'a' must hold positions"),
    "empty group": (SQUARE, {"a": []}, ValueError, r"'a' has 0 feature\(s\)"),
    "no groups": (SQUARE, {}, ValueError, "groups are empty"),
    "pattern": (
        FRAME,
        {"a": "dna_*"},
        ValueError,
        "'a' asks for 'dna_.', which matches no column.*'rna_1', 'age'",
    ),
    "name": (FRAME, {"a": ["rna_1", "dna"]}, ValueError, "'a' asks for 'dna'"),
    "repeated ids": (FRAME.set_axis(["p", "p"]), None, ValueError, "id 'p' occurs 2 times.*its own id"),
}


@pytest.mark.parametrize(("X", "groups", "error", "message"), WRONG.values(), ids=WRONG.keys())
def test_other_inputs_end_in_one_clear_error(X: object, groups: dict | None, error: type, message: str) -> None:
    """The error names the modality or the group and says what to do."""
    with pytest.raises(error, match=message):
        as_modalities(X, groups)


def test_groups_are_a_mapping_and_levels_need_none() -> None:
    """Column groups have names; two levels of columns have them already."""
    with pytest.raises(TypeError):
        as_modalities(SQUARE, ["a"])
    levels = pd.MultiIndex.from_tuples([("a", "u"), ("a", "v"), ("b", "w")])
    with pytest.raises(ValueError, match="leave the column groups out"):
        as_modalities(FRAME.set_axis(levels, axis=1), {"a": "u"})
