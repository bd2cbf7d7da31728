"""The container: names, rows, presence, and one clear error for every input that is none."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix

from plait.data.modalities import Modalities

NAN = np.nan


def three_samples() -> Modalities:
    """Three samples; the second has no sound."""
    sound = np.array([[1.0, 2.0], [NAN, NAN], [5.0, NAN]])
    image = np.arange(12.0).reshape(3, 2, 2)
    return Modalities({"sound": sound, "image": image}, ids=["p", "q", "r"], columns={"sound": ["u", "v"]})


def test_looks_one_dimensional_with_names_for_keys() -> None:
    """len and shape count samples; iteration, `in`, keys and items speak of modalities."""
    X = three_samples()
    assert (len(X), X.shape, list(X), X.names) == (3, (3,), ["sound", "image"], ("sound", "image"))
    assert "sound" in X
    assert "text" not in X
    assert list(X.keys()) == list(dict(X))
    assert X.sample_shapes == {"sound": (2,), "image": (2, 2)}
    assert [array.shape for array in X.values()] == [array.shape for _, array in X.items()]


def test_a_row_of_nan_alone_is_absent() -> None:
    """A row that is all NaN is absent; a NaN beside a value is only a missing value."""
    X = three_samples()
    assert X.present.tolist() == [[True, True], [False, True], [True, True]]
    assert X.missing_rows().loc["sound"].tolist() == [2, 1, pytest.approx(1 / 3)]
    assert repr(X) == "Modalities(n=3, sound=(2,) [1 absent], image=(2, 2))"


def test_none_marks_absent_rows_and_absent_modalities() -> None:
    """None stands for a row, or for a whole modality whose shape then stays unknown."""
    X = Modalities({"image": [np.ones((2, 2)), None, np.ones((2, 2))], "age": [3, None, 5], "text": None})
    assert X.present.tolist() == [[True, True, False], [False, False, False], [True, True, False]]
    assert X.sample_shapes == {"image": (2, 2), "age": (1,), "text": (0,)}
    assert X["age"][[0, 2], 0].tolist() == [3.0, 5.0]


def test_none_in_every_row_is_an_absent_modality() -> None:
    """A list of None is as long as it is, and tells no shape."""
    X = Modalities({"a": [None, None], "b": [1, 2]})
    assert X.sample_shapes["a"] == (0,)
    assert not X.present[:, 0].any()


@pytest.mark.parametrize("present", [np.array([[True], [False], [True]]), {"a": [1, 0, 1]}])
def test_presence_marks_further_rows_absent_and_clears_them(present: object) -> None:
    """Values of a row marked absent become NaN (even infinite ones), and the array given stays as it was."""
    given = np.array([[1.0], [np.inf], [3.0]])
    X = Modalities({"a": given}, present=present)
    assert X.present[:, 0].tolist() == [True, False, True]
    np.testing.assert_array_equal(X["a"], [[1.0], [NAN], [3.0]])
    assert np.isinf(given[1, 0])


def test_arrays_are_copied_only_if_that_changes_them() -> None:
    """float64 and float32 stay the user's own arrays; float16 becomes float32, other numbers float64."""
    double, single = np.ones((2, 1)), np.ones((2, 1), dtype=np.float32)
    X = Modalities({"d": double, "s": single, "i": [[1], [2]], "b": [True, False], "h": np.ones(2, "f2")})
    assert X["d"] is double
    assert X["s"] is single
    assert [array.dtype.name for array in X.values()] == [
        "float64",
        "float32",
        "float64",
        "float64",
        "float32",
    ]


def test_tensors_and_masked_arrays_are_read() -> None:
    """A tensor with gradient gives its values; a masked value is missing."""
    tensor = torch.ones(2, 3, requires_grad=True)
    masked = np.ma.masked_array([[1, 2], [3, 4]], mask=[[False, True], [False, False]])
    X = Modalities({"tensor": tensor, "masked": masked})
    assert X["tensor"].tolist() == [[1.0] * 3] * 2
    np.testing.assert_array_equal(X["masked"], [[1.0, NAN], [3.0, 4.0]])


def test_tables_bring_their_ids_and_columns() -> None:
    """The index of a table is the ids, its labels are the columns, and nullable NA is missing."""
    frame = pd.DataFrame({"u": pd.array([1.5, None], dtype="Float64"), 7: [True, False]}, index=["p", "q"])
    X = Modalities({"a": frame, "b": np.ones((2, 3))})
    assert X.ids.tolist() == ["p", "q"]
    assert X.columns == {"a": ("u", "7")}
    np.testing.assert_array_equal(X["a"], [[1.5, 1.0], [NAN, 0.0]])


