"""Good teachers, none and the worst: cohorts, teachers, errors of each student, and what stands beside them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from plait.data.spec import DataSpec
from plait.methods.meta import MetaFusion
from plait.nn.screening import screen
from plait.reproduce.meta_fusion_checks import negative_checks
from plait.reproduce.meta_fusion_negative import PROTOCOL, STUDENTS, Plan, published, student_outputs, study, ways
from plait.reproduce.meta_fusion_numbers import NEGATIVE
from plait.reproduce.meta_fusion_simulations import load
from plait.reproduce.negative_picture import pictures, plot_students
from plait.reproduce.study import Found, Request

TINY = replace(PROTOCOL, samples=300, hidden=(4,), epochs=2, rhos=(0.0, 1.0, 10.0))
ARMS = [
    "independent",
    *(f"{kind}{rho}" for kind in ("clustering", "adversarial") for rho in ("/rho-1", "/rho-3", "/rho-5", "")),
    "chosen",
]


@cache
def tried(arm: str) -> Found:
    """A run of a tiny cohort of the same seven students."""
    return Plan(TINY, 1, cache(load)).run(arm, 1).fit(0)


def test_every_seed_has_every_kind_of_teachers() -> None:
    """Nobody, the best and the worst at every rho, the largest without a name, and the published choice."""
    made = study(Request(seeds=(2, 9)))
    assert [run.name for run in made.runs] == [f"{arm}/{seed}" for seed in (2, 9) for arm in ARMS]
    assert made.settings["epochs"] == 30


def test_the_cohort_is_the_small_one_of_the_paper() -> None:
    """Seven students in the authors' order."""
    spec = DataSpec({"m0": (2000,), "m1": (400,)}, 1, "regression")
    net = ways(PROTOCOL)["chosen"].method(PROTOCOL).build(spec)
    names = [student.name for student in net.cohort.plan.students]
    assert names[:2] == ["m0:pca-80 + m1:pca-60", "m0:pca-80"]
    assert names[-1] == "m1:pca-60"
    assert len(names) == len(STUDENTS) == 7


def test_rho_is_fixed_and_students_begin_anew_but_in_the_published_choice() -> None:
    """The adversarial study starts every rho from the initial weights."""
    found = {arm: way.method(PROTOCOL) for arm, way in ways(PROTOCOL).items()}
    assert (found["clustering"].rhos, found["clustering"].teachers) == ((10.0,), "clustering")
    assert (found["adversarial/rho-3"].rhos, found["adversarial/rho-3"].teachers) == ((3.0,), "worst")
    assert {arm for arm, one in found.items() if one.init == "paper"} == {"chosen"}
    same = replace(MetaFusion.paper(PROTOCOL.extractors, PROTOCOL.hidden, rhos=PROTOCOL.rhos), screening="exact")
    assert found["chosen"].get_params() == same.get_params()


@pytest.mark.parametrize("arm", ["independent", "clustering", "adversarial"])
def test_who_teaches_is_told(arm: str) -> None:
    """Nobody, the best or the worst cluster of the losses alone, which are the same in all three."""
    table = pd.DataFrame(tried(arm).tables["students"]).T
    alone = table["independent_loss"].to_numpy()
    screening = screen(alone)
    teachers = {"independent": [], "clustering": screening.top.tolist(), "adversarial": screening.worst.tolist()}[arm]
    assert np.flatnonzero(table["teaches"]).tolist() == teachers
    assert tried(arm).numbers["teachers"] == len(teachers)
    np.testing.assert_array_equal(alone, pd.DataFrame(tried("clustering").tables["students"]).T["independent_loss"])


def test_bad_teachers_change_what_students_say() -> None:
    """Errors differ between the arms, student by student; each is a number of the run."""
    good, bad = (tried(arm) for arm in ("clustering", "adversarial"))
    assert all(good.numbers[name] != bad.numbers[name] for name in STUDENTS)
    for found in (good, bad):
        errors = [found.numbers[name] for name in STUDENTS]
        assert found.numbers["mse"] == pytest.approx(np.mean(errors))
        assert [found.tables["students"][name]["mse"] for name in STUDENTS] == errors
        assert found.numbers["best_single"] in errors


