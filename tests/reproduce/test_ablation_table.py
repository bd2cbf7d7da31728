"""What each piece buys: ratios, differences, intervals and words by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from plait.reproduce.ablation_arms import ARMS
from plait.reproduce.ablation_picture import pictures, plot_ablation
from plait.reproduce.ablation_table import ALL, APART, RATIO, ablation_table, overviews

Losses = dict[tuple[str, str], list[float]]
VALUES: Losses = {("1.1", "default"): [2.0, 4.0, 8.0], ("1.1", "greedy"): [4.0, 8.0, 16.0]}


def results_of(mse: Losses | None = None, log_loss: Losses | None = None, error: Losses | None = None) -> pd.DataFrame:
    """One row a run: metrics by set and arm, from seed 1 on."""
    told = {"mse": mse or {}, "log_loss": log_loss or {}, "error": error or {}}
    runs: dict[tuple[str, str, int], dict[str, float]] = {}
    for metric, losses in told.items():
        for (group, arm), numbers in losses.items():
            for seed, number in enumerate(numbers, 1):
                runs.setdefault((group, arm, seed), {})[metric] = number
    rows = [{"group": group, "method": arm, "seed": seed, **found} for (group, arm, seed), found in runs.items()]
    return pd.DataFrame(rows, columns=["group", "method", "seed", "mse", "log_loss", "error"])


def row_of(results: pd.DataFrame, arm: str, group: str = ALL, measure: str = RATIO) -> "pd.Series[object]":
    """One row of the table."""
    return ablation_table(results).set_index(["arm", "group", "measure"]).loc[(arm, group, measure)]


def test_a_loss_twice_as_large_in_every_split_is_a_ratio_of_two() -> None:
    """However large the losses are, and without any doubt."""
    found = row_of(results_of(VALUES), "greedy")
    assert [found[name] for name in ("value", "low", "high")] == pytest.approx([2, 2, 2])
    assert (found["seeds"], found["buys"], found["alike"]) == (3, "helps", "0 of 3")
    assert (found["piece"], found["instead"]) == (ARMS["greedy"].piece, ARMS["greedy"].instead)


def test_ratios_have_the_interval_of_students_t_of_their_logarithms() -> None:
    """Geometric mean over the seeds, paired in the same split."""
    found = row_of(results_of({("1.1", "default"): [1.0, 2.0, 5.0], ("1.1", "best"): [1.1, 2.6, 4.5]}), "best", "1.1")
    logs = np.log([1.1, 1.3, 0.9])
    assert found["value"] == pytest.approx(np.exp(logs.mean()))
    ends = stats.t.interval(0.95, 2, logs.mean(), stats.sem(logs))
    assert [found["low"], found["high"]] == pytest.approx(np.exp(ends))
    assert found["buys"] == "no difference seen"


def test_all_sets_count_alike_and_are_no_repetitions() -> None:
    """A seed is one number, the mean over the sets: sets that differ do not widen the interval, nor narrow it."""
    values = {**VALUES, ("2.1", "default"): [1.0, 1.0, 1.0], ("2.1", "greedy"): [0.5, 0.6, 0.4]}
    found = row_of(results_of(values), "greedy")
    means = (np.log(2) + np.log([0.5, 0.6, 0.4])) / 2
    ends = stats.t.interval(0.95, 2, means.mean(), stats.sem(means))
    assert found["value"] == pytest.approx(np.exp(means.mean()))
    assert [found["low"], found["high"]] == pytest.approx(np.exp(ends))
    assert found["sets"] == "helps in 1, harms in 1 of 2"
    assert (found["seeds"], found["alike"]) == (3, "0 of 6")


def test_losses_of_values_and_of_classes_stand_together() -> None:
    """Mean squared errors and log losses as ratios; error rates of classes alone, as differences."""
    log_loss = {("htad", "default"): [0.5, 0.4], ("htad", "greedy"): [0.25, 0.2]}
    error = {("htad", "default"): [0.10, 0.20], ("htad", "greedy"): [0.13, 0.25]}
    results = results_of({name: numbers[:2] for name, numbers in VALUES.items()}, log_loss, error)
    assert row_of(results, "greedy")["value"] == pytest.approx(1.0)  # twice and half
    assert row_of(results, "greedy", "htad")["value"] == pytest.approx(0.5)
    assert row_of(results, "greedy", measure=APART)["value"] == pytest.approx(0.04)
    table = ablation_table(results)
    assert table.loc[table["measure"] == APART, "group"].tolist() == [ALL, "htad"]


@pytest.mark.parametrize(
    ("ratios", "buys"),
    [
        ([1.2, 1.21, 1.19], "helps"),
        ([0.8, 0.81, 0.79], "harms"),
        ([1.2, 0.7, 1.1], "no difference seen"),
        ([1.0, 1.0, 1.0], "no difference seen"),
        ([1.2], "one seed: no interval"),
    ],
)
def test_words_are_those_of_the_interval(ratios: list[float], buys: str) -> None:
    """A piece helps where the error is higher without it."""
    found = row_of(
        results_of({("1.1", "default"): [3.0] * len(ratios), ("1.1", "best"): [3 * r for r in ratios]}), "best"
    )
    assert found["buys"] == buys
    assert np.isnan(found["low"]) == (len(ratios) == 1)


def test_rounding_is_no_difference() -> None:
    """Runs that lose the same up to the last digits are alike; what is alike in every split helps nobody."""
    losses = {("1.1", "default"): [1.0, 2.0, 3.0], ("1.1", "clusters"): [1.0 + 1e-13, 2.0 + 2e-13, 3.0 + 3e-13]}
    found = row_of(results_of(losses), "clusters")
    assert (found["value"], found["low"], found["high"]) == (1, 1, 1)
    assert (found["buys"], found["alike"]) == ("no difference seen", "3 of 3")


def test_only_splits_that_both_have_count() -> None:
    """And of all sets together only seeds that every set has; a set without the default is passed over."""
    values = {**VALUES, ("2.1", "default"): [1.0], ("2.1", "greedy"): [1.5, 7.0], ("2.3", "greedy"): [1.0]}
    results = results_of(values)
    assert row_of(results, "greedy", "2.1")["seeds"] == 1
    assert row_of(results, "greedy", "1.1")["seeds"] == 3
    whole = row_of(results, "greedy")
    assert whole["value"] == pytest.approx(3**0.5)  # of seed 1: 2 and 1.5
    assert (whole["seeds"], whole["sets"]) == (1, "helps in 1, harms in 0 of 2")
    assert "2.3" not in set(ablation_table(results)["group"])


def test_without_the_default_nothing_is_compared() -> None:
    """Nor without any run; then there is no overview and no picture."""
    for results in (pd.DataFrame(), results_of({("1.1", "greedy"): [1.0]}), results_of({("1.1", "default"): [1.0]})):
        assert ablation_table(results).empty
        assert overviews(results) == {}
        assert pictures(results, {}) == {}


def test_the_table_is_in_the_order_of_the_arms_and_comes_in_two() -> None:
    """All sets of an arm first; the overviews are those rows, and the others."""
    values = {("1.1", arm): [1.0, 2.0] for arm in ("simple", "default", "identity-alone")}
    table = ablation_table(results_of(values))
    assert table["arm"].tolist() == ["identity-alone", "identity-alone", "simple", "simple"]
    assert table["group"].tolist() == [ALL, "1.1", ALL, "1.1"]
    found = overviews(results_of(values))
    assert {name: set(one["group"]) for name, one in found.items()} == {"ablation": {ALL}, "ablation-by-set": {"1.1"}}


def test_the_picture_has_a_panel_a_set_and_numbers_beyond_its_edges() -> None:
    """Dots where the ratios are, and an arrow with the ratio where it would squeeze all others."""
    values = {
        ("1.1", "default"): [1.0, 1.0],
        ("1.1", "best"): [1.04, 1.06],
        ("1.1", "simple"): [9.0, 9.1],
        ("1.1", "clusters"): [0.3, 0.3],
        ("htad", "default"): [1.0, 1.0],
        ("htad", "best"): [1.0, 1.02],
    }
    whole, simulated, htad = plot_ablation(ablation_table(results_of(values))).axes
    assert [ax.get_title() for ax in (whole, simulated, htad)] == ["all sets", "simulation\n1.1", "htad"]
    assert [text.get_text() for text in simulated.texts] == ["← 0.30", "9.05 →"]
    places = [label.get_text() for label in whole.get_yticklabels()]
    assert places == [ARMS[arm].instead for arm in ("clusters", "best", "simple")]
    dots = [line for line in htad.lines if line.get_marker() not in {"None", None, ""}]
    assert len(dots) == 1
    assert dots[0].get_xdata()[0] == pytest.approx(1.02**0.5)
    assert dots[0].get_ydata()[0] == 1
