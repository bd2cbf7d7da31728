"""The table of scores: what each column is of."""

import numpy as np
import pandas as pd
import pytest
from simulated import contender, outcomes, race, right, truth
from sklearn.metrics import accuracy_score

from plait.compare.outcomes import Truth
from plait.compare.statistics.scores import COLUMNS, score_table, split_scores
from plait.statistics.metrics import METRICS

RACE = race({"a": ("single", 0.8), "b": ("fusion", 0.6)}, n=120, repeats=2, seeds=3)


def _accuracies(found, label):
    target = found.truth.target
    return np.array([[accuracy_score(target, part.argmax(1)) for part in seed] for seed in found[label].outputs])


def test_one_row_a_contender_and_metric():
    """In their order, with the columns that are promised."""
    table = score_table(RACE, draws=10)
    assert tuple(table.columns) == COLUMNS
    assert table.method.tolist() == ["a"] * 7 + ["b"] * 7
    assert table.metric.tolist() == 2 * list(METRICS["classification"])
    assert (table.runs == 3 * 10).all()
    assert (table.seconds == 1).all()


def test_the_mean_is_over_repeats_and_seeds():
    """Of scores over all samples of a repeat; the deviation of seeds is that of their means."""
    row = score_table(RACE, ["accuracy"], draws=10).iloc[1]
    scores = _accuracies(RACE, "b")
    assert row["mean"] == pytest.approx(scores.mean())
    assert row["sd_seeds"] == pytest.approx(scores.mean(1).std(ddof=1))


def test_the_deviation_of_folds():
    """Scores of all ten splits, mean over seeds."""
    row = score_table(RACE, ["accuracy"], draws=10).iloc[0]
    right_ones = RACE["a"].outputs.argmax(-1) == RACE.truth.target
    scores = [right_ones[:, repeat][:, RACE.truth.rows(repeat, fold)].mean() for repeat, fold in RACE.truth.splits]
    assert row["sd_folds"] == pytest.approx(np.std(scores, ddof=1))
    found = split_scores(RACE.truth, RACE["a"], METRICS["classification"]["accuracy"])
    assert found.mean(0) == pytest.approx(np.array(scores))


def test_the_interval_is_the_bootstrap_of_the_mean():
    """Close to the normal one of a share, with one seed."""
    row = score_table(race({"a": ("single", 0.8)}, n=400), ["accuracy"], draws=2000).iloc[0]
    half = 1.96 * np.sqrt(row["mean"] * (1 - row["mean"]) / 400)
    assert row["low"] == pytest.approx(row["mean"] - half, abs=0.006)
    assert row["high"] == pytest.approx(row["mean"] + half, abs=0.006)


def test_the_seed_of_the_draws_is_an_argument():
    """Same seed, same table; contenders share the draws, so a twin has the same interval."""
    twins = outcomes(RACE.truth, *(contender(RACE.truth, name, "single", RACE["a"].outputs) for name in "xy"))
    table = score_table(twins, ["macro_f1"], draws=50, random_state=7)
    assert table.loc[0, "low"] == table.loc[1, "low"]
    pd.testing.assert_frame_equal(table, score_table(twins, ["macro_f1"], draws=50, random_state=7))
    assert table.loc[0, "low"] != score_table(twins, ["macro_f1"], draws=50, random_state=8).loc[0, "low"]


def test_a_test_set_is_one_split():
    """Scores are of its samples alone; deviations do not exist."""
    found = race({"a": ("single", 0.8)}, test=0.3)
    row = score_table(found, ["accuracy"], draws=50).iloc[0]
    assert row["mean"] == pytest.approx(
        accuracy_score(found.truth.target[:60], found["a"].outputs[0, 0, :60].argmax(1))
    )
    assert np.isfinite(row["low"])
    assert np.isnan([row["sd_folds"], row["sd_seeds"]]).all()
    assert row["runs"] == 1


def test_a_regression_has_its_metrics():
    """All of them, with intervals around the mean."""
    table = score_table(race({"a": ("single", 0.5)}, classes=0), draws=200)
    assert table.metric.tolist() == ["r2", "rmse", "mae"]
    assert (table.low < table["mean"]).all()
    assert (table["mean"] < table.high).all()


def test_a_failure_is_a_row_without_numbers():
    """Also one whose predictions are not finite where they are reported."""
    data = truth()
    broken = right(data, 0.8, 1)
    broken[0, 0, 3] = np.nan
    found = outcomes(
        data,
        contender(data, "good", "fusion", right(data, 0.8, 1)),
        contender(data, "dead", "fusion", np.full_like(broken, np.nan), failure="out of memory"),
        contender(data, "broken", "fusion", broken),
    )
    table = score_table(found, ["accuracy"], draws=10).set_index("method")
    assert table.failure.tolist() == ["", "out of memory", "it predicted values that are not finite"]
    assert table.loc[["dead", "broken"], ["mean", "low", "high"]].isna().all(axis=None)


def test_repeats_may_report_some_of_the_samples():
    """Shuffled splits of a fifth: only what is reported counts."""
    data = truth(n=100, repeats=6)
    fold = np.where(data.fold == 0, 0, -1)
    data = type(data)(data.task, data.target, data.classes, data.groups // 10, fold, data.train[:, :1])
    found = outcomes(data, contender(data, "a", "single", right(data, 0.9, 1)))
    row = score_table(found, ["accuracy"], draws=100).iloc[0]
    assert 0.7 < row["low"] < row["mean"] < row["high"] <= 1


def test_the_auc_is_the_mean_over_folds():
    """Models of different folds rank apart: each perfect, their pooled ranks are not."""
    fold = np.array([[0, 0, 1, 1]])
    data = Truth("classification", np.array([0, 1, 0, 1]), ("n", "y"), np.arange(4), fold, np.array([[2, 2]]))
    chance = np.array([0.1, 0.2, 0.8, 0.9])
    one = contender(data, "one", "fusion", np.stack([1 - chance, chance], 1)[None, None])
    table = score_table(outcomes(data, one), ["roc_auc"], draws=50)
    assert table["mean"].item() == 1.0