def test_object_columns_of_numbers_are_numbers() -> None:
    """What pandas keeps as objects because of None is read as numbers."""
    X = Modalities({"a": pd.DataFrame({"u": [1, None, 2.5], "v": [True, False, None]}, dtype=object)})
    np.testing.assert_array_equal(X["a"], [[1.0, 1.0], [NAN, 0.0], [2.5, NAN]])


def test_select_takes_modalities_in_the_order_asked_for() -> None:
    """Presence and columns follow their modality."""
    X = three_samples().select(["image", "sound"])
    assert X.names == ("image", "sound")
    assert X.present[1].tolist() == [True, False]
    assert three_samples().select("image").columns == {}


def test_copies_and_pickles_hold_the_same() -> None:
    """Parallel workers get what was sent."""
    X = three_samples()
    for Y in (copy.copy(X), copy.deepcopy(X), pickle.loads(pickle.dumps(X))):
        assert Y.ids.tolist() == ["p", "q", "r"]
        assert Y.columns == X.columns
        np.testing.assert_array_equal(Y["sound"], X["sound"])


def test_a_dict_of_it_builds_it_again() -> None:
    """dict(X) loses nothing but ids and column names."""
    X = three_samples()
    Y = Modalities(dict(X.items()), ids=X.ids, columns=X.columns)
    assert Y["sound"] is X["sound"]
    assert (Y.present == X.present).all()


def test_it_refuses_to_become_one_array() -> None:
    """NumPy is told to take one modality by name."""
    with pytest.raises(TypeError, match=r"X\['sound'\]"):
        np.asarray(three_samples())


def test_unknown_names_list_the_known_ones() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(KeyError, match="'text'; the modalities are 'sound', 'image'"):
        three_samples()["text"]
    with pytest.raises(KeyError, match="'text'; the modalities are 'sound', 'image'"):
        three_samples().select(["sound", "text"])


PAIR = np.ones((2, 2))
INFINITE = np.array([[1.0, 2.0], [3.0, -np.inf]])
MIXED = pd.DataFrame({"dose": [1.0, 2.0], "sex": ["f", "m"]})

HOSTILE = {
    "no modality": ({}, {}, "at least one modality"),
    "only None": ({"a": None, "b": None}, {}, "Every modality is None"),
    "only rows of None": ({"a": [None, None]}, {}, "Every modality is None"),
    "no rows": ({"a": PAIR[:0]}, {}, r"'a' has 0 sample\(s\)"),
    "no columns": ({"a": PAIR[:, :0]}, {}, r"'a' has 0 feature\(s\) \(shape=\(2, 0\)\)"),
    "ragged lists": (
        {"a": [[1], [1, 2]]},
        {},
        r"'a' is ragged: row 0 has shape \(1,\), row 1 has shape \(2,\)",
    ),
    "ragged arrays": (
        {"a": [np.ones(3), None, np.ones(2)]},
        {},
        r"row 0 has shape \(3,\), row 2 has shape \(2,\)",
    ),
    "ragged inside": ({"a": [[[1], [2, 3]], [[1], [2]]]}, {}, "'a', row 0, is ragged"),
    "lengths": ({"a": PAIR, "b": np.ones(3)}, {}, "'a' has 2 rows, 'b' has 3"),
    "strings": ({"a": [["x", "y"], ["z", "w"]]}, {}, "'a' must hold numbers, got strings"),
    "bytes": ({"a": np.array([b"x", b"y"])}, {}, "got bytes"),
    "objects of strings": (
        {"a": np.array([[1, 2], [3, "w"]], dtype=object)},
        {},
        "got the string 'w' in row 1",
    ),
    "numbers as strings": ({"a": np.array([["1"], ["2"]], dtype=object)}, {}, "got the string '1' in row 0"),
    "rows of strings and numbers": ({"a": [1.0, "x"]}, {}, "'a', row 1, must hold numbers|must hold numbers"),
    "column of strings": ({"a": MIXED}, {}, "Column 'sex' of modality 'a' must hold numbers.*Encode"),
    "categories": ({"a": MIXED.astype({"sex": "category"})}, {}, "Column 'sex' of modality 'a'.*Encode"),
    "number categories": (
        {"a": MIXED.assign(sex=[1, 2]).astype({"sex": "category"})},
        {},
        "'sex' of modality 'a'",
    ),
    "dates": ({"a": MIXED.assign(sex=pd.Timestamp(0))}, {}, "Column 'sex' of modality 'a'.*got dates"),
    "date array": ({"a": np.array(["2020-01-01"] * 2, dtype="M8[D]")}, {}, "got dates"),
    "complex": ({"a": PAIR * 1j}, {}, "Complex data not supported: Modality 'a'"),
    "complex column": ({"a": MIXED.assign(sex=[1j, 2j])}, {}, "Complex data not supported: Column 'sex'"),
    "infinity": ({"b": PAIR, "a": INFINITE}, {"ids": ["p", "q"]}, r"'a' holds infinity .* row 1 \(id 'q'\)"),
    "repeated ids": ({"a": PAIR}, {"ids": ["p", "p"]}, "id 'p' occurs 2 times"),
    "missing id": ({"a": PAIR}, {"ids": ["p", None]}, "row 1 has none"),
    "too few ids": ({"a": PAIR}, {"ids": ["p"]}, r"2 in all; got shape \(1,\)"),
    "ids in two axes": ({"a": PAIR}, {"ids": [["p"], ["q"]]}, r"got shape \(2, 1\)"),
    "presence of another shape": (
        {"a": PAIR},
        {"present": np.ones((2, 3), bool)},
        r"\(2, 1\); got shape \(2, 3\)",
    ),
    "presence in fractions": ({"a": PAIR}, {"present": [[0.5], [1.0]]}, "True and False"),
    "presence of too few": ({"a": PAIR}, {"present": {"a": [True]}}, r"present\['a'\].*got shape \(1,\)"),
    "presence of a stranger": ({"a": PAIR}, {"present": {"b": [True] * 2}}, "unknown modalities: 'b'"),
    "too few columns": ({"a": PAIR}, {"columns": {"a": ["u"]}}, r"names 1 columns, .* shape \(2,\)"),
    "repeated columns": ({"a": PAIR}, {"columns": {"a": ["u", "u"]}}, "'a' must be unique.*'u'"),
    "columns of a stranger": ({"a": PAIR}, {"columns": {"b": ["u"]}}, "unknown modalities: 'b'"),
}


