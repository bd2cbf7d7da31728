"""The planted benchmark as a reproduction: what is measured, which thresholds hold, and how it ends."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tiny_study import Tiny

from plait.cli import main
from plait.cli.reproducing import lines, settle
from plait.datasets import make_planted_taps
from plait.reproduce.planted_checks import THRESHOLDS, Threshold, Tolerated, checks
from plait.reproduce.planted_data import Planted
from plait.reproduce.running import reproduce
from plait.reproduce.ssfn_planted import (
    ARMS,
    PROTOCOLS,
    Arm,
    Plan,
    PlantedProtocol,
    modules,
    repeated,
    searched,
    study,
    trained,
    unequal,
)
from plait.reproduce.study import Request

FEW = PlantedProtocol(draws=50, shortlist=2, most=2, repeats=2, epochs=12, batch_size=100)
PLAN = Plan(FEW, Request(threads=1))
NAN = float("nan")


def tried(task, operator, fit, seed=0, **how):
    return fit(Arm("tiny", task, operator, fit, **how), PLAN, seed, 0)


@pytest.fixture(scope="module")
def add():
    return tried("add", "concat", searched)


def test_a_search_is_held_against_its_oracle(add):
    """The planted pair, surely, and a grid like that of the best decisions; tables have every pair."""
    numbers = add.numbers
    assert numbers["recovered"] == numbers["pairs"] == numbers["planted_in_confidence_set"] == 1
    assert numbers["planted_frequency"] == numbers["winner_frequency"] > 0.9
    assert numbers["correlation"] > 0.97
    assert numbers["max_deviation"] < 0.1
    assert numbers["test_gain_low"] < numbers["test_gain"] < numbers["test_gain_high"]
    assert numbers["test_gain"] == pytest.approx(numbers["test_chosen"] - numbers["test_tap"])
    assert numbers["over_dense"] == pytest.approx(numbers["test_chosen"] - numbers["test_dense"])
    grid, oracle = (pd.DataFrame(add.tables[name]).T for name in ("grid", "oracle"))
    assert grid.shape == oracle.shape == (4, 4)
    assert grid.loc["a@3", "b@1"] == numbers["test_chosen"] == grid.to_numpy().max()
    assert grid.loc["a@4", "b@4"] == numbers["test_late"]
    assert numbers["max_deviation"] == pytest.approx((grid - oracle).abs().to_numpy().max())
    assert numbers["off_chance"] == pytest.approx((grid - 0.25).abs().to_numpy().max())
    assert add.tables["verdict"] == {"skew pair": {"runs": 1.0}}


def test_what_is_not_found_is_said():
    """Taps side by side on XOR: nothing is recovered, no pair is off chance."""
    numbers = tried("xor", "concat", searched).numbers
    assert numbers["recovered"] == numbers["pairs"] == 0
    assert numbers["off_chance"] < 0.1


def test_the_decoy_is_seen_in_the_first_modality():
    """Its best tap is the decoy, and the pair is found all the same."""
    numbers = tried("decoy", "concat", searched).numbers
    assert numbers["first_tap_as_planted"] == numbers["recovered"] == 1


def test_encoders_of_unequal_depths(add):
    """The same data without two taps: pairs that are left have the scores that they have among all."""
    found = tried("unequal", "concat", unequal, drawn="add")
    assert found.numbers["recovered"] == 1
    whole, part = (pd.DataFrame(one.tables["grid"]).T for one in (add, found))
    pd.testing.assert_frame_equal(part, whole[["b@1", "b@2"]])


def test_shallower_encoders_keep_the_oracle_of_what_is_left():
    """Grids and curves are cut like the taps; other modalities stay."""
    bunch = make_planted_taps("tri", "tiny", n=50, random_state=0)
    planted = Planted.of(bunch, bunch.taps)
    cut = planted.shallower("c", 2)
    assert cut.data.space.depths == {"a": 4, "b": 4, "c": 2}
    np.testing.assert_array_equal(cut.oracles["a", "c"], planted.oracles["a", "c"][:, :2])
    np.testing.assert_array_equal(cut.oracles["a", "b"], planted.oracles["a", "b"])
    assert len(cut.best_possible) == len(cut.data.space) == 16 + 8 + 8
    assert {name: len(curve) for name, curve in cut.alone.items()} == cut.data.space.depths


def test_where_fusion_is_useless_several_data_sets_are_drawn():
    """Shares over the data sets of a seed, which no other seed has."""
    found = tried("null", "concat", repeated, seed=3)
    assert found.numbers["data_sets"] == 2
    assert found.numbers["supported"] == 0
    assert found.numbers["recovered"] == 1
    assert found.tables["verdict"] == {"no supported fusion": {"runs": 2.0}}
    each = [tried("null", "concat", searched, seed=seed).numbers for seed in (6, 7)]
    assert found.numbers["test_chosen"] == pytest.approx(np.mean([one["test_chosen"] for one in each]))
    assert found.numbers["winner_frequency"] == max(one["winner_frequency"] for one in each)


def test_heads_without_a_closed_form_are_trained(add):
    """Taps side by side after twelve epochs: the planted pair, and test scores near those of ridge heads."""
    found = tried("add", "concat", trained)
    assert found.numbers["recovered"] == 1
    assert found.numbers["test_chosen"] == pytest.approx(add.numbers["test_chosen"], abs=0.06)
    assert found.numbers["correlation"] > 0.95


def test_taps_of_real_modules_come_from_a_cache():
    """Not a number differs from taps that are read online, or by encoders cut short, by more than rounding."""
    numbers = tried("modules", "concat", modules, drawn="add").numbers
    assert numbers["recovered"] == 1
    assert numbers["correlation"] > 0.97
    assert 0 <= numbers["online_apart"] < 1e-4
    assert 0 <= numbers["truncated_apart"] < 1e-5


def test_thresholds_are_of_numbers_that_their_arms_give(add):
    """Every arm is run, every way to run one gives what is asked of it; every number is what a run gives."""
    arms = {arm.name: arm for arm in ARMS}
    assert len(arms) == len(ARMS)
    of = {repeated: {"supported", "mean_winner_frequency"}, modules: {"online_apart", "truncated_apart"}}
    for one in THRESHOLDS:
        assert one.number in {*add.numbers, *of.get(arms[one.arm].fit, ())}
    assert set(PROTOCOLS) == {arm.fit for arm in ARMS}
    assert {one.arm for one in THRESHOLDS} == set(arms)


@pytest.mark.parametrize(
    ("bounds", "values", "measured", "held"),
    [
        ({"least": 0.9}, [1.0, 0.9], 0.9, True),
        ({"least": 0.9}, [1.0, 0.89], 0.89, False),
        ({"most": 0.1}, [0.1, 0.0], 0.1, True),
        ({"most": 0.1}, [0.11, 0.0], 0.11, False),
        ({"least": 0.9}, [1.0, NAN], NAN, False),
        ({"most": 0.1}, [0.0, NAN], NAN, False),
    ],
)
def test_the_worst_run_decides(bounds, values, measured, held):
    """What is undefined keeps no bound."""
    row = Threshold("arm", "number", "what", **bounds).row(pd.DataFrame({"number": values}))
    assert row["measured"] == pytest.approx(measured, nan_ok=True)
    assert row["held"] is held
    assert row["runs"] == 2


@pytest.mark.parametrize(
    ("shares", "allowed", "held"),
    [([0.1], 1, True), ([0.2], 1, False), ([0.1, 0.0, 0.1], 2, True), ([0.1, 0.1, 0.1], 2, False)],
)
def test_what_is_stated_of_twenty_is_scaled_and_rounded_up(shares, allowed, held):
    """One of 20 is one of 10 and two of 30 data sets, and the threshold says so."""
    runs = pd.DataFrame({"wrong": shares, "data_sets": 10.0})
    row = Tolerated("arm", "wrong", "what", 1, 20).row(runs)
    assert row["held"] is held
    assert row["measured"] == round(10 * sum(shares))
    assert row["threshold"].startswith(f"at most {allowed} of {10 * len(shares)} data sets")


def test_thresholds_of_what_was_not_run_are_left_out():
    """No run, no row; of one arm, its own."""
    assert checks(pd.DataFrame()).empty
    results = pd.DataFrame({"arm": ["small/diag/concat"] * 3, "recovered": [1.0, 1.0, 0.0]})
    (row,) = checks(results).to_dict("records")
    assert (row["held"], row["measured"], row["runs"]) == (False, 0.0, 3)


def test_the_study_is_every_arm_with_every_seed():
    """Seed by seed, so that a part of it is a whole benchmark."""
    made = study(Request(seeds=(4, 5)))
    assert [run.seed for run in made.runs] == [4] * len(ARMS) + [5] * len(ARMS)
    assert made.checks is checks
    assert {"full-0.95/add/concat", "small/xor/bilinear", "full/null/concat"} <= {run.arm for run in made.runs}


def limited(most):
    """A study with one threshold that holds and one that may."""

    def made(results):
        rows = [Threshold("a/x/new", "error", "error", most=float(bound)) for bound in (10, most)]
        return pd.DataFrame([one.row(results[results["arm"] == one.arm]) for one in rows])

    return replace(Tiny().study(), checks=made)


def test_thresholds_are_written_and_told(tmp_path):
    """checks.csv, one line each on standard output, and in what programs read."""
    outcome = reproduce(limited(5), tmp_path, verbose=0)
    assert pd.read_csv(tmp_path / "checks.csv")["held"].tolist() == [True, False]
    told = [line for line in lines(outcome, tmp_path) if "a/x/new: error" in line]
    assert told[-2].startswith("held      a/x/new: error: 6.0000 (at most 10 in every run); 3 run(s)")
    assert told[-1].startswith("NOT HELD  a/x/new: error: 6.0000 (at most 5 in every run)")
    assert [one["held"] for one in outcome.to_json()["checks"]] == [True, False]


def test_a_study_without_thresholds_has_none(tmp_path):
    """No file, no line, no error."""
    outcome = reproduce(Tiny().study(), tmp_path, verbose=0)
    assert not (tmp_path / "checks.csv").exists()
    assert outcome.to_json()["checks"] == []
    assert len(list(lines(outcome, tmp_path))) == 2
    settle(outcome)


def test_a_threshold_that_does_not_hold_is_an_error_that_names_it(tmp_path):
    """All that do not, and no other; none is no error."""
    settle(reproduce(limited(6), tmp_path / "good", verbose=0))
    with pytest.raises(ValueError, match=r"^1 of 2 thresholds .* do not hold: a/x/new: error: 6.0000 \(at most 5 in"):
        settle(reproduce(limited(5), tmp_path / "bad", verbose=0))


@pytest.mark.parametrize(("most", "code"), [(6, 0), (5, 1)])
def test_the_command_ends_by_its_thresholds(monkeypatch, capsys, tmp_path, most, code):
    """0 if all hold, else 1: after the page, with the threshold on standard error in one line."""
    monkeypatch.setattr("plait.cli.reproducing.study_by_name", lambda name, request: limited(most))
    monkeypatch.setattr(sys, "argv", ["plait", "reproduce", "tiny/study", "--quiet", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        main()
    said = capsys.readouterr()
    assert (stop.value.code or 0) == code
    assert said.out.endswith(f"results: {tmp_path}\n")
    assert said.err.count("\n") == code
    assert ("a/x/new: error: 6.0000 (at most 5 in every run)" in said.err) == bool(code)
