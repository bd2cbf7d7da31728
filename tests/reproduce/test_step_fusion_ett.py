"""Step Fusion on ETT: which runs there are, what each is fitted with, and what stands beside it."""

import math

import numpy as np
import pandas as pd
import pytest
import tiny_windows

from plait import datasets
from plait.estimators import FusionRegressor
from plait.methods.step import StepFusion
from plait.reproduce import step_fusion_ett as ett
from plait.reproduce.ett_windows import Windows, errors, last_value, load
from plait.reproduce.step_fusion_arms import ALONE, CONCAT, CROSS, STEP
from plait.reproduce.store import content_of
from plait.reproduce.study import Found, Request, Run, Study


@pytest.fixture(autouse=True)
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "fetch_ett", tiny_windows.fetch_ett)


def named(study: Study, name: str) -> Run:
    return next(run for run in study.runs if run.name == name)


def test_every_task_has_every_set_and_way() -> None:
    """Nine tasks; in each two baselines, two series alone, and three sets by three ways, the last ones seed by seed."""
    study = ett.study(Request(seeds=(1, 2, 3)))
    names = [run.name for run in study.runs]
    assert len(set(names)) == len(names) == 9 * (2 + 3 * (2 + 3 * 3))
    tasks = list(dict.fromkeys(run.labels["group"] for run in study.runs))
    assert tasks[:3] == ["ETTh1-96", "ETTh1-192", "ETTh2-96"]
    assert tasks[-1] == "ETTh1-96-L336"
    ways = {run.arm.partition("/")[2] for run in study.runs if run.labels["group"] == "ETTm2-192"}
    several = {f"{inputs}/{way}" for inputs in ("E-A", "E-B", "E-C") for way in (STEP, CONCAT, CROSS)}
    assert ways == several | {f"{one}/{way}" for one in ("series", "OT") for way in (ALONE, ett.REPEAT)}


def test_every_run_says_what_a_reader_must_know() -> None:
    """Look-back, horizon, mode and protocol; and how long an epoch is where there is one."""
    study = ett.study(Request(), ett.EttProtocol(epochs=7))
    for run in study.runs:
        assert run.labels.keys() == study.runs[0].labels.keys()
        assert run.labels["lookback"] == (336 if run.labels["group"] == "ETTh1-96-L336" else 96)
        trained = run.labels["method"] != ett.REPEAT
        for words in ("4224 random windows", "validation windows 4 hours apart"):
            assert (words in str(run.labels["protocol"])) == trained
    assert "<= 7 epochs" in str(named(study, "ETTh1-96/E-B/concat/1").labels["protocol"])
    assert named(study, "ETTh1-96/E-B/concat/1").labels["variables"] == "7 to OT (MS)"
    assert "no number of the paper is claimed" in study.note


def test_a_constant_of_the_protocol_is_part_of_the_key() -> None:
    """As are the epochs that were asked for; the number of threads is not."""
    asked = [ett.study(Request()), ett.study(Request(epochs=2)), ett.study(Request(), ett.EttProtocol(width=32))]
    contents = [content_of(study, named(study, "ETTh1-96/E-A/concat/1")) for study in asked]
    assert [one["settings"]["epochs"] for one in contents] == [5, 2, 5]
    assert contents[0] != contents[2]
    threaded = ett.study(Request(threads=1))
    assert content_of(threaded, named(threaded, "ETTh1-96/E-A/concat/1")) == contents[0]


@pytest.mark.parametrize(
    ("name", "shapes", "series", "channelwise", "outputs"),
    [
        ("ETTh1-96/series/alone/1", {"series": (96, 7)}, "series", (), 96 * 7),
        ("ETTh1-96/E-A/concat/1", {"series": (96, 7), "image": (7, 24, 24)}, "series", ("image",), 96 * 7),
        ("ETTh1-192/E-B/concat/1", {"temperature": (96, 1), "loads": (96, 6)}, "temperature", (), 192),
        ("ETTm1-96/E-C/concat/1", {"series": (96, 7), "calendar": (192, 4)}, "series", (), 96 * 7),
        ("ETTh1-96-L336/E-A/concat/1", {"series": (336, 7), "image": (7, 48, 48)}, "series", ("image",), 96 * 7),
    ],
)
def test_models_are_fitted_as_the_protocol_says(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    shapes: dict[str, tuple[int, ...]],
    series: str,
    channelwise: tuple[str, ...],
    outputs: int,
) -> None:
    """On the windows of the set, with the published validation part, unscaled, channel by channel."""
    seen: list[tuple[FusionRegressor, Windows]] = []

    def forecast(model: FusionRegressor, windows: Windows) -> Found:
        seen.append((model, windows))
        return Found({})

    monkeypatch.setattr(ett, "forecast", forecast)
    named(ett.study(Request(threads=1)), name).fit(0)
    model, windows = seen[0]
    assert windows.data.sample_shapes == windows.test.sample_shapes == shapes
    assert model.validation is windows.validation
    every = 16 if name.startswith("ETTm") else 4
    held = math.ceil(tiny_windows.VALIDATION / every)
    assert windows.validation.sum() == held
    assert windows.target.shape == (36 - tiny_windows.VALIDATION + held, outputs)
    assert model.forecast is not None
    assert (model.forecast.series, model.forecast.channelwise) == (series, channelwise)
    assert (model.scaling, model.target_scaling, model.random_state) == ("none", "none", 1)
    trainer = model.trainer
    assert trainer is not None
    assert (trainer.epochs, trainer.batch_size, trainer.learning_rate, trainer.weight_decay) == (5, 32, 1e-3, 0.0)
    assert (trainer.patience, trainer.schedule, trainer.clip, trainer.threads) == (3, "halving", 1.0, 1)
    assert trainer.epoch_samples == 4224


