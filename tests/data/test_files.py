"""A folder with one file a modality becomes joined samples, or one error that names the file."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plait.data.files import FolderData, read_folder

NAN = np.nan
GENES = "id,u,v\ns1,1,2\ns2,3,4\ns3,5,6\n"
AGES = "id,age\ns3,30\ns1,10\ns2,20\n"
LABELS = "id,sick\ns2,yes\ns1,no\ns3,yes\n"
Texts = dict[str, str]


def folder_of(path: Path, **files: str) -> Path:
    """The folder with these csv files in it."""
    for stem, text in files.items():
        (path / f"{stem}.csv").write_text(text, encoding="utf-8")
    return path


def test_files_are_joined_by_id_and_the_target_follows_the_samples(tmp_path: Path) -> None:
    """The names of the files name the modalities; the order of the rows in a file means nothing."""
    data = read_folder(folder_of(tmp_path, genes=GENES, ages=AGES, labels=LABELS))
    assert data.modalities.names == ("ages", "genes")
    assert data.ids.tolist() == ["s3", "s1", "s2"]
    np.testing.assert_array_equal(data.modalities["genes"], [[5, 6], [1, 2], [3, 4]])
    assert data.modalities.columns == {"ages": ("age",), "genes": ("u", "v")}
    assert data.target is not None
    assert data.target.to_dict() == {"s3": "yes", "s1": "no", "s2": "yes"}
    assert data.target.index.tolist() == data.ids.tolist()
    assert data.groups is None


def test_a_sample_that_a_file_lacks_has_that_modality_absent(tmp_path: Path) -> None:
    """The join is outer, its figures are warned of, and they stay on the container."""
    folder = folder_of(tmp_path, genes=GENES, ages="id,age\ns1,10\ns9,90\n")
    with pytest.warns(UserWarning, match="1 samples are in every modality; 'ages' lacks 2.*'genes' lacks 1"):
        data = read_folder(folder)
    assert data.ids.tolist() == ["s1", "s9", "s2", "s3"]
    assert data.modalities.present.tolist() == [[True, True], [True, False], [False, True], [False, True]]
    assert data.modalities.account is not None
    assert data.target is None


def test_samples_without_target_are_left_out_of_learning_with_the_figures(tmp_path: Path) -> None:
    """They stay in the data, for prediction."""
    data = read_folder(folder_of(tmp_path, genes=GENES, y="id,y\ns1,0\ns2,\ns3,1\n"))
    assert len(data.modalities) == 3
    with pytest.warns(UserWarning, match="1 samples have no target and are left out: 's2'"):
        kept = data.labelled()
    assert kept.target is not None
    assert kept.ids.tolist() == kept.target.index.tolist() == ["s1", "s3"]
    assert kept.target.tolist() == [0, 1]
    assert kept.target.dtype == np.int64


def test_a_target_without_a_sample_and_a_sample_without_a_value_are_left_out_with_the_figures(tmp_path: Path) -> None:
    """Nothing can be learned from them."""
    folder = folder_of(tmp_path, genes=GENES + "s4,,\n", y="id,y\ns1,0\ns2,0\ns3,1\ns4,1\ns7,1\n")
    with pytest.warns(UserWarning, match="1 samples have a target but no modality and are left out: 's7'"):
        data = read_folder(folder)
    with pytest.warns(UserWarning, match="1 samples have no modality at all and are left out: 's4'"):
        assert data.labelled().ids.tolist() == ["s1", "s2", "s3"]


def test_the_target_may_be_a_column_of_a_modality(tmp_path: Path) -> None:
    """Then it is no feature; so are the groups, and the file of nothing else is no modality."""
    clinical = "id,age,sick,ward\ns1,1,no,a\ns2,2,yes,b\ns3,3,no,a\n"
    folder = folder_of(tmp_path, genes=GENES, clinical=clinical, hospital="id,site\ns1,x\ns2,y\ns3,x\n")
    data = read_folder(folder, target="sick", groups="site", modalities=["genes"])
    assert data.modalities.names == ("genes",)
    data = FolderData(*vars(read_folder(drop(folder, "hospital"), "sick", groups="ward")).values()).labelled()
    assert data.modalities.columns["clinical"] == ("age",)
    assert data.target is not None
    assert data.groups is not None
    assert data.target.tolist() == ["no", "yes", "no"]
    assert data.groups.tolist() == ["a", "b", "a"]


def drop(folder: Path, stem: str) -> Path:
    (folder / f"{stem}.csv").unlink()
    return folder


def test_groups_may_stand_in_the_target_file(tmp_path: Path) -> None:
    """The column that is left is the target."""
    data = read_folder(folder_of(tmp_path, genes=GENES, y="id,who,y\ns1,p,1\ns2,p,2\ns3,q,3\n"), groups="who")
    assert data.target is not None
    assert data.target.name == "y"


def test_a_sample_without_group_is_refused_when_learning(tmp_path: Path) -> None:
    """Whose it is cannot be guessed."""
    data = read_folder(folder_of(tmp_path, genes=GENES, y="id,who,y\ns1,p,1\ns2,,2\ns3,q,3\n"), groups="who")
    with pytest.raises(ValueError, match="1 samples have no group: 's2'"):
        data.labelled()


def test_every_format_gives_the_same_samples(tmp_path: Path) -> None:
    """Csv, tsv, gzipped, parquet with its index, and npz with ids beside the array."""
    pytest.importorskip("pyarrow")
    folder_of(tmp_path, plain=GENES)
    (tmp_path / "tabs.tsv").write_text(GENES.replace(",", "\t"))
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(GENES.encode()))
    frame = pd.DataFrame({"u": [5.0, 1, 3], "v": [6.0, 2, 4]}, index=pd.Index(["s3", "s1", "s2"], name="id"))
    frame.to_parquet(tmp_path / "indexed.parquet")
    np.savez(tmp_path / "array.npz", values=frame.to_numpy(), id=frame.index.to_numpy(dtype=str))
    data = read_folder(tmp_path).modalities
    assert data.names == ("array", "indexed", "packed", "plain", "tabs")
    for name in data:
        np.testing.assert_array_equal(data[name], data["plain"])


def test_arrays_keep_their_shape_and_are_joined_by_the_ids_beside_them(tmp_path: Path) -> None:
    """An image stays an image; a sample without one has it absent."""
    images = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    np.savez(tmp_path / "image.npz", id=["s2", "s1"], image=images)
    with pytest.warns(UserWarning, match="'image' lacks 1"):
        data = read_folder(folder_of(tmp_path, genes=GENES)).modalities
    assert data.sample_shapes == {"genes": (2,), "image": (2, 3)}
    np.testing.assert_array_equal(data["image"], [images[1], images[0], np.full((2, 3), NAN)])
    assert data["image"].dtype == np.float32
    assert "image" not in data.columns


def test_files_without_ids_are_matched_by_position_if_all_have_none(tmp_path: Path) -> None:
    """It is the only possibility there; the numbers of rows must be equal."""
    np.save(tmp_path / "image.npy", np.zeros((3, 2, 2)))
    np.save(tmp_path / "y.npy", np.array(["a", "b", "a"]))
    data = read_folder(folder_of(tmp_path, genes="u,v\n1,2\n3,4\n5,6\n"))
    assert data.ids.tolist() == [0, 1, 2]
    assert data.modalities.sample_shapes == {"genes": (2,), "image": (2, 2)}
    assert data.target is not None
    assert data.target.tolist() == ["a", "b", "a"]


@pytest.mark.parametrize(("header", "on"), [("patient", "patient"), ("Sample_ID", None), ("ID", None), ("", None)])
def test_the_id_column_is_named_or_known(tmp_path: Path, header: str, on: str | None) -> None:
    """Spelling aside; a first column without a name is the index of a table that was written with it."""
    folder = folder_of(tmp_path, genes=GENES.replace("id", header), ages=AGES.replace("id", header))
    assert read_folder(folder, on=on).ids.tolist() == ["s3", "s1", "s2"]


def test_files_with_several_id_columns_are_joined_by_the_common_one(tmp_path: Path) -> None:
    """The other is a feature, if it is numbers."""
    folder = folder_of(tmp_path, genes="id,sample,u\n7,s1,1\n8,s2,2\n", ages="sample,age\ns1,1\ns2,2\n")
    data = read_folder(folder)
    assert data.ids.tolist() == ["s1", "s2"]
    assert data.modalities.columns["genes"] == ("id", "u")
    np.testing.assert_array_equal(data.modalities["genes"], [[7, 1], [8, 2]])


def test_ids_keep_their_leading_zeros_and_match_across_files(tmp_path: Path) -> None:
    """Ids that are numbers in one file and text in another are compared as text."""
    folder = folder_of(tmp_path, genes="id,u\n007,1\n12,2\n", ages="id,age\n12,30\n007,20\n")
    assert read_folder(folder).ids.tolist() == ["12", "007"]
    (tmp_path / "ages.csv").write_text("id,age\n12,30\n")
    with pytest.warns(UserWarning, match="'ages' lacks 1 .'007'."):
        assert read_folder(folder).ids.tolist() == ["12", "007"]
    assert read_folder(folder, modalities=["ages"]).ids.tolist() == [12]


def test_modalities_are_chosen_and_ordered_by_name(tmp_path: Path) -> None:
    """Files of other names are not even read, whatever they hold."""
    folder = folder_of(tmp_path, genes=GENES, ages=AGES, broken='id,"', labels=LABELS)
    (folder / "notes.docx").write_text("-")
    data = read_folder(folder, modalities=["genes", "ages"])
    assert data.modalities.names == ("genes", "ages")
    assert data.target is not None


def test_names_of_files_are_any_text_and_readmes_are_passed_over(tmp_path: Path) -> None:
    """So are hidden files."""
    folder = folder_of(tmp_path, **{"Zähler.2": GENES, "音声": AGES})
    (folder / "README.md").write_text("-")
    (folder / ".DS_Store").write_text("-")
    assert read_folder(folder).modalities.names == ("Zähler.2", "音声")


def test_missing_values_and_numbers_written_as_text_are_numbers(tmp_path: Path) -> None:
    """A gap is NaN; true and false are 1 and 0."""
    data = read_folder(folder_of(tmp_path, genes="id,u,v,w\ns1,,True,1e3\ns2,NA,False,-.5\ns3,2,True,3\n"))
    np.testing.assert_array_equal(data.modalities["genes"], [[NAN, 1, 1000], [NAN, 0, -0.5], [2, 1, 3]])


BAD: list[tuple[str, Texts, str]] = [
    (
        "more cells",
        {"genes": GENES + "s4,1,2,3\n"},
        r"genes\.csv cannot be read as \.csv: line 5 has 4 cells, where .* 3",
    ),
    ("fewer cells", {"genes": GENES + "s4,1\n"}, r"genes\.csv .* line 5 has 2 cells"),
    ("an open quote", {"genes": GENES + '"s4,1,2\n'}, r"genes\.csv .* unexpected end of data"),
    ("an empty file", {"genes": ""}, r"genes\.csv .* it is empty"),
    ("a header alone", {"genes": "id,u\n"}, r"genes\.csv .* it has no rows"),
    ("semicolons", {"genes": GENES.replace(",", ";")}, r"genes\.csv .* separated by ';'"),
    ("a repeated column", {"genes": "id,u,u\ns1,1,2\n"}, r"genes\.csv .* more than once: 'u'"),
    ("a repeated id", {"genes": GENES + "s1,1,2\n"}, r"ids of .*genes\.csv .*unique: id 's1' occurs 2 times"),
    ("a missing id", {"genes": GENES + ",1,2\n"}, r"ids of .*genes\.csv .*row 3 has none"),
    (
        "text",
        {"genes": GENES + "s4,1,blue\n"},
        r"Column 'v' of .*genes\.csv must hold numbers, .*'s4' has 'blue'\. Enc",
    ),
    ("a date", {"genes": "id,u\ns1,2024-01-05\n"}, r"Column 'u' of .*genes\.csv must hold numbers"),
    ("infinity", {"genes": GENES + "s4,1,inf\n"}, r"genes"),
    (
        "no id in one file",
        {"genes": GENES, "ages": "age\n1\n2\n3\n"},
        r"ages\.csv has no id column .*'age'.*genes\.csv",
    ),
    ("other lengths", {"genes": "u\n1\n2\n", "ages": "age\n1\n"}, r"ages\.csv has 1, .*genes\.csv has 2"),
    (
        "unknown ids",
        {"genes": "who,u\n4,1\n5,2\n", "ages": "who,a\n5,1\n4,2\n"},
        "'who' stands in every file and looks",
    ),
    ("two targets", {"genes": GENES, "labels": LABELS, "y": LABELS}, r"Several files .*'labels\.csv', 'y\.csv'"),
    ("a wide target", {"genes": GENES, "y": GENES}, r"y\.csv must have one column besides the ids.*'u', 'v'"),
    ("no modality", {"labels": LABELS}, "holds no modality"),
]


@pytest.mark.parametrize(("files", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_is_wrong_with_a_file_is_said_with_its_name(tmp_path: Path, files: Texts, message: str) -> None:
    """One ValueError, no silent repair."""
    with pytest.raises(ValueError, match=message):
        read_folder(folder_of(tmp_path, **files))


def _npz(path: Path, **arrays: object) -> None:
    np.savez(path / "genes.npz", **arrays)  # type: ignore[arg-type]


FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "is empty"),
    "strange": (lambda path: (path / "genes.xlsx").write_text("-"), r"cannot be read: 'genes\.xlsx'"),
    "folders": (lambda path: (path / "images").mkdir(), "cannot be read: 'images'"),
    "latin-1": (lambda path: (path / "genes.csv").write_bytes("id,ü\n1,2\n".encode("latin-1")), r"genes\.csv .*utf-8"),
    "objects": (lambda path: np.save(path / "genes.npy", np.array([{}, {}])), r"genes\.npy .*allow_pickle"),
    "no array": (lambda path: (path / "genes.npy").write_text("-"), r"genes\.npy .*no array that numpy wrote"),
    "scalar": (lambda path: np.save(path / "genes.npy", np.array(3.0)), r"genes\.npy .*shape \(\)"),
    "no rows": (lambda path: np.save(path / "genes.npy", np.empty((0, 2))), r"genes\.npy .*shape \(0, 2\)"),
    "complex": (lambda path: np.save(path / "genes.npy", np.ones((2, 2), complex)), "Complex data.*genes"),
    "no zip": (lambda path: (path / "genes.npz").write_text("PK"), r"genes\.npz .*no npz archive"),
    "two arrays": (lambda path: _npz(path, a=[1], b=[2]), r"genes\.npz .*it holds 2: 'a', 'b'"),
    "few ids": (lambda path: _npz(path, id=["s"], x=[1, 2]), r"genes\.npz .*'id' has shape \(1,\), .* 2 rows"),
    "no parquet": (lambda path: (path / "genes.parquet").write_text("PAR1"), r"genes\.parquet cannot be read"),
    "no gzip": (lambda path: (path / "genes.csv.gz").write_text(GENES), r"genes\.csv\.gz cannot be read"),
    "same name": (
        lambda path: (folder_of(path, genes=GENES), (path / "genes.tsv").write_text("-")),
        r"Two files are named 'genes': genes\.csv and genes\.tsv",
    ),
}


@pytest.mark.parametrize(("write", "message"), FOREIGN.values(), ids=FOREIGN)
def test_a_folder_of_other_things_is_refused(tmp_path: Path, write: Callable[[Path], object], message: str) -> None:
    """Nothing in a folder is passed over in silence that could be a modality."""
    pytest.importorskip("pyarrow")
    write(tmp_path)
    with pytest.raises(ValueError, match=message):
        read_folder(tmp_path)


def test_a_truncated_gzip_names_its_file(tmp_path: Path) -> None:
    """As an interrupted copy leaves them."""
    whole = gzip.compress((GENES + "\n".join(f"t{row},{row},{row**3}" for row in range(99))).encode())
    (tmp_path / "genes.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"genes\.csv\.gz cannot be read"):
        read_folder(tmp_path)


def test_dates_and_lists_in_parquet_are_no_numbers(tmp_path: Path) -> None:
    """A date does not become nanoseconds."""
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"id": ["a", "b"], "day": pd.to_datetime(["2024-01-01", "2024-01-02"]), "l": [[1], [2]]})
    for column in ("day", "l"):
        frame[["id", column]].to_parquet(tmp_path / "genes.parquet")
        with pytest.raises(ValueError, match=f"Column '{column}' of .*genes.parquet must hold numbers"):
            read_folder(tmp_path)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"target": "nope"}, "Column 'nope' must stand in exactly one file, but none of 'ages.csv', 'genes.csv' has"),
        ({"target": "u", "groups": "u"}, "Column 'u' must stand in exactly one file, but none"),
        ({"target": "twice"}, "several have it: 'ages.csv', 'genes.csv'"),
        ({"on": "patient"}, r"ages.csv has no id column 'patient': its columns are 'id', 'age'"),
        ({"modalities": ["gnes"]}, "no file of the modality 'gnes'; it has files of 'ages', 'genes'"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, asked: dict[str, str], message: str
) -> None:
    """Columns and files alike."""
    folder = folder_of(tmp_path, genes="id,u,twice\ns1,1,2\n", ages="id,age,twice\ns1,1,2\n")
    with pytest.raises(ValueError, match=message):
        read_folder(folder, **asked)  # type: ignore[arg-type]


def test_learning_needs_a_target_and_ids_that_match(tmp_path: Path) -> None:
    """Both are said with what to do."""
    with pytest.raises(ValueError, match=r"There is no target. Name its column, or add a file named target or"):
        read_folder(folder_of(tmp_path, genes=GENES)).labelled()
    with pytest.warns(UserWarning, match="have a target but no modality"):
        data = read_folder(folder_of(tmp_path, y="id,y\nx1,1\nx2,0\n"))
    with (
        pytest.warns(UserWarning, match="3 samples have no target"),
        pytest.raises(ValueError, match="No sample has both"),
    ):
        data.labelled()


def test_there_must_be_a_folder(tmp_path: Path) -> None:
    """A file is none."""
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        read_folder(tmp_path / "nowhere")


REVIEWS = 'id,review\ns1,NA\ns2,\ns3,"good, very ""good"""\ns4,007\n'


