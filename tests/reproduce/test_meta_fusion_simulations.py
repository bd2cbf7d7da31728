"""Meta Fusion on simulations: cohorts, rows, models, and what is told at the end."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split
from typer.testing import CliRunner

from plait.cli.app import app
from plait.data.spec import DataSpec
from plait.datasets import SETTINGS, make_data_sharing
from plait.estimators import FusionRegressor
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.reproduce import meta_fusion_simulations as simulations
from plait.reproduce.meta_fusion_simulations import PROTOCOLS, load
from plait.reproduce.registry import study_by_name
from plait.reproduce.study import Request
from plait.training.trainer import Trainer

TINY = {"m0": ("pca-4", "null"), "m1": ("pca-3", "null")}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(PROTOCOLS["2.2"], samples=60, extractors=TINY, hidden=(4,))
    monkeypatch.setattr(simulations, "PROTOCOLS", {**PROTOCOLS, "2.2": small})


@pytest.mark.parametrize("setting", PROTOCOLS)
def test_every_setting_has_every_method_with_every_seed(setting: str) -> None:
    """Seed by seed, so that rows are simulated once; the name of the setting is the group."""
    study = study_by_name(f"meta-fusion/{setting}", Request(seeds=(1, 7)))
    ways = ["paper", "independent", "default", "ridge", "late-ridge"]
    assert [run.name for run in study.runs] == [f"{way}/{seed}" for seed in (1, 7) for way in ways]
    assert {run.labels["group"] for run in study.runs} == {setting}


@pytest.mark.parametrize(
    ("setting", "parameters"), [("1.1", 7_129_956), ("1.2", 2_776_824), ("2.1", 7_129_956), ("2.2", 3_016_824)]
)
def test_the_published_cohorts_have_their_size(setting: str, parameters: int) -> None:
    """24 students with as many weights as the authors' have."""
    made, chosen = PROTOCOLS[setting], SETTINGS[setting]
    spec = DataSpec({name: (width,) for name, width in zip(chosen.names, chosen.widths, strict=True)}, 1, "regression")
    net = MetaFusion.paper(made.extractors, made.hidden, made.encoder_hidden, made.rhos).build(spec)
    assert net.cohort.count == 24
    assert sum(weights.numel() for weights in net.cohort.parameters()) == parameters


def test_epochs_are_the_authors_unless_others_are_asked_for() -> None:
    """10 in setting 1.1, else 30; the default keeps its own."""
    epochs = {setting: study_by_name(f"meta-fusion/{setting}", Request()).settings["epochs"] for setting in PROTOCOLS}
    assert epochs == {"1.1": 10, **dict.fromkeys(("1.2", "1.3", "2.1", "2.2", "2.3"), 30)}
    asked = study_by_name("meta-fusion/1.1", Request(epochs=2)).settings
    assert (asked["epochs"], asked["default_epochs"]) == (2, 2)


def test_rows_are_split_as_the_authors_split_them() -> None:
    """A fifth for testing, a fifth of the others for validation, all with the seed of the data."""
    rows, made = load("1.1", 60, 3), make_data_sharing("1.1", 60, random_state=3, legacy=True)
    rest, test = train_test_split(np.arange(60), test_size=0.2, random_state=3)
    train, validation = train_test_split(rest, test_size=0.2, random_state=3)
    np.testing.assert_array_equal(rows.test_target, made.target[test])
    np.testing.assert_array_equal(rows.target[rows.validation], made.target[validation])
    np.testing.assert_array_equal(rows.target[~rows.validation], made.target[train])
    np.testing.assert_array_equal(rows.data["m1"][rows.validation], made.data["m1"][validation])