def test_the_ways_differ_in_the_fusion_alone() -> None:
    """Width, encoder, head and dropout are the same; so is the series alone."""
    plan = ett.Plan(ett.EttProtocol(), Request(), load)
    runs = plan.runs(ett.groups(plan.protocol)[0])
    methods = {str(run.labels["method"]): run.fit.args[2]() for run in runs if run.labels["method"] != ett.REPEAT}  # type: ignore[attr-defined]
    assert methods.keys() == {ALONE, STEP, CONCAT, CROSS}
    for method in methods.values():
        assert isinstance(method, StepFusion)
        assert (method.width, method.encoder, method.head, method.dropout) == (64, "patches", "tokens", 0.1)
    assert (methods[STEP].steps, methods[CONCAT].steps, methods[ALONE].steps) == (4, 0, 0)


def test_windows_are_drawn_once_for_all_seeds_and_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a set follow each other."""
    loaded = []
    monkeypatch.setattr(ett, "load", lambda group, inputs, hours: loaded.append((group.name, inputs.name)))
    monkeypatch.setattr(ett.Plan, "_fit", lambda plan, group, inputs, make, seed, verbose: plan.load(group, inputs, 4))
    for run in ett.study(Request(seeds=(1, 2))).runs:
        if run.labels["method"] != ett.REPEAT:
            run.fit(0)
    assert len(loaded) == len(set(loaded)) == 9 * 5


def test_errors_are_means_over_everything() -> None:
    """By hand, in double precision."""
    found = errors(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), np.array([[1.0, 3.0], [0.0, 4.0]]))
    assert found == {"mse": (1 + 9) / 4, "mae": (1 + 3) / 4}


def test_the_last_value_is_repeated_over_the_horizon() -> None:
    """The horizon is the slower axis: target 3 of 2 variables is step 2 of the second."""
    series = np.zeros((1, 5, 2), np.float32)
    series[0, -1] = [10, 20]
    data = tiny_windows.Modalities({"series": series})
    windows = Windows(data, np.zeros((1, 6)), np.ones(1, bool), data, np.array([[10.0, 20, 10, 20, 11, 22]]))
    assert last_value(windows, "series").numbers == {"mse": (1 + 4) / 6, "mae": (1 + 2) / 6}


def test_a_forecast_is_fitted_and_judged() -> None:
    """One epoch of every way on a few windows: finite errors, and those of validation are the history's."""
    study = ett.study(Request(seeds=(1,), epochs=1, threads=1), ett.EttProtocol(lookback=32, width=8, image=12))
    for name in ("ETTh1-96/OT/alone/1", "ETTh1-96/E-B/step-fusion/1", "ETTh1-96/E-A/cross-attention/1"):
        numbers = named(study, name).fit(0).numbers
        assert np.isfinite(list(numbers.values())).all()
        assert numbers["epochs"] == 1
        assert 0 < numbers["mse"] < 10
        assert 0 < numbers["validation_mse"] < 10


def test_contrasts_pair_like_inputs() -> None:
    """The series alone is shared by the sets that hold it; that of the temperature belongs to E-B."""
    pairs = {(one.arm, one.minus) for one in ett.contrasts(pd.DataFrame({"group": ["ETTh1-96", "ETTh1-96"]}))}
    assert len(pairs) == 3 * 4
    assert ("ETTh1-96/E-A/step-fusion", "ETTh1-96/series/alone") in pairs
    assert ("ETTh1-96/E-C/concat", "ETTh1-96/series/alone") in pairs
    assert ("ETTh1-96/E-B/step-fusion", "ETTh1-96/OT/alone") in pairs
    assert {arm for pair in pairs for arm in pair} <= {run.arm for run in ett.study(Request()).runs}


def test_public_numbers_have_a_like_look_back() -> None:
    """96 beside 96; 336 and 512 beside 336; the same data, horizon and mode; only for tasks that were run."""
    tasks = [("ETTh1-96", "ETTh1", 96, 96), ("ETTh1-96-L336", "ETTh1", 96, 336), ("ETTm2-192", "ETTm2", 192, 96)]
    public = ett.published(pd.DataFrame(tasks, columns=["group", "data", "horizon", "lookback"]))
    assert set(public["group"]) == {name for name, *_ in tasks}
    by_group = {name: set(rows["lookback"]) for name, rows in public.groupby("group")}
    assert by_group["ETTh1-96"] == {"96", "1 (the last value)"}
    assert by_group["ETTh1-96-L336"] == {"336", "512", "1 (the last value)"}
    found = public.set_index(["group", "method", "metric"])["value"]
    assert found["ETTh1-96", "iTransformer", "mse"] == 0.386
    assert found["ETTh1-96-L336", "PatchTST/64", "mae"] == 0.400
    assert found["ETTm2-192", "DLinear", "mse"] == 0.284
    assert public["protocol"].str.contains("7 variables to 7").all()
    assert ett.published(pd.DataFrame()).empty