def test_a_file_of_texts_is_read_as_it_is_written(tmp_path: Path) -> None:
    """One string a sample, "NA" and "007" too; an empty cell and a sample that is not there are absent texts."""
    with pytest.warns(UserWarning, match="'genes' lacks 1"):
        data = read_folder(folder_of(tmp_path, genes=GENES, reviews=REVIEWS), texts=["reviews"]).modalities
    assert data.names == ("genes", "reviews")
    assert data["reviews"].tolist() == ["NA", None, 'good, very "good"', "007"]
    assert data.present[:, 1].tolist() == [True, False, True, True]
    assert data.columns == {"genes": ("u", "v")}
    assert data["genes"].shape == (4, 2)


def test_every_table_gives_the_same_texts(tmp_path: Path) -> None:
    """Csv, tsv, gzipped, and parquet, where nothing is an absent text too."""
    pytest.importorskip("pyarrow")
    folder_of(tmp_path, plain=REVIEWS)
    tabs = REVIEWS.replace(",", "\t").replace("good\t", "good,")
    (tmp_path / "tabs.tsv").write_text(tabs)
    (tmp_path / "packed.tsv.gz").write_bytes(gzip.compress(tabs.encode()))
    texts = ["NA", None, 'good, very "good"', "007"]
    pd.DataFrame({"id": ["s1", "s2", "s3", "s4"], "t": texts}).to_parquet(tmp_path / "table.parquet")
    data = read_folder(tmp_path, texts=["plain", "tabs", "packed", "table"]).modalities
    assert [data[name].tolist() for name in data] == [texts] * 4


