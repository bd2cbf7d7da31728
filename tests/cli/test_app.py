"""`plait` on the command line: results on standard output, the rest on standard error, and honest exit codes."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from shell import Run

import plait
from plait import datasets

QUICK = ("--method", "early", "--param", "hidden=4", "--epochs", "2", "--quiet")
FIT = ("--id", "patient", *QUICK)


def test_a_folder_is_fitted_saved_shown_and_predicted(run: Run, patients: Path, tmp_path: Path) -> None:
    """From files to files, in three commands."""
    fit = run("fit", patients, "--out", tmp_path / "model", "--modality", "blood", *FIT)
    assert fit.code == 0, fit.err
    assert "EarlyFusion" in fit.out
    assert f"39 samples of {patients}" in fit.out
    assert "validation loss" in fit.out
    assert "1 samples have no target and are left out: 'p39'" in fit.err
    assert "the target holds 2 values: classification" in fit.err

    show = run("show", tmp_path / "model")
    assert show.code == 0, show.err
    assert "hidden = (4)" in show.out
    assert "(sick, well)" in show.out
    assert plait.__version__ in show.out

    predict = run("predict", tmp_path / "model", patients, "--id", "patient", "--out", tmp_path / "p.csv")
    assert (predict.code, predict.out) == (0, "")
    assert "on 39 samples with known target (40 samples of" in predict.err
    written = pd.read_csv(tmp_path / "p.csv")
    assert written["id"].tolist() == [f"p{row:02d}" for row in range(40)]
    assert set(written["prediction"]) <= {"sick", "well"}


def test_predictions_go_to_standard_output_as_csv(run: Run, patients: Path, tmp_path: Path) -> None:
    """Ids, predictions, and the probability of each class on request."""
    run("fit", patients, "--out", tmp_path / "m", *FIT)
    predict = run("predict", tmp_path / "m", patients, "--id", "patient", "--probabilities")
    lines = predict.out.splitlines()
    assert lines[0] == "id,prediction,probability_sick,probability_well"
    assert len(lines) == 41
    probabilities = np.array([line.split(",")[2:] for line in lines[1:]], dtype=float)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_disagreement_is_a_column_of_its_own(run: Run, patients: Path, tmp_path: Path) -> None:
    """That of the loaded model; 0 where one student of two can read the sample; a single predictor is told so."""
    late = ("--id", "patient", "--method", "late", "--epochs", "2", "--quiet", "--validation", "0.25")
    run("fit", patients, "--out", tmp_path / "m", *late)
    out = run("predict", tmp_path / "m", patients, "--id", "patient", "--disagreement").out
    table = pd.read_csv(io.StringIO(out))
    assert list(table) == ["id", "prediction", "disagreement"]
    assert (table["disagreement"][:2] == 0).all()
    assert table["disagreement"][2:].between(0, np.log(2), inclusive="neither").all()
    written = tmp_path / "p.csv"
    run("predict", tmp_path / "m", patients, "--id", "patient", "--disagreement", "--probabilities", "--out", written)
    assert list(pd.read_csv(written))[2:] == ["probability_sick", "probability_well", "disagreement"]
    run("fit", patients, "--out", tmp_path / "one", *FIT, "--validation", "0.25")
    refused = run("predict", tmp_path / "one", patients, "--id", "patient", "--disagreement")
    assert (refused.code, refused.out) == (1, "")
    assert "This EarlyFusion is a single predictor" in refused.err


def test_json_is_one_object_on_standard_output(run: Run, patients: Path, tmp_path: Path) -> None:
    """Of every command, with the same content as the table."""
    fit = json.loads(run("fit", patients, "--out", tmp_path / "m", *FIT, "--json").out)
    assert (fit["method"], fit["n"], fit["seed"]) == ("EarlyFusion", 39, 0)
    assert fit["modalities"] == {"blood": [3], "scan": [3]}
    assert fit["validation_loss"] > 0
    show = json.loads(run("show", tmp_path / "m", "--json").out)
    assert show["target"] == {"classes": ["sick", "well"]}
    assert show["params"]["hidden"] == [4]
    predict = json.loads(run("predict", tmp_path / "m", patients, "--id", "patient", "--json").out)
    assert predict["predictions"][0].keys() == {"id", "prediction"}
    assert predict["scored"] == 39
    assert predict["scores"].keys() == {"accuracy", "macro_f1"}
    listing = json.loads(run("list", "--json").out)
    assert listing.keys() == {"methods", "datasets"}


def test_a_number_is_predicted_by_regression(run: Run, patients: Path, tmp_path: Path) -> None:
    """The target may be a column of a modality; it is then no feature, at prediction too."""
    (patients / "target.csv").unlink()
    fit = run("fit", patients, "--out", tmp_path / "m", "--target", "age", *FIT, "--validation", "2", "--json")
    assert fit.code == 0, fit.err
    report = json.loads(fit.out)
    assert report["task"] == "regression (1 target)"
    assert report["modalities"] == {"blood": [3], "scan": [2]}
    assert "2 folds" in report["loss_is"]
    assert "the target holds numbers: regression" in fit.err
    predict = json.loads(run("predict", tmp_path / "m", patients, "--id", "patient", "--target", "age", "--json").out)
    assert predict["scores"].keys() == {"rmse", "r2"}
    refused = run("predict", tmp_path / "m", patients, "--id", "patient", "--target", "age", "--probabilities")
    assert refused.code == 1
    assert "no classes" in refused.err


def test_the_fit_of_a_cohort_says_what_each_modality_is_worth(run: Run, patients: Path, tmp_path: Path) -> None:
    """The values of the model, in the order of the modalities."""
    few = ("--method", "meta", "--param", "learners=ridge", "--param", "rhos=0", "--epochs", "2", "--validation", "0.3")
    fit = run("fit", patients, "--out", tmp_path / "m", "--id", "patient", *few, "--json")
    assert fit.code == 0, fit.err
    table = plait.load(tmp_path / "m").modality_values_
    assert json.loads(fit.out)["modality_values"] == pytest.approx({name: table["value"][name] for name in table.index})
    assert list(table.index) == ["blood", "scan"]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1] * 20, "classification"),
        ([0.0, 1.0] * 20, "classification"),
        ([True, False] * 20, "classification"),
        (["x", "y"] * 20, "classification"),
        (list(range(40)), "regression"),
        ([0.5, 1.0] * 20, "regression"),
    ],
)
def test_the_task_follows_from_the_target_unless_it_is_named(
    run: Run, patients: Path, tmp_path: Path, values: list[Any], task: str
) -> None:
    """Text, truth values and few whole numbers are classes; which was chosen is said."""
    ids = [f"p{row:02d}" for row in range(40)]
    pd.DataFrame({"patient": ids, "y": values}).to_csv(patients / "target.csv", index=False)
    fit = run("fit", patients, "--out", tmp_path / "m", *FIT, "--json")
    assert json.loads(fit.out)["task"].startswith(task)
    assert f": {task} (--task" in fit.err


def test_few_whole_numbers_can_be_a_regression(run: Run, patients: Path, tmp_path: Path) -> None:
    """If the user says so; then nothing is guessed."""
    pd.DataFrame({"patient": [f"p{row:02d}" for row in range(40)], "y": [0, 1] * 20}).to_csv(
        patients / "target.csv", index=False
    )
    fit = run("fit", patients, "--out", tmp_path / "m", *FIT, "--task", "regression", "--json")
    assert json.loads(fit.out)["task"].startswith("regression")
    assert "--task" not in fit.err


def test_a_modality_that_nobody_has_is_named_at_prediction(run: Run, patients: Path, tmp_path: Path) -> None:
    """Its file may then be missing; without the option that is an error."""
    run("fit", patients, "--out", tmp_path / "m", "--method", "late", *FIT[:2], *QUICK[2:])
    (patients / "scan.csv").unlink()
    missing = run("predict", tmp_path / "m", patients, "--id", "patient")
    assert missing.code == 1
    assert "no file of the modality 'scan'" in missing.err
    assert run("predict", tmp_path / "m", patients, "--id", "patient", "--absent", "scan").code == 0
    assert "no modality 'scam'" in run("predict", tmp_path / "m", patients, "--id", "patient", "--absent", "scam").err


def test_groups_are_read_from_a_column(run: Run, patients: Path, tmp_path: Path) -> None:
    """It is no feature."""
    blood = pd.read_csv(patients / "blood.csv").assign(ward=["x", "y", "z", "w"] * 10)
    blood.to_csv(patients / "blood.csv", index=False)
    fit = run("fit", patients, "--out", tmp_path / "m", *FIT, "--groups", "ward", "--json")
    assert json.loads(fit.out)["modalities"]["blood"] == [3]


def test_the_same_seed_gives_the_same_predictions(run: Run, patients: Path, tmp_path: Path) -> None:
    """To the last digit."""
    found = []
    for name in ("one", "two"):
        run("fit", patients, "--out", tmp_path / name, *FIT, "--seed", "3")
        found.append(run("predict", tmp_path / name, patients, "--id", "patient", "--probabilities").out)
    assert found[0] == found[1]


def test_progress_goes_to_standard_error(run: Run, patients: Path, tmp_path: Path) -> None:
    """Standard output holds the result alone."""
    fit = run("fit", patients, "--out", tmp_path / "m", *FIT[:-1], "--json")
    assert "epoch" in fit.err
    assert json.loads(fit.out)


def test_a_published_split_is_kept(run: Run, tmp_path: Path) -> None:
    """Fit learns from the training rows, predict predicts the test rows; `--all-rows` lifts that."""
    try:
        datasets.fetch_rosmap(download=False)
    except FileNotFoundError:
        pytest.skip("ROSMAP is not on this machine; set PLAIT_DATA")
    fit = run("fit", "rosmap", "--out", tmp_path / "m", *QUICK, "--json")
    assert json.loads(fit.out)["trained_on"] == "the 245 training rows of rosmap"
    predict = json.loads(run("predict", tmp_path / "m", "rosmap", "--json").out)
    assert predict["rows"] == "the 106 test rows of rosmap"
    assert predict["n"] == predict["scored"] == 106
    assert {row["prediction"] for row in predict["predictions"]} <= {"AD", "control"}
    everything = json.loads(run("predict", tmp_path / "m", "rosmap", "--all-rows", "--json").out)
    assert everything["rows"] == "all 351 rows of rosmap; a model fitted on them has seen them"


def test_list_names_what_can_be_used(run: Run) -> None:
    """Methods and data sets, each with one line."""
    both = run("list").out
    assert "meta-fusion " in both
    assert "htad " in both
    assert "Load HTAD" in both
    assert "meta-fusion" not in run("list", "datasets").out


def test_version_and_help(run: Run) -> None:
    """Neither needs a command."""
    assert run("--version").out == f"plait {plait.__version__}\n"
    assert "Usage: plait" in run("--help").out


def test_help_does_not_load_torch() -> None:
    """It is read often, and by people in a hurry."""
    code = "import sys; from plait.cli.app import app; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


WRONG: dict[str, tuple[list[str], str]] = {
    "source": (["fit", "nowhere", "--out", "{tmp}/m"], "'nowhere' is neither a folder nor a data set. The data sets"),
    "method": (
        ["fit", "{data}", "--out", "{tmp}/m", "--method", "magic"],
        "no method 'magic'. The methods are baseline",
    ),
    "parameter": (
        ["fit", "{data}", "--out", "{tmp}/m", "--param", "deep=3"],
        "has no parameter 'deep'; it has 'average'",
    ),
    "value": (
        ["fit", "{data}", "--out", "{tmp}/m", "--param", "hidden=wide"],
        "hidden=wide: a list of int or None is expected",
    ),
    "folder": (["fit", "{data}", "--out", "{tmp}/no/m"], "There is no folder"),
    "existing": (["fit", "{data}", "--out", "{tmp}"], "exists. Choose another folder, or --overwrite"),
    "no model": (
        ["fit", "{data}", "--id", "patient", "--out", "{tmp}/patients", "--overwrite"],
        "holds no saved model",
    ),
    "id": (["fit", "{data}", "--out", "{tmp}/m"], "No file has ids, and the numbers of rows differ"),
    "target": (["fit", "{data}", "--out", "{tmp}/m", "--id", "patient", "--target", "z"], "Column 'z' must stand in"),
    "data set's target": (["fit", "htad", "--out", "{tmp}/m", "--target", "z"], "'htad' has its own target"),
    "model": (["predict", "{tmp}/m", "{data}"], "model.json is not there"),
    "an existing file": (
        ["predict", "{tmp}/m", "{data}", "--out", "{data}/target.csv"],
        "exists. Choose another file, or replace it with --overwrite",
    ),
    "damaged model": (["show", "{data}"], "model.json is not there"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_done_is_said_in_one_line(
    run: Run, patients: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """Exit code 1, no traceback, nothing on standard output."""
    outcome = run(*(argument.format(data=patients, tmp=tmp_path) for argument in arguments))
    assert outcome.code == 1
    assert outcome.out == ""
    last = outcome.err.splitlines()[-1]
    assert last.startswith("plait: ")
    assert message in last


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "htad"],
        ["fit", "htad", "--out", "m", "--validation", "some"],
        ["fit", "htad", "--out", "m", "--epochs", "0"],
        ["fit", "htad", "--out", "m", "--task", "magic"],
        ["lsit"],
        ["list", "dogs"],
    ],
)
def test_wrong_usage_is_exit_code_2(run: Run, arguments: list[str]) -> None:
    """As of any program."""
    assert run(*arguments).code == 2


def test_an_interrupt_is_exit_code_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no traceback."""

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("plait.cli.listing.listing", interrupted)
    assert run("list") == (130, "", "")