def fitted(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[FusionRegressor, simulations.Rows]:
    """The model of a run, fitted on nothing, and the rows that it was given."""
    seen: list[FusionRegressor] = []

    def tell(model: FusionRegressor, data: object, target: object) -> Mapping[str, float]:
        seen.append(model)
        assert len(data) == len(target) == 48
        monkeypatch.setattr(type(model), "predict", lambda self, X: np.zeros(len(X)))
        return {}

    monkeypatch.setattr(simulations, "fit_and_tell", tell)
    study = study_by_name("meta-fusion/2.2", Request(seeds=(2,), threads=1))
    found = next(run for run in study.runs if run.name == name).fit(0)
    rows = load("2.2", 60, 2)
    assert found.numbers == {"mse": pytest.approx(np.mean(rows.test_target**2))}
    return seen[0], rows


@pytest.mark.parametrize(("way", "rhos"), [("paper", (0.0, 0.99, 3.0)), ("independent", (0.0,))])
def test_the_published_method_has_the_published_training(
    monkeypatch: pytest.MonkeyPatch, way: str, rhos: tuple[float, ...]
) -> None:
    """Values as they come, Adam at 1e-3 without decay or early stopping, the authors' validation rows."""
    model, rows = fitted(monkeypatch, f"{way}/2")
    assert (model.scaling, model.target_scaling, model.random_state) == ("none", "none", 2)
    assert repr(model.trainer) == repr(Trainer(30, 64, 1e-3, 0.0, None, threads=1))
    np.testing.assert_array_equal(model.validation, rows.validation)
    assert model.method.get_params() == MetaFusion.paper(TINY, (4,), (256,), rhos).get_params()


@pytest.mark.parametrize(
    ("way", "method"),
    [("default", MetaFusion()), ("ridge", EarlyFusion(base="ridge")), ("late-ridge", LateFusion(base="ridge"))],
)
def test_the_other_methods_have_default_settings(monkeypatch: pytest.MonkeyPatch, way: str, method: object) -> None:
    """They are not told which rows the authors validate on."""
    model, _ = fitted(monkeypatch, f"{way}/2")
    assert repr(model) == repr(FusionRegressor(method, trainer=Trainer(threads=1), random_state=2))


def test_a_fit_tells_error_time_students_and_rho() -> None:
    """The published method of a tiny cohort: three students, a rho of the list; a ridge has none."""
    study = study_by_name("meta-fusion/2.2", Request(seeds=(1,), epochs=1, threads=1))
    paper, ridge = (next(run for run in study.runs if run.arm == arm).fit(0).numbers for arm in ("paper", "ridge"))
    assert (paper["students"], ridge["students"]) == (3, 1)
    assert paper["rho"] in {0.0, 0.99, 3.0}
    assert "rho" not in ridge
    assert min(paper["mse"], paper["fit_seconds"], paper["validation_loss"], ridge["mse"]) > 0


def test_json_holds_the_mean_errors_and_one_table(tmp_path: Path) -> None:
    """By arm at the top; `rows` has ours beside the authors' numbers of the seeds that were run, and no others."""
    asked = ["reproduce", "meta-fusion/2.2", "--seeds", "1,2", "--only", "ridge/*", "--only", "paper/1"]
    said = CliRunner().invoke(app, [*asked, "--epochs", "1", "--out", str(tmp_path), "--json", "--quiet"])
    told = json.loads(said.stdout)
    errors = pd.DataFrame(told["runs"]).set_index("run")["mse"]
    assert told["paper"] == pytest.approx(errors["paper/1"])
    assert told["ridge"] == pytest.approx(errors[["ridge/1", "ridge/2"]].mean())
    assert "default" not in told
    assert told["name"] == "meta-fusion/2.2"
    rows = pd.DataFrame(told["rows"])
    assert set(rows["metric"]) == {"mse"}
    here, published = (rows[rows["kind"] == kind].set_index("method")["mean"] for kind in ("here", "published"))
    assert here.to_dict() == {"paper": pytest.approx(told["paper"]), "ridge": pytest.approx(told["ridge"])}
    assert published["Meta Fusion"] == pytest.approx((40.36 + 39.31) / 2)
    assert [one["runs"] for one in told["checks"]] == [1]