def test_target_and_groups_beside_texts_keep_their_types(tmp_path: Path) -> None:
    """Numbers are numbers, as in any other file, and the column that is left is the text."""
    folder = folder_of(tmp_path, said="id,stars,review,who\ns1,5,10,a\ns2,1,bad,b\ns3,,so so,a\n")
    with pytest.raises(ValueError, match=r"said\.csv must have one column of texts .* has 3: 'stars', 'review', 'who'"):
        read_folder(folder, texts=["said"])
    data = read_folder(folder, "stars", groups="who", texts=["said"])
    assert data.modalities["said"].tolist() == ["10", "bad", "so so"]
    assert data.target is not None
    assert data.groups is not None
    assert data.target.to_dict() == {"s1": 5, "s2": 1}
    assert data.target.dtype == np.int64
    assert data.groups.tolist() == ["a", "b", "a"]


def test_texts_and_arrays_stand_side_by_side(tmp_path: Path) -> None:
    """An image keeps its shape, by ids or by position."""
    np.savez(tmp_path / "image.npz", id=["s1", "s3"], image=np.zeros((2, 2, 3)))
    with pytest.warns(UserWarning, match="'image' lacks 2"):
        data = read_folder(folder_of(tmp_path, reviews=REVIEWS), texts=["reviews"]).modalities
    assert data.sample_shapes == {"image": (2, 3), "reviews": ()}
    (tmp_path / "image.npz").unlink()
    np.save(tmp_path / "image.npy", np.zeros((3, 2)))
    data = read_folder(folder_of(tmp_path, reviews='review\ngood\n""\nbad\n'), texts=["reviews"]).modalities
    assert data["reviews"].tolist() == ["good", None, "bad"]


