"""Five statements about mutual learning as a reproduction: what is measured, checked and drawn."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plait.reproduce import theory_imitation as imitation
from plait.reproduce.meta_fusion_theory import SAYS, THRESHOLDS, Plan, study
from plait.reproduce.planted_checks import checks
from plait.reproduce.running import reproduce
from plait.reproduce.study import Found, Request
from plait.reproduce.tables import long_table
from plait.reproduce.theory_curves import COLUMNS, Curve, table_of
from plait.reproduce.theory_picture import NAMES, plot_theory, points_of
from plait.reproduce.theory_statements import TheoryProtocol

TINY = TheoryProtocol((0.0, 0.1, 0.25, 0.99), draws=10, labels=200, data_sets=30, epochs=120, learning_rate=0.2)


@cache
def tried() -> dict[str, Found]:
    """Every statement with one seed."""
    plan = Plan(TINY, threads=1)
    return {arm: plan.run(arm, 0).fit(0) for arm in SAYS}


def test_every_statement_is_run_with_every_seed() -> None:
    """Seed by seed, so that students are trained once; thresholds are of statements that there are."""
    made = study(Request(seeds=(4, 5)))
    assert [run.name for run in made.runs] == [f"{arm}/{seed}" for seed in (4, 5) for arm in SAYS]
    assert {one.arm for one in THRESHOLDS} == set(SAYS)


def test_trained_students_end_at_the_closed_form() -> None:
    """T1: those of the cohort, and the shares of directions that all, some or no teachers can express."""
    found = tried()["T1"]
    assert found.numbers["distance"] < 0.02
    shares = pd.DataFrame(found.tables["curves"]).T
    assert shares.loc["in all teachers at 0.99", "measured"] == pytest.approx(1.0, abs=0.02)
    assert shares.loc["in none at 0.99", "formula"] == pytest.approx(1 / 1.99)


@pytest.mark.parametrize("arm", ["T2", "T3", "T4", "T5"])
def test_what_is_measured_is_what_the_formulas_say(arm: str) -> None:
    """Within five standard errors of few draws."""
    numbers = tried()[arm].numbers
    assert 0 < numbers["away"] < 5
    assert 0 < numbers["distance"] < 0.2


def test_consequences_of_the_statements() -> None:
    """Variance falls, slopes are those of the formula, bad teachers harm, ambiguity is exact."""
    found = {arm: one.numbers for arm, one in tried().items()}
    assert found["T2"]["rise"] < 0
    assert found["T3"]["slope_away"] < 5
    assert found["T4"]["over_best"] < 1.05
    assert found["T4"]["harm"] > 0
    assert found["T5"]["inexact"] < 1e-9


def test_new_samples_stand_beside_known_values() -> None:
    """Risks of 30 data sets are far less sure than the reference of 300, and near it."""
    found = tried()["new-samples"]
    assert found.numbers["away"] < 5
    rows = pd.DataFrame(found.tables["curves"]).T
    assert rows.loc["redundant, student 3 at 3", "reference"] == 0.902
    assert set(NAMES) <= {name.partition(" at ")[0] for name in rows.index}


def test_a_seed_draws_other_labels() -> None:
    """Formulas stay; what is measured does not."""
    one, other = (pd.DataFrame(Plan(TINY).run("T5", seed).fit(0).tables["curves"]).T for seed in (0, 1))
    np.testing.assert_array_equal(one["formula"], other["formula"])
    assert (one["measured"].dropna() != other["measured"].dropna()).any()


def test_risks_of_imitators_are_counted_in_label_noise() -> None:
    """Three equal students: 1 alone, a third for their mean; R_i, R_C and G say the same."""
    one = imitation.stories(300, 0)[imitation.EQUAL]
    assert one.expected == pytest.approx((1, 1 / 3, 1 / 3))
    single, ensemble, _ = one.decomposed((0.0, 3.0))
    assert single[0].mean() == pytest.approx(1, abs=0.1)
    assert ensemble.mean(1) == pytest.approx([1 / 3] * 2, abs=0.05)


def test_a_curve_knows_how_far_its_points_are() -> None:
    """Two draws a point: 1 and 3 (2, standard error 1), 5 and 5 (5, none); the formula says 1 + rho."""
    curve = Curve.of_draws("c", (0.0, 3.0), np.array([[1.0, 3.0], [5.0, 5.0]]), lambda rho: 1 + rho, slope=2.0)
    assert (curve.distance, curve.away) == (1.0, 1.0)
    rows = pd.DataFrame(curve.rows()).T
    assert rows.loc["c at 3", ["measured", "formula", "tangent"]].tolist() == [5, 4, 6]
    assert rows.loc["c along 0"].isna()[["measured", "error"]].all()
    assert tuple(rows.columns) == COLUMNS
    assert Curve("d", (0.0,), np.ones(1), np.ones(1), reference=(2.0,)).rows()["d at 0"]["reference"] == 2


def curves_of(runs: list[tuple[str, int, float, float]]) -> pd.DataFrame:
    """The long table of runs of an arm, one point each: arm, seed, measured, error."""
    rows = []
    for arm, seed, measured, error in runs:
        curve = Curve("c", (0.5,), np.array([measured]), np.array([error]), lambda rho: rho)
        rows += [
            (f"{arm}/{seed}", arm, seed, row, column, value)
            for row, cells in table_of([curve]).items()
            for column, value in cells.items()
        ]
    return pd.DataFrame(rows, columns=["run", "arm", "seed", "row", "column", "value"])


def test_seeds_are_put_together_as_repetitions() -> None:
    """The mean, and the error of twice as many; lines in between stay."""
    points = points_of(curves_of([("T2", 1, 1.0, 0.3), ("T2", 2, 2.0, 0.3)]))
    (dot,) = points[points["measured"].notna()].to_dict("records")
    assert (dot["measured"], dot["error"]) == (1.5, pytest.approx(0.3 / 2**0.5))
    assert (dot["curve"], dot["share"]) == ("c", pytest.approx(1 / 3))
    assert len(points) == 41
    assert points["rho"].is_monotonic_increasing


def test_every_statement_has_a_panel() -> None:
    """Dots and lines of those that were run, an empty one for the others."""
    figure = plot_theory(points_of(curves_of([("T2", 1, 1.0, 0.3)])))
    titles = [ax.get_title(loc="left")[:2] for ax in figure.axes]
    assert titles == ["T1", "T2", "T3", "T4", "T5", "T1"]
    assert [len(ax.containers) for ax in figure.axes] == [0, 1, 0, 0, 0, 0]


def test_the_picture_and_the_thresholds_are_written(tmp_path: Path) -> None:
    """All panels filled; curves, thresholds and page beside."""
    made = study(Request(seeds=(0,)), TINY)
    known = tried()
    runs = tuple(replace(run, fit=lambda _verbose, arm=run.arm: known[arm]) for run in made.runs)
    outcome = reproduce(replace(made, runs=runs), tmp_path, verbose=0)
    assert {"theory.svg", "curves.csv", "checks.csv", "summary.md"} <= {one.name for one in tmp_path.iterdir()}
    assert len(outcome.checks) == len(THRESHOLDS)
    assert all(ax.containers for ax in outcome.pictures["theory"].axes)
    assert len(long_table(outcome.stored, "curves")) == sum(
        len(one.tables["curves"]) * len(COLUMNS) for one in known.values()
    )


def test_a_statement_that_does_not_hold_is_told() -> None:
    """A student whose trained fit is off, and a variance that rises."""
    results = pd.DataFrame({"arm": ["T1", "T2"], "distance": [1e-3, 0.0], "away": [np.nan, 1.0], "rise": [np.nan, 0.1]})
    told = checks(results, [one for one in THRESHOLDS if one.arm in ("T1", "T2")])
    assert told["held"].tolist() == [False, True, False]
