"""`plait reproduce`: what there is, what it does, and what it refuses."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
import tiny_windows
from tiny_study import Tiny
from typer.testing import CliRunner

from plait import datasets
from plait.cli import main
from plait.cli.app import app
from plait.cli.reproducing import seeds_from_text
from plait.reproduce import registry
from plait.reproduce.study import Request, Study

ASKED = ["reproduce", "step-fusion/ett", "--only", "ETTh1-96/E-B/concat/*", "--only", "ETTh1-96/OT/*", "--quiet"]


@pytest.fixture(autouse=True)
def windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(datasets, "fetch_ett", tiny_windows.fetch_ett)
    monkeypatch.chdir(tmp_path)


def test_without_a_name_it_lists_what_there_is() -> None:
    """A line each, with about how long it takes; as JSON with --json."""
    said = CliRunner().invoke(app, ["reproduce"])
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert len(lines) == 1 + len(registry.REPRODUCTIONS)
    assert re.match(r"  step-fusion/ett +forecasts of", lines[1])
    assert all(re.search(r"on (one core|two cores)\)", line) for line in lines[1:])
    told = json.loads(CliRunner().invoke(app, ["reproduce", "--json"]).stdout)
    assert [one["name"] for one in told["reproductions"]] == list(registry.REPRODUCTIONS)


@pytest.mark.parametrize("name", registry.REPRODUCTIONS)
def test_every_reproduction_can_be_planned(name: str) -> None:
    """Under its own name, without any data; it says that no number of a paper is claimed; keys are JSON."""
    study = registry.study_by_name(name, Request(seeds=(5,), epochs=2))
    assert study.name == name
    assert "no number of the paper is claimed" in study.note
    assert {run.seed for run in study.runs} <= {0, 5}
    assert '"epochs": 2' in json.dumps(dict(study.settings), allow_nan=False)
    assert all({"group", "method", "protocol"} <= run.labels.keys() for run in study.runs)


def test_a_part_is_run_and_gone_on_with(tmp_path: Path) -> None:
    """Into reproduced/NAME unless a folder is named; the same command again computes nothing."""
    asked = [*ASKED, "--seeds", "1,2", "--epochs", "1", "--threads", "1"]
    first = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert first.exit_code == 0
    folder = tmp_path / "reproduced" / "step-fusion" / "ett"
    files = sorted((folder / "runs").iterdir())
    assert len(files) == 1 + 2 + 2
    assert {"results.csv", "summary.csv", "differences.csv", "summary.md"} <= {one.name for one in folder.iterdir()}
    assert first.stdout.startswith((folder / "summary.md").read_text())
    assert "a reconstruction after Xu et al. 2023" in first.stdout
    times = [one.stat().st_mtime_ns for one in files]
    told = json.loads(CliRunner().invoke(app, [*asked, "--json"], catch_exceptions=False).stdout)
    assert [one.stat().st_mtime_ns for one in files] == times
    assert told.keys() >= {"name", "runs", "summary", "differences", "published", "settings"}
    assert len(told["runs"]) == len(files)
    assert told["settings"]["epochs"] == 1
    assert {one["seeds"] for one in told["differences"]} == {2}
    assert "iTransformer" in {one["method"] for one in told["published"]}
    assert len(pd.read_csv(folder / "results.csv")) == len(files)


def test_the_registry_says_what_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Progress on standard error, the page on standard output, everything in the folder of --out."""
    monkeypatch.setattr("plait.cli.reproducing.study_by_name", planned)
    said = CliRunner().invoke(app, ["reproduce", "tiny/study", "--out", str(tmp_path / "here")])
    assert said.exit_code == 0
    assert "tiny/study: 100%" in said.stderr
    assert said.stdout.endswith(f"results: {tmp_path / 'here'}\n")
    assert (tmp_path / "here" / "results.csv").exists()


def planned(name: str, request: Request) -> Study:
    """The tiny study under any name."""
    return Tiny().study()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "There is no reproduction 'none'. There are " + ", ".join(registry.REPRODUCTIONS)),
        (["step-fusion/ett", "--only", "ETTh9*"], "No run matches 'ETTh9*'"),
        (["step-fusion/ett", "--seeds", "1,x"], "--seeds takes whole numbers with commas between them"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """On standard error, with exit code 1 and no traceback; no tables are left."""
    monkeypatch.setattr(sys, "argv", ["plait", "reproduce", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    said = capsys.readouterr()
    assert (stop.value.code, said.out) == (1, "")
    assert said.err.startswith(f"plait: {message}")
    assert said.err.count("\n") == 1
    assert not list(Path().rglob("*.csv"))


@pytest.mark.parametrize(("text", "seeds"), [("1", (1,)), ("3, 1", (3, 1)), ("0,12", (0, 12))])
def test_seeds_are_numbers_with_commas(text: str, seeds: tuple[int, ...]) -> None:
    """In the order given."""
    assert seeds_from_text(text) == seeds


@pytest.mark.parametrize("text", ["", "1,", "1;2", "-1", "1,1", "01,1", "1.5", "9999999999"])
def test_what_are_no_seeds_is_refused(text: str) -> None:
    """As are seeds that come twice."""
    with pytest.raises(ValueError, match="each once: 1,2,3; got"):
        seeds_from_text(text)