def test_a_modality_without_any_text_is_absent_in_all(tmp_path: Path) -> None:
    """New samples may lack it; they stay, with what else they have."""
    folder = folder_of(tmp_path, ages=AGES, reviews="id,review\ns1,\ns2,\ns3,\n")
    data = read_folder(folder, texts=["reviews"]).modalities
    assert data.ids.tolist() == ["s3", "s1", "s2"]
    assert data.present.tolist() == [[True, False]] * 3
    assert data.sample_shapes == {"ages": (1,), "reviews": (0,)}


def test_texts_that_are_all_numbers_are_warned_of(tmp_path: Path) -> None:
    """They may be, but were hardly meant."""
    with pytest.warns(UserWarning, match=r"'age' of .*ages\.csv is read as texts, but every one of them is a number"):
        data = read_folder(folder_of(tmp_path, ages=AGES), texts=["ages"])
    assert data.modalities["ages"].tolist() == ["30", "10", "20"]


def test_what_are_no_texts_is_refused(tmp_path: Path) -> None:
    """Arrays, numbers in parquet, several columns, a name without a file; texts that nobody asked for, with the way."""
    pytest.importorskip("pyarrow")
    np.save(tmp_path / "array.npy", np.zeros((3, 2)))
    pd.DataFrame({"id": ["a", "b"], "day": [None, 3.5]}).to_parquet(tmp_path / "table.parquet")
    folder_of(tmp_path, genes=GENES, reviews=REVIEWS)
    for name, message in {
        "array": r"array\.npy holds an array\. Texts are read from a table",
        "table": r"Column 'day' of .*table\.parquet must hold texts, but sample 'b' has 3\.5",
        "genes": r"genes\.csv must have one column of texts .* has 2: 'u', 'v'",
        "review": "no file of the modality 'review'; it has files of 'array', 'genes', 'reviews', 'table'",
    }.items():
        with pytest.raises(ValueError, match=message):
            read_folder(tmp_path, modalities=[name], texts=[name])
    with pytest.raises(ValueError, match=r"must hold numbers, .*have an encoder read them: --encoder reviews=minilm"):
        read_folder(tmp_path, modalities=["reviews"])
