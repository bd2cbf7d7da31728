"""`plait compare`: from files or a data set to a report, and on where it stopped."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shell import Run
from sklearn.utils import Bunch

from plait import EarlyFusion, LateFusion, datasets
from plait.cli.comparing import methods_from_text
from plait.data.modalities import Modalities

QUICK = ("--methods", "late[hidden=4],early[hidden=4]", "--epochs", "2", "--quiet", "--jobs", "1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("late", [LateFusion()]),
        ("late[rule=stacking;hidden=64,32],early", [LateFusion(rule="stacking", hidden=(64, 32)), EarlyFusion()]),
        ("late-fusion[], EarlyFusion", [LateFusion(), EarlyFusion()]),
        ("all,late[base=forest]", ["all", LateFusion(base="forest")]),
    ],
)
def test_methods_are_names_with_parameters_in_brackets(text, expected):
    """Commas between methods, semicolons between parameters."""
    assert repr(methods_from_text(text)) == repr(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("late,,early", "takes names with commas between them"),
        ("late[rule=stacking", "takes names with commas between them"),
        ("best", "There is no method 'best'"),
        ("late[hiden=4]", "LateFusion has no parameter 'hiden'; it has 'average'"),
    ],
)
def test_what_is_no_list_of_methods_is_refused(text, message):
    """With what is expected."""
    with pytest.raises(ValueError, match=message):
        methods_from_text(text)


def test_a_folder_is_compared_and_nothing_is_computed_twice(run: Run, patients: Path, tmp_path: Path) -> None:
    """The verdict and the table on standard output, report and tables in the folder; then everything is read."""
    asked = ("compare", patients, "--id", "patient", "--folds", "2", "--out", tmp_path / "runs" / "a", *QUICK)
    first = run(*asked)
    assert first.code == 0, first.err
    assert "late fusion" in first.out
    assert "blood alone" in first.out
    assert str(tmp_path / "runs" / "a" / "report.html") in first.out
    again = run(*asked, "--json")
    assert again.code == 0, again.err
    told = json.loads(again.out)
    assert told["runs"]["computed"] == 0
    assert told["runs"]["reused"] == 2 * 10
    assert told["fusion_supported"] is False
    assert {row["method"] for row in told["table"]} == {
        "baseline",
        "blood alone (hidden 4)",
        "scan alone (hidden 4)",
        "late fusion (hidden 4)",
        "early fusion (hidden 4)",
    }


def test_report_verdict_and_tables_are_written(run: Run, patients: Path, tmp_path: Path) -> None:
    """As HTML, text, Markdown, LaTeX and csv."""
    asked = ("--target", "age", "--task", "regression", "--no-controls", "--ledger", "none")
    folder = tmp_path / "b"
    done = run("compare", patients, "--id", "patient", "--folds", "2", "--out", folder, *asked, *QUICK)
    assert done.code == 0, done.err
    names = {"report.html", "verdict.txt", "table.md", "table.tex", "scores.csv", "pairs.csv", "runs.csv"}
    assert names <= {path.name for path in folder.iterdir()}
    scores = pd.read_csv(folder / "scores.csv")
    assert set(scores["metric"]) == {"r2", "rmse", "mae"}
    assert not scores["kind"].isin(["control", "subset"]).any()
    assert "--target age" in (folder / "report.html").read_text(encoding="utf-8")


def test_groups_are_whole_in_the_folds(run: Run, patients: Path, tmp_path: Path) -> None:
    """Eight sites: the protocol says so, and the report counts them."""
    scan = pd.read_csv(patients / "scan.csv")
    scan["site"] = [f"site {row % 8}" for row in range(len(scan))]
    blood = pd.read_csv(patients / "blood.csv")
    blood["site"] = blood["patient"].map(scan.set_index("patient")["site"]).fillna("site 0")
    blood.to_csv(patients / "blood.csv", index=False)
    asked = ("--groups", "site", "--validation", "0.3", "--no-controls", "--ledger", "none", "--out", tmp_path / "c")
    done = run("compare", patients, "--id", "patient", "--folds", "2", "--json", *asked, *QUICK)
    assert done.code == 0, done.err
    assert "whole groups together" in json.loads(done.out)["protocol"]
    assert "bootstrap over groups" in (tmp_path / "c" / "report.html").read_text(encoding="utf-8")


def test_a_comparison_of_which_every_fit_failed_ends_as_an_error(run: Run, patients: Path, tmp_path: Path) -> None:
    """With the reasons and exit code 1, after the report was written; one that still compares something is none."""
    usual = ("compare", patients, "--id", "patient", "--folds", "2", "--no-controls", "--ledger", "none", *QUICK[2:])
    lost = run(*usual, "--methods", "late[hidden=0]", "--out", tmp_path / "lost")
    assert lost.code == 1
    assert "Nothing was compared, every method failed: " in lost.err
    assert "late fusion (hidden 0): ValueError: hidden must list" in lost.err
    assert (tmp_path / "lost" / "report.html").is_file()
    some = run(*usual, "--methods", "late[hidden=0],early[hidden=4]", "--out", tmp_path / "some")
    assert some.code == 0, some.err


@pytest.fixture
def tiny_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The data set "rosmap" with 30 training and 10 test rows."""
    rng = np.random.default_rng(0)
    target = np.arange(40) % 2
    data = Modalities({"a": rng.normal(size=(40, 3)) + target[:, None], "b": rng.normal(size=(40, 2))})
    numbers = pd.DataFrame(
        [("MOGONET", "accuracy", 0.815, 0.023, "five random splits", "Wang et al. 2021")],
        columns=["method", "metric", "value", "sd", "protocol", "source"],
    )
    train, test = np.split(np.arange(40), [30])
    bunch = Bunch(
        data=data,
        target=target,
        target_names=np.array(["no", "yes"]),
        train=train,
        test=test,
        DESCR="",
        published=numbers,
    )
    monkeypatch.setattr(datasets, "fetch_rosmap", lambda: bunch)


@pytest.mark.usefixtures("tiny_set")
def test_a_published_split_is_the_default_with_five_seeds(run: Run, tmp_path: Path) -> None:
    """Beside the published numbers, each with its protocol; folds are drawn where they are asked for."""
    rest = ("--no-controls", "--ledger", "none", *QUICK)
    done = run("compare", "rosmap", "--out", tmp_path / "split", "--json", *rest)
    assert done.code == 0, done.err
    assert "5 seeds" in json.loads(done.out)["protocol"]
    report = (tmp_path / "split" / "report.html").read_text(encoding="utf-8")
    assert "MOGONET" in report
    assert "five random splits" in report
    assert "30 training rows and 10 test rows" in report
    folds = run("compare", "rosmap", "--folds", "2", "--out", tmp_path / "folds", "--json", *rest)
    assert "2 stratified folds" in json.loads(folds.out)["protocol"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--metric", "beauty", "beauty"),
        ("--probe", "best", "none of the methods compared"),
        ("--ledger", "some", "ledger must be one of"),
        ("--methods", "best", "There is no method 'best'"),
    ],
)
def test_wrong_options_are_told_before_anything_is_fitted(
    run: Run, patients: Path, tmp_path: Path, option: str, value: str, message: str
) -> None:
    """In one line, with exit code 1."""
    asked = dict(zip(QUICK[:2:2], QUICK[1:2:2], strict=True)) | {option: value}
    flat = [part for pair in asked.items() for part in pair]
    done = run("compare", patients, "--id", "patient", "--out", tmp_path / "d", *flat, "--quiet")
    assert done.code == 1
    assert message in done.err
    assert not (tmp_path / "d" / "runs").exists()
