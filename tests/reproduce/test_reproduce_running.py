"""Runs of a reproduction: each once, kept at once, and gone on with."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from tiny_study import NUMBERS, Tiny

import plait
from plait.reproduce.running import reproduce, selected
from plait.reproduce.store import RunFolder, content_of
from plait.reproduce.study import Found

ALL = [f"{arm}/{seed}" for arm, seeds in NUMBERS.items() for seed in seeds]


def test_a_killed_reproduction_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What was finished is kept, in results.csv too, and is not fitted again; what was not is."""
    tiny = Tiny(broken=("a/x/old/1",))
    with pytest.raises(KeyboardInterrupt):
        reproduce(tiny.study(), tmp_path, verbose=0)
    assert tiny.fitted == ["a/x/new/1", "a/x/new/2", "a/x/new/3"]
    assert pd.read_csv(tmp_path / "results.csv")["error"].tolist() == [1.0, 2.0, 6.0]
    assert not (tmp_path / "summary.md").exists()
    tiny.broken = ()
    outcome = reproduce(tiny.study(), tmp_path, verbose=0)
    assert tiny.fitted == ALL
    assert outcome.results["run"].tolist() == ALL
    reproduce(tiny.study(), tmp_path, verbose=0)
    assert tiny.fitted == ALL


def test_every_finished_run_is_in_the_results_at_once(tmp_path: Path) -> None:
    """One row more after each."""
    seen = []
    tiny = Tiny()
    study = tiny.study()
    for number in range(1, len(ALL) + 1):
        tiny.broken = tuple(ALL[number:])
        try:
            reproduce(study, tmp_path, verbose=0)
        except KeyboardInterrupt:
            seen.append(len(pd.read_csv(tmp_path / "results.csv")))
    assert seen == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("change", [{"epochs": 4}, {"sizes": (2, 1)}, {"more": 0}])
def test_other_settings_are_other_runs(tmp_path: Path, change: dict[str, object]) -> None:
    """They are fitted anew; the tables hold the present ones alone and count the others."""
    tiny = Tiny()
    reproduce(tiny.study(), tmp_path, verbose=0)
    tiny.settings |= change
    outcome = reproduce(tiny.study(), tmp_path, ["b/*"], verbose=0)
    assert tiny.fitted == [*ALL, "b/y/new/1"]
    assert outcome.results["run"].tolist() == ["b/y/new/1"]
    assert outcome.others == len(ALL)
    assert f"{len(ALL)} runs of other settings or versions" in (tmp_path / "summary.md").read_text()


