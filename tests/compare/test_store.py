"""Runs in folders: all of a run or nothing, never twice, and nothing left behind."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from plait.compare.runs.fingerprint import key_of
from plait.compare.runs.record import Record
from plait.compare.runs.store import FolderStore, MemoryStore, open_store

CONTENT = {"method": {"plait": "object", "class": "Baseline", "params": {}}, "seed": 3}
KEY = key_of(CONTENT)
OUTPUTS = np.random.default_rng(0).normal(size=(5, 3)) / 3
COHORT = pd.DataFrame(
    {"loss": [0.1, np.nan, np.inf], "name": ["a", "b", "c"], "teaches": [True, False, True], "epoch": [1, 2, 3]},
    index=pd.Index(["x", "y", "z"], name="student"),
)
PATH = pd.DataFrame({"loss": [0.3, 0.1 + 0.2]}, index=pd.Index([0.0, 0.1], name="rho"))
RECORD = Record(CONTENT, OUTPUTS, 1.25, {"warnings": ["a: b"]}, {"cohort": COHORT, "rho_path": PATH})


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "runs")


def saved(store, record=RECORD):
    """The folder of a record that is saved."""
    claim = store.claim(KEY)
    store.save(KEY, record)
    claim.release()
    return store.folder / KEY[:2] / KEY


@pytest.mark.parametrize("record", [RECORD, replace(RECORD, tables={})], ids=["tables", "none"])
def test_a_record_comes_back_bit_for_bit(store, record):
    """Outputs, seconds, facts, and tables with their types."""
    saved(store, record)
    found = FolderStore(store.folder).load(KEY)
    assert found.outputs.dtype == np.float64
    assert np.array_equal(found.outputs, OUTPUTS)
    assert (found.content, found.seconds, found.facts) == (CONTENT, 1.25, {"warnings": ["a: b"]})
    assert set(found.tables) == set(record.tables)
    for name, table in record.tables.items():
        pd.testing.assert_frame_equal(found.tables[name], table, check_exact=True)


def test_a_run_is_one_folder_that_people_can_read(store):
    """Text, arrays and nothing else; the store says what it is."""
    folder = saved(store)
    assert {path.name for path in folder.iterdir()} == {"run.json", "outputs.npz", "tables.json"}
    assert json.loads((folder / "run.json").read_text())["run"] == CONTENT
    with np.load(folder / "outputs.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["outputs"], OUTPUTS)
    assert "may be deleted" in (store.folder / "README.txt").read_text()
    assert not list((store.folder / ".unfinished").iterdir())
    assert not list((store.folder / ".locks").iterdir())


def _cut(folder):
    whole = (folder / "outputs.npz").read_bytes()
    (folder / "outputs.npz").write_bytes(whole[:-20])


def _flip(folder):
    whole = bytearray((folder / "outputs.npz").read_bytes())
    whole[120] ^= 1
    (folder / "outputs.npz").write_bytes(bytes(whole))


def _edit(folder):
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text.replace("1.25", "0.25"))


def _other(folder):
    said = json.loads((folder / "run.json").read_text())
    said["run"]["seed"] = 4
    del said["checksum"]
    said["checksum"] = key_of(said)
    (folder / "run.json").write_text(json.dumps(said))


def _foreign(folder):
    for path in folder.iterdir():
        path.unlink()
    (folder / "thesis.txt").write_text("not a run")


def _a_file(folder):
    _foreign(folder)
    (folder / "thesis.txt").unlink()
    folder.rmdir()
    folder.write_text("not a folder")


HARM = {
    "cut short": _cut,
    "one bit": _flip,
    "a number edited": _edit,
    "another run": _other,
    "another's files": _foreign,
    "a file": _a_file,
    "no table": lambda folder: (folder / "tables.json").unlink(),
    "no text": lambda folder: (folder / "run.json").write_bytes(b"\xff\xfe"),
    "a list": lambda folder: (folder / "run.json").write_text("[]"),
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_a_damaged_run_is_named_and_replaced(store, harm):
    """It counts as not there, with a warning; the next save puts it right."""
    folder = saved(store)
    harm(folder)
    with pytest.warns(UserWarning, match=f"{KEY} is damaged and computed anew"):
        assert store.load(KEY) is None
    saved(store)
    assert np.array_equal(store.load(KEY).outputs, OUTPUTS)


def test_a_run_is_claimed_by_one(store):
    """Until it is released; other runs are free."""
    other = FolderStore(store.folder)
    claim = store.claim(KEY)
    assert other.claim(KEY) is None
    free = other.claim("0" * 64)
    free.release()
    claim.release()
    again = other.claim(KEY)
    assert again is not None
    again.release()


def test_leftovers_of_the_dead_are_swept_those_of_the_living_stay(store):
    """A folder of an unfinished run goes with its lock, unless the run is claimed."""
    dead, living = key_of({"a": 1}), key_of({"a": 2})
    claim = store.claim(living)
    for key in (dead, living):
        (store.folder / ".unfinished" / f"{key}-x" / "new").mkdir(parents=True)
    (store.folder / ".locks" / f"{dead}.lock").touch()
    FolderStore(store.folder).sweep()
    assert [path.name for path in (store.folder / ".unfinished").iterdir()] == [f"{living}-x"]
    assert [path.name for path in (store.folder / ".locks").iterdir()] == [f"{living}.lock"]
    claim.release()
    store.sweep()
    assert not list((store.folder / ".unfinished").iterdir())


def test_reading_makes_no_folder(tmp_path):
    """Nothing is written before something is claimed."""
    store = FolderStore(tmp_path / "runs")
    store.sweep()
    assert store.load(KEY) is None
    assert not store.folder.exists()


def test_a_file_is_no_store(tmp_path):
    """Said at once."""
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file is a file"):
        open_store(tmp_path / "file")


def test_memory_will_do():
    """No folder: as long as the object lives."""
    store = open_store(None)
    assert isinstance(store, MemoryStore)
    store.claim(KEY).release()
    store.save(KEY, RECORD)
    store.sweep()
    assert store.load(KEY) is RECORD
    assert store.load("other") is None