def test_the_weighted_students_are_the_model() -> None:
    """What students say by themselves, averaged by their weights, is what the fitted model predicts."""
    rows = load("negative-learning", 300, 1)
    model = Plan(TINY, 1, load).model(ways(TINY)["chosen"], rows).set_params(random_state=1)
    model.fit(rows.data, rows.target)
    outputs = student_outputs(model, rows.test)
    assert outputs.shape == (7, len(rows.test))
    weights = model.cohort_["weight"].to_numpy()
    np.testing.assert_allclose(weights @ outputs / weights.sum(), model.predict(rows.test), atol=1e-6)


def test_the_authors_run_stands_beside_its_own_seed_alone() -> None:
    """Seven students and their mean for three kinds of teachers, and the rho that was chosen."""
    found = published(pd.DataFrame({"seed": [1, 2]})).set_index(["method", "metric"])["value"]
    assert len(found) == 3 * 8 + 1
    assert found["the worst cluster teaches, rho 10", "(0,60)"] == 54.59
    assert found["nobody teaches", "mse"] == pytest.approx(NEGATIVE.of("independent").loc[1].mean())
    assert found["the best cluster teaches, rho chosen by validation", "rho"] == 5
    assert published(pd.DataFrame({"seed": [2]})).empty
    assert published(pd.DataFrame()).empty


def results_of(rows: list[tuple[str, int, float, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["arm", "seed", "mse", "best_cluster"])


def test_thresholds_compare_means_seed_by_seed() -> None:
    """The authors' seven alone have 79.32 on average; a seed of which an arm is missing does not count there."""
    rows = [("independent", 1, 80.0, 60.0), ("clustering", 1, 76.0, 50.0), ("adversarial", 1, 90.0, 55.0)]
    found = negative_checks(results_of([*rows, ("independent", 2, 300.0, 60.0)]))
    assert found["measured"].tolist() == pytest.approx([80 / 79.322857, 0.95, 1.1])
    assert found["held"].tolist() == [True, True, True]
    assert found["runs"].tolist() == [1, 1, 1]
    assert found["threshold"].str.partition(",")[0].tolist() == ["0.9 to 1.1", "at most 1", "at least 1"]


def test_thresholds_may_fail_or_be_missing() -> None:
    """Good teachers that harm, bad ones that help; nothing without runs."""
    rows = [("independent", 2, 80.0, 60.0), ("clustering", 2, 81.0, 50.0), ("adversarial", 2, 70.0, 49.0)]
    assert negative_checks(results_of(rows))["held"].tolist() == [False, False]
    assert negative_checks(pd.DataFrame()).empty


def long(errors: dict[tuple[str, int], float]) -> pd.DataFrame:
    """The table of the runs: all students have the same error, the first one teaches."""
    rho = {"independent": 0.0, "clustering/rho-1": 1.0}
    rows = [
        (arm, seed, name, column, value)
        for (arm, seed), error in errors.items()
        for name in STUDENTS
        for column, value in (("mse", error), ("teaches", name == STUDENTS[0]), ("rho", rho.get(arm, 10.0)))
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "row", "column", "value"]).astype({"value": float})


def test_the_picture_has_the_changes_of_the_same_seed() -> None:
    """From 50 to 55 and from 100 to 90: no change on average; columns from none to worst, by rho; authors beside."""
    table = long(
        {
            **{("adversarial", seed): 60.0 for seed in (1, 2)},
            **{("clustering", seed): error for seed, error in ((1, 55.0), (2, 90.0))},
            ("clustering/rho-1", 1): 50.0,
            **{("independent", seed): error for seed, error in ((1, 50.0), (2, 100.0))},
        }
    )
    ours, theirs, _ = plot_students(table).axes
    assert [label.get_text() for label in ours.get_xticklabels()] == ["none\n", "best\n1", "best\n10", "worst\n10"]
    assert np.asarray(ours.collections[0].get_array()).ravel()[:4] == pytest.approx(np.array([0, 0, 0, -10]))
    assert [text.get_text() for text in ours.texts[:4]] == ["75.0", "50.0", "72.5", "60.0"]
    assert theirs.texts[1].get_text() == "53.3"
    assert [text.get_fontweight() for text in theirs.texts[:3]] == ["normal", "bold", "normal"]


def test_without_the_authors_seed_they_are_not_drawn() -> None:
    """Nor is anything where there is no run without teachers."""
    assert len(plot_students(long({("independent", 2): 50.0})).axes) == 2
    assert pictures(pd.DataFrame(), {"students": long({("clustering", 1): 50.0})}) == {}
