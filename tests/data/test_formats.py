"""Predictions are written whole or not at all, and read again as they were."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from plait.data.formats import read_table, write_predictions

FRAME = pd.DataFrame({"id": ["s1", "ü"], "prediction": [0.1, 2.0]})


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".CSV"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    """Every number to its last digit, and nothing else is left in the folder."""
    pytest.importorskip("pyarrow")
    path = tmp_path / f"out{suffix}"
    path.write_text("older")
    write_predictions(path, FRAME)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert read_table(path).frame.to_dict("list") == FRAME.to_dict("list")


def test_a_write_that_fails_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no half-written one beside it."""
    path = tmp_path / "out.csv"
    path.write_text("older")

    def fail(frame: pd.DataFrame, to: Path, **options: object) -> None:
        to.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(OSError, match="No space"):
        write_predictions(path, FRAME)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["older"]


def test_unknown_suffixes_and_folders_are_refused(tmp_path: Path) -> None:
    """With those that are known."""
    with pytest.raises(ValueError, match=r"written as \.csv, \.tsv, \.parquet, by the suffix; got 'out\.xls'"):
        write_predictions(tmp_path / "out.xls", FRAME)
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        write_predictions(tmp_path / "nowhere" / "out.csv", FRAME)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For reading and for writing."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "genes.parquet").write_bytes(b"PAR1")
    with pytest.raises(ImportError, match=r"genes.parquet needs pyarrow: pip install 'plait\[parquet\]'"):
        read_table(tmp_path / "genes.parquet")
    with pytest.raises(ImportError, match=r"out.parquet needs pyarrow"):
        write_predictions(tmp_path / "out.parquet", FRAME)


def test_a_file_that_is_not_there_stays_an_error_of_the_system(tmp_path: Path) -> None:
    """It is no damaged file."""
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "genes.csv")
