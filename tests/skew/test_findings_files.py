"""Findings as tables and as files: what is written is what is read."""

import json

import numpy as np
import pandas as pd
import pytest
from planted_judges import planted

from plait.data.text import from_text, to_text
from plait.skew.findings import Findings
from plait.skew.findings.columns import COLUMNS
from plait.skew.search import ClosedForm


def found(task="add", test=True):
    judge, _ = planted(task, n=200, draws=20)
    search = ClosedForm(("concat",), judge.how, most=1).judged(judge)
    return Findings.of(search, judge, judge if test else None)


@pytest.fixture(scope="module")
def findings():
    """With all tables; NaN where nothing is concentrated."""
    return found()


def assert_same(one, other, tolerance=0):
    """All tables, to the last bit unless a tolerance is given."""
    for name, table in one.tables().items():
        pd.testing.assert_frame_equal(table, other.tables()[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("test", [True, False])
@pytest.mark.parametrize("task", ["add", "null"])
def test_tables_survive_a_saved_model(task, test):
    """Through the text of model.json and back, also a table without rows and numbers that are not defined."""
    findings = found(task, test)
    text = json.loads(json.dumps(to_text(findings.tables()), allow_nan=False))
    assert_same(findings, Findings.from_tables(from_text(text, {})))
    assert len(findings.tested) == (len(findings.baselines) if test else 0)


@pytest.mark.parametrize("test", [True, False])
@pytest.mark.parametrize("task", ["add", "null"])
def test_a_folder_is_read_back(tmp_path, task, test):
    """From report.json; and every csv is the same table."""
    findings = found(task, test)
    folder = findings.write(tmp_path / "found")
    assert_same(findings, Findings.read(folder))
    tables = {name: pd.read_csv(folder / f"{name}.csv") for name in COLUMNS}
    assert_same(findings, Findings.from_tables(tables), 1e-14)
    assert {path.name for path in folder.iterdir()} == {"report.json", *(f"{name}.csv" for name in COLUMNS)}


def test_columns_are_those_that_are_promised(findings):
    """In their order, and of their kinds."""
    for name, table in findings.tables().items():
        assert list(table.columns) == list(COLUMNS[name])
        assert list(table.index) == list(range(len(table)))
    assert findings.pairs["i"].dtype == np.int64
    assert findings.pairs["chosen"].dtype == bool


def test_the_same_seed_gives_the_same_file(tmp_path):
    """Byte for byte."""
    one, two = (found().write(tmp_path / name) / "report.json" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_findings_are_written_anew_and_other_files_stay(tmp_path, findings):
    """A report beside them is not lost."""
    folder = found("null").write(tmp_path / "found")
    (folder / "report.html").write_text("mine")
    findings.write(folder)
    assert Findings.read(folder).verdict == "skew pair"
    assert (folder / "report.html").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["found"]


@pytest.mark.parametrize("held", [None, "nothing", '{"kind": "other"}', "[1]"])
def test_folders_of_others_are_left_alone(tmp_path, findings, held):
    """Whatever is in them, be it a report.json."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "notes.txt").write_text("precious")
    if held:
        (folder / "report.json").write_text(held)
    with pytest.raises(FileExistsError, match="theirs exists and holds no findings"):
        findings.write(folder)
    assert not (folder / "pairs.csv").exists()
    if held:
        with pytest.raises(ValueError, match="holds no findings"):
            Findings.read(folder)


def test_what_fails_half_way_leaves_everything_as_it_was(tmp_path, findings, monkeypatch):
    """No folder where there was none, the old one where there was one."""
    folder = found("null").write(tmp_path / "found")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    for name in ("found", "new"):
        with pytest.raises(OSError, match="disk full"):
            findings.write(tmp_path / name)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["found"]


def test_missing_folders_are_named(tmp_path, findings):
    """To write into, and to read from."""
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        findings.write(tmp_path / "nowhere" / "found")
    with pytest.raises(FileNotFoundError, match=r"There is no .*report\.json"):
        Findings.read(tmp_path)


def test_later_formats_are_refused(tmp_path, findings):
    """With the advice to update."""
    path = findings.write(tmp_path / "found") / "report.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(ValueError, match="newer plait"):
        Findings.read(path.parent)


def test_tables_must_be_whole(findings):
    """A missing table, a missing column and a further one are named."""
    tables = findings.tables()
    with pytest.raises(ValueError, match="Findings are the tables summary, depths"):
        Findings.from_tables({name: table for name, table in tables.items() if name != "skew"})
    with pytest.raises(ValueError, match=r"table 'taps' of findings .* missing or odd: tap"):
        Findings.from_tables(tables | {"taps": tables["taps"].drop(columns="tap")})
    with pytest.raises(ValueError, match="missing or odd: more"):
        Findings.from_tables(tables | {"taps": tables["taps"].assign(more=1)})