def test_another_version_is_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of two versions never stand in one table."""
    tiny = Tiny()
    reproduce(tiny.study(), tmp_path, ["b/*"], verbose=0)
    monkeypatch.setattr(plait, "__version__", "99.0")
    assert len(reproduce(tiny.study(), tmp_path, ["b/*"], verbose=0).stored) == 1
    assert tiny.fitted == ["b/y/new/1"] * 2


def test_a_label_is_part_of_what_was_run() -> None:
    """Seed, arm and every label change the file that a run is kept in."""
    study = Tiny().study()
    contents = [content_of(study, run) for run in study.runs]
    changed = {**contents[0], "labels": {**contents[0]["labels"], "lookback": 336}}
    paths = {RunFolder("unused").path(content) for content in [*contents, changed]}
    assert len(paths) == len(contents) + 1


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [((), ALL), (["a/*"], ALL[:6]), (["*/1"], [ALL[0], ALL[3], ALL[6]]), (["*/old/2", "b/*"], [ALL[4], ALL[6]])],
)
def test_only_filters_by_name(patterns: list[str], expected: list[str]) -> None:
    """A star goes beyond slashes; several patterns are alternatives; the order stays."""
    assert [run.name for run in selected(Tiny().study().runs, patterns)] == expected


def test_a_filter_that_nothing_matches_says_what_names_look_like() -> None:
    """With the first and the last of them."""
    with pytest.raises(ValueError, match=r"No run matches 'c/\*'. Names are like 'a/x/new/1' or 'b/y/new/1'"):
        selected(Tiny().study().runs, ["c/*"])


def test_tables_are_of_all_runs_of_the_folder(tmp_path: Path) -> None:
    """Runs that were filtered out now, and seeds that are not asked for now, are in them."""
    tiny = Tiny()
    reproduce(tiny.study(), tmp_path, ["a/x/new/*"], verbose=0)
    tiny.numbers = {"a/x/old": NUMBERS["a/x/old"]}
    outcome = reproduce(tiny.study(), tmp_path, ["*/1"], verbose=0)
    assert outcome.results["run"].tolist() == ["a/x/old/1", *ALL[:3]]


@pytest.mark.parametrize("damage", ["cut", "number", "shape"])
def test_a_damaged_run_is_an_error_that_names_the_file(tmp_path: Path, damage: str) -> None:
    """Cut off, with a number changed, or something else altogether."""
    tiny = Tiny()
    reproduce(tiny.study(), tmp_path, ["b/*"], verbose=0)
    path = next((tmp_path / "runs").glob("*.json"))
    whole = path.read_text()
    path.write_text({"cut": whole[:50], "number": whole.replace("7.0", "6.0"), "shape": "[]"}[damage])
    with pytest.raises(ValueError, match=rf"{path.name} is damaged .* Remove it, and the run is computed anew"):
        reproduce(tiny.study(), tmp_path, verbose=0)
    path.unlink()
    reproduce(tiny.study(), tmp_path, ["b/*"], verbose=0)
    assert json.loads(path.read_text())["numbers"] == {"error": 7.0, "undefined": None}


def filled(text: str, broken: bool = False) -> Found:
    """What a run gives that keeps a folder with one file, or is killed while it writes."""

    def fill(folder: Path) -> None:
        folder.mkdir()
        (folder / text).write_text(text)
        if broken:
            raise KeyboardInterrupt

    return Found({"error": 1.0}, files=fill)


def test_the_folder_of_a_run_is_whole_or_not_there(tmp_path: Path) -> None:
    """A killed run leaves neither folder nor file; a finished one has both, and takes the place of what was there."""
    study, kept = Tiny().study(), RunFolder(tmp_path)
    content = content_of(study, study.runs[0])
    with pytest.raises(KeyboardInterrupt):
        kept.save(content, filled("half", broken=True), 0.0)
    assert list((tmp_path / "runs").iterdir()) == []
    for text in ("first", "second"):
        kept.save(content, filled(text), 0.0)
        assert [path.name for path in kept.files(content).iterdir()] == [text]
    with pytest.raises(KeyboardInterrupt):
        kept.save(content, filled("third", broken=True), 0.0)
    assert [path.name for path in kept.files(content).iterdir()] == ["second"]
    assert sorted((tmp_path / "runs").iterdir()) == sorted([kept.path(content), kept.files(content)])
    assert [one.found for one in kept.read()] == [Found({"error": 1.0})]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """Said before anything is fitted."""
    (tmp_path / "file").write_text("")
    tiny = Tiny()
    with pytest.raises(NotADirectoryError, match="file is a file"):
        reproduce(tiny.study(), tmp_path / "file", verbose=0)
    assert tiny.fitted == []


def test_a_run_that_another_process_has_finished_is_left_to_it(tmp_path: Path) -> None:
    """Looked for once more just before it is fitted."""
    tiny, other = Tiny(), Tiny()

    def meanwhile(arm: str, seed: int, verbose: int) -> object:
        reproduce(other.study(), tmp_path, ["a/x/new/2"], verbose=0)
        return Tiny._fit(tiny, arm, seed, verbose)

    tiny._fit = meanwhile  # type: ignore[method-assign, assignment]
    reproduce(tiny.study(), tmp_path, ["a/x/new/[12]"], verbose=0)
    assert (tiny.fitted, other.fitted) == (["a/x/new/1"], ["a/x/new/2"])


def test_progress_goes_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs done of all, and which one runs; nothing if it is to be silent."""
    reproduce(Tiny().study(), tmp_path / "a", ["b/*"], verbose=1)
    said = capsys.readouterr()
    assert said.out == ""
    assert "tiny/study: 100%" in said.err
    assert "b/y/new/1" in said.err
    reproduce(Tiny().study(), tmp_path / "b", verbose=0)
    assert capsys.readouterr().err == ""


def test_what_a_study_draws_is_written(tmp_path: Path) -> None:
    """From results and tables of all runs together, by name; a study that draws nothing has no picture."""
    reproduce(Tiny().study(), tmp_path / "none", verbose=0)
    assert not list((tmp_path / "none").glob("*.svg"))

    def pictures(results: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> Mapping[str, Figure]:
        assert len(results) == len(ALL)
        assert set(tables["counts"]["run"]) == set(ALL)
        return {"drawn": Figure()}

    reproduce(replace(Tiny().study(), pictures=pictures), tmp_path / "some", verbose=0)
    assert (tmp_path / "some" / "drawn.svg").read_text().startswith("<svg ")
