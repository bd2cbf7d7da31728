"""Tables joined by sample id: nobody is dropped or paired by position, and what is absent is told."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from plait.data.convert import as_modalities
from plait.data.joins import Account
from plait.data.modalities import Modalities

NAN = np.nan
GENES = pd.DataFrame({"u": [1, 2, 3], "v": [4, 5, 6]}, index=["x", "y", "z"])
AGES = pd.DataFrame({"age": [30.0, 20.0, 40.0]}, index=["z", "y", "q"])


def test_an_outer_join_keeps_everybody_and_warns_with_figures() -> None:
    """Samples stand in the order of first appearance; what a table lacks is absent."""
    with pytest.warns(UserWarning, match="2 samples are in every modality; 'genes' lacks 1 .'q'.; 'age' lacks 1 .'x'."):
        X = Modalities.from_frames({"genes": GENES, "age": AGES})
    assert X.ids.tolist() == ["x", "y", "z", "q"]
    np.testing.assert_array_equal(X["age"][:, 0], [NAN, 20.0, 30.0, 40.0])
    np.testing.assert_array_equal(X["genes"], [[1, 4], [2, 5], [3, 6], [NAN, NAN]])
    assert X.present.tolist() == [[True, False], [True, True], [True, True], [False, True]]
    assert X.account == Account(2, {"genes": ("q",), "age": ("x",)}, aligned=False)
    assert X.columns == {"genes": ("u", "v"), "age": ("age",)}


def test_a_table_that_shares_no_id_is_named() -> None:
    """A blank behind every id makes strangers of all."""
    spelled = GENES.set_axis([f"{name} " for name in GENES.index])
    with pytest.warns(UserWarning, match="No id of 'genes' is in any other table: are the ids spelled alike"):
        X = Modalities.from_frames({"genes": spelled, "age": AGES, "height": AGES.rename(columns=str.upper)})
    assert X.account is not None
    assert X.account.apart == ("genes",)


def test_a_column_that_looks_like_ids_is_not_taken_for_a_feature() -> None:
    """Tables straight from a file, their ids still a column, would be paired by position."""
    first = pd.DataFrame({"patient": [11, 12, 13, 14, 15], "x": [0.1, 0.2, 0.3, 0.4, 0.5]})
    second = first.iloc[::-1].reset_index(drop=True).rename(columns={"x": "y"})
    with pytest.raises(ValueError, match=r"'patient' stands in all of them.*set_index\('patient'\).*on='patient'"):
        Modalities.from_frames({"a": first, "b": second})
    X = Modalities.from_frames({"a": first, "b": second}, on="patient")
    np.testing.assert_array_equal(X["a"], X["b"])


def test_reordered_tables_are_joined_by_id_and_not_by_position() -> None:
    """Nothing is missing, so nothing is warned of; the account is there all the same."""
    X = Modalities.from_frames({"genes": GENES, "again": GENES.iloc[[2, 0, 1]]})
    np.testing.assert_array_equal(X["genes"], X["again"])
    assert X.account is not None
    assert X.account.complete
    assert X.account.summary() == "Joined 2 modalities by id: all 3 samples are in every modality."


def test_a_mapping_of_tables_is_joined_at_the_front_door() -> None:
    """So are a list of tables and single columns."""
    swapped = GENES.iloc[::-1]
    for X in (as_modalities({"m0": GENES, "m1": swapped}), as_modalities([GENES, swapped])):
        np.testing.assert_array_equal(X["m0"], X["m1"])
    X = as_modalities({"u": GENES["u"], "v": swapped["v"]})
    assert X["v"][:, 0].tolist() == [4.0, 5.0, 6.0]


def test_ids_may_stand_in_a_column() -> None:
    """`on` names it, or names the index where it stands there already."""
    frames = {"genes": GENES.rename_axis("id").reset_index(), "again": GENES.rename_axis("id").iloc[::-1]}
    X = Modalities.from_frames(frames, on="id")
    assert X.ids.tolist() == ["x", "y", "z"]
    np.testing.assert_array_equal(X["genes"], X["again"])
    assert X.columns["genes"] == ("u", "v")


def test_truth_values_survive_the_join() -> None:
    """Booleans with gaps become numbers with NaN."""
    flags = pd.DataFrame({"smokes": [True, False]}, index=["x", "z"])
    with pytest.warns(UserWarning, match="'flags' lacks 1"):
        X = Modalities.from_frames({"genes": GENES, "flags": flags})
    np.testing.assert_array_equal(X["flags"][:, 0], [1.0, NAN, 0.0])


def test_none_is_a_modality_that_is_absent_in_all() -> None:
    """It is said by the user, so the account is silent."""
    X = Modalities.from_frames({"genes": GENES, "age": None})
    assert X.present.all(axis=0).tolist() == [True, False]
    assert X.account == Account(3, {"genes": ()})


def test_disjoint_tables_are_all_kept() -> None:
    """The account says that nobody matched."""
    with pytest.warns(UserWarning, match="0 samples are in every modality"):
        X = Modalities.from_frames({"genes": GENES, "age": AGES.set_axis(["k", "l", "m"])})
    assert len(X) == 6


def test_filtered_tables_without_names_for_rows_join_by_their_index() -> None:
    """A part of a table still carries the index of the whole."""
    whole = GENES.reset_index(drop=True)
    with pytest.warns(UserWarning, match="'part' lacks 1 .1."):
        X = Modalities.from_frames({"whole": whole, "part": whole.iloc[[2, 0]]})
    np.testing.assert_array_equal(X["part"][:, 0], [1.0, NAN, 3.0])


PLAIN = GENES.reset_index(drop=True)
WRONG = {
    "repeated id": (
        {"genes": GENES, "age": AGES.set_axis(["z", "z", "q"])},
        None,
        "table 'age' .* id 'z' occurs 2",
    ),
    "missing id": ({"genes": GENES.set_axis(["x", None, "z"])}, None, "table 'genes' .* row 1 has none"),
    "no id column": ({"genes": GENES}, "patient", "Table 'genes' has no id column 'patient'"),
    "numbers and strings": (
        {"genes": GENES, "age": AGES.set_axis([7, 8, 9])},
        None,
        r"'age' they are numbers \(7\)",
    ),
    "no ids at all": (
        {"genes": PLAIN, "age": PLAIN[:2]},
        None,
        "without sample ids .*'genes' has 3, 'age' has 2",
    ),
    "only None": ({"genes": None}, None, "Every modality is None"),
    "no table": ({}, None, "at least one modality"),
    "strings": ({"genes": GENES.assign(v=["k", "l", "m"])}, None, "Column 'v' of modality 'genes'"),
}


@pytest.mark.parametrize(("frames", "on", "message"), WRONG.values(), ids=WRONG.keys())
def test_tables_that_cannot_be_joined_say_why(frames: dict, on: str | None, message: str) -> None:
    """The error names the table, the id and the remedy."""
    with pytest.raises(ValueError, match=message):
        Modalities.from_frames(frames, on=on)


def test_an_array_is_no_table() -> None:
    """An array has no ids to join by."""
    with pytest.raises(TypeError, match="Table 'age' must be a DataFrame, got ndarray"):
        Modalities.from_frames({"genes": GENES, "age": np.ones(3)})


def test_arrays_beside_tables_are_never_paired_with_another_order() -> None:
    """With an array among them, tables must agree on the rows."""
    X = Modalities({"genes": GENES, "image": np.ones((3, 2, 2))})
    assert X.ids.tolist() == ["x", "y", "z"]
    with pytest.raises(ValueError, match=r"modality 'again' have other ids.*from_frames"):
        as_modalities({"genes": GENES, "again": GENES.iloc[::-1], "image": np.ones((3, 2, 2))})
    with pytest.raises(ValueError, match="modality 'genes' have other ids"):
        Modalities({"genes": GENES}, ids=["z", "y", "x"])


def test_rows_forget_the_account_of_the_join() -> None:
    """A part of the samples is not what was joined."""
    X = Modalities.from_frames({"genes": GENES})
    assert X.account is not None
    assert X[:2].account is None


def stand_in(**parts: pd.DataFrame) -> SimpleNamespace:
    """An object with the attributes of MuData that are read."""
    mod = {
        name: SimpleNamespace(X=frame.to_numpy(), obs_names=frame.index, var_names=frame.columns)
        for name, frame in parts.items()
    }
    return SimpleNamespace(mod=mod, obs_names=pd.Index(["q", "x", "y", "z"]), axis=0)


def test_mudata_gives_samples_in_its_own_order_without_a_warning() -> None:
    """Targets stand in mdata.obs, so mdata.obs_names rules; partial modalities are its own statement."""
    X = as_modalities(stand_in(genes=GENES, age=AGES))
    assert X.ids.tolist() == ["q", "x", "y", "z"]
    np.testing.assert_array_equal(X["age"][:, 0], [40.0, NAN, 20.0, 30.0])
    assert X.account == Account(2, {"genes": ("q",), "age": ("x",)}, aligned=False)


def test_mudata_of_sparse_matrices_or_shared_variables_is_refused() -> None:
    """The error says what to write."""
    sparse = stand_in(genes=GENES)
    sparse.mod["genes"].X = csr_matrix(GENES.to_numpy())
    with pytest.raises(TypeError, match=r"'genes' is a sparse matrix.*\.toarray\(\)"):
        Modalities.from_mudata(sparse)
    with pytest.raises(ValueError, match="axis=0"):
        Modalities.from_mudata(SimpleNamespace(mod={}, obs_names=[], axis=1))


def test_a_real_mudata_object_is_read() -> None:
    """What the package itself writes can be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what these packages say about themselves
        anndata, mudata = pytest.importorskip("anndata"), pytest.importorskip("mudata")
        mdata = mudata.MuData({"genes": anndata.AnnData(GENES.astype(float)), "age": anndata.AnnData(AGES)})
    X = as_modalities(mdata)
    assert X.ids.tolist() == mdata.obs_names.tolist()
    assert X["age"][X.ids == "q"].tolist() == [[40.0]]
    assert X.missing_rows()["absent"].tolist() == [1, 1]
