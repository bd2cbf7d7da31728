"""Files appear whole or not at all."""

import pytest

from plait.data.whole_files import whole_file, write_text


def test_text_is_written_and_replaced(tmp_path):
    """In UTF-8, with nothing left beside it."""
    path = tmp_path / "a.txt"
    write_text(path, "one")
    assert write_text(path, "zwölf") == path
    assert path.read_text(encoding="utf-8") == "zwölf"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_leaves_what_was_there(tmp_path):
    """The old file, and no part of the new one."""
    path = write_text(tmp_path / "a.txt", "old")
    with pytest.raises(TypeError), whole_file(path) as part:
        part.write_text(5)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """Before anything is written."""
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*lost"):
        write_text(tmp_path / "lost" / "a.txt", "")