@pytest.mark.parametrize(("arrays", "more", "message"), HOSTILE.values(), ids=HOSTILE.keys())
def test_bad_values_end_in_one_clear_error(arrays: dict, more: dict, message: str) -> None:
    """The error names the modality and the place."""
    with pytest.raises(ValueError, match=message):
        Modalities(arrays, **more)


NO_ARRAYS = {
    "a number": (3.0, "single float"),
    "an array without axes": (np.array(3.0), "single ndarray"),
    "a word": ("abc", "single str"),
    "a set": ({1, 2}, "single set"),
    "a sparse matrix": (csr_matrix(PAIR), r"'a' is a sparse matrix.*\.toarray\(\)"),
    "objects": (np.array([[{"foo": 1}], [2]], dtype=object), "'a' must hold numbers.*argument must be"),
    "a number beyond floats": ([[10**400], [1]], "'a' must hold numbers: int too large"),
}


@pytest.mark.parametrize(("value", "message"), NO_ARRAYS.values(), ids=NO_ARRAYS.keys())
def test_what_is_no_array_is_refused(value: object, message: str) -> None:
    """A TypeError names the modality and what came."""
    with pytest.raises(TypeError, match=message):
        Modalities({"a": value})


@pytest.mark.parametrize("arrays", [[PAIR], {1: PAIR}, {"": PAIR}, None])
def test_names_are_strings_in_a_mapping(arrays: object) -> None:
    """Modalities are named."""
    with pytest.raises(TypeError):
        Modalities(arrays)


@pytest.mark.parametrize(
    "given", [["f", None, ""], np.array(["f", np.nan, ""], dtype=object), pd.Series(["f", None, ""])]
)
def test_texts_are_a_modality_of_their_own(given):
    """One string a sample; None and NaN are absent, an empty text is there; rows and names work as of any other."""
    X = Modalities({"words": given, "x": [1.0, 2.0, 3.0]})
    assert X.sample_shapes == {"words": (), "x": (1,)}
    assert X["words"].tolist() == ["f", None, ""]
    assert X.present[:, 0].tolist() == [True, False, True]
    assert X[[2, 1]]["words"].tolist() == ["", None]
    marked = Modalities({"words": given}, present=[[False], [True], [True]])
    assert marked["words"].tolist() == [None, None, ""]


def test_tables_of_texts_are_joined_by_id():
    """One column of texts a table; who lacks one is absent."""
    titles = pd.Series(["one", "two"], index=["p", "q"], name="title")
    with pytest.warns(UserWarning, match="lack"):
        X = Modalities.from_frames({"title": titles, "body": pd.Series(["long"], index=["q"], name="body")})
    assert X["title"].tolist() == ["one", "two"]
    assert X["body"].tolist() == [None, "long"]
