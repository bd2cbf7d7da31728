"""Successive halving: who stops, what stays of them, and what it is without halvings."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from plait.nn.cohort import Cohort
from plait.training.mutual_learning import MutualLearning, _Schedule, learn
from plait.training.racing import better_half, race, race_strengths
from plait.training.rungs import rung_ends
from tiny import close, course, fresh_cohort, judged_at, of_unit, prepared, same, weights

LABELS = {"a": ("identity", "pca-2", "null"), "b": ("identity", "encoder-2", "null")}
NOBODY = np.zeros(0)


def test_rungs_are_halves_of_the_epochs_and_none_is_shorter_than_five():
    assert rung_ends(100, 3) == (12, 25, 50)
    assert rung_ends(16, 3) == (8,)
    assert rung_ends(9, 3) == ()
    assert rung_ends(100, 0) == ()


@pytest.mark.parametrize(
    ("losses", "others", "stay", "left"),
    [
        ([3.0, 1.0, 2.0, 4.0], [], [False, True, True, False], []),
        ([3.0, 1.0, 2.0], [], [False, True, True], []),
        ([3.0, 4.0], [1.0, 2.0], [False, False], [True, True]),
        ([1.0, 4.0], [1.0, 9.0], [True, False], [True, False]),
        ([1.0, 1.0, 1.0], [], [True, True, True], []),
        ([np.inf, 2.0, np.inf], [3.0], [False, True, False], [False]),
        ([np.inf, np.inf], [], [True, True], []),
    ],
)
def test_the_better_half_is_of_everybody(losses, others, stay, left):
    """Rounded up, with all that are as good as the last; those never judged leave first."""
    found = better_half(np.array(losses), np.array(others))
    assert found[0].tolist() == stay
    assert found[1].tolist() == left


@pytest.mark.parametrize("folds", [1, 3])
def test_a_part_of_a_cohort_has_its_weights_and_says_the_same(folds):
    data, cohort = fresh_cohort(LABELS, folds=folds)
    students = torch.tensor([1, 4, 6])
    part, batch = cohort.part(students), data.samples
    whole = cohort(batch.features, batch.present).unflatten(0, (folds, cohort.count))
    torch.testing.assert_close(part(batch.features, batch.present).unflatten(0, (folds, 3)), whole[:, students])


def test_what_a_part_learned_comes_back_for_the_units_that_are_taken():
    """All others stay as they are, bit for bit."""
    _, cohort = fresh_cohort(LABELS, folds=2)
    before, students = weights(cohort), torch.tensor([1, 4, 6])
    part = cohort.part(students)
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.add_(1)
    cohort.take_part(part, cohort.units_at(students), torch.tensor([[True, False, True], [False, True, True]]))
    after = weights(cohort)
    for unit in range(cohort.units):
        moved = unit in {1, 6, cohort.count + 4, cohort.count + 6}
        gain = {name: values + moved for name, values in of_unit(cohort, before, unit).items()}
        close(of_unit(cohort, after, unit), gain, 0 if not moved else 1e-12)


def raced(halvings, others=NOBODY, epochs=24, **choices):
    data, planned = prepared(LABELS, **choices)
    cohort, lesson = Cohort(planned).double(), course(data, epochs=epochs)
    return cohort, race(cohort, lesson, halvings, np.asarray(others), keep_moments=False), lesson.runs


def test_without_halvings_it_is_one_run_of_training():
    cohort, found, runs = raced(0)
    assert len(runs) == 1
    assert found.remaining.tolist() == list(range(cohort.count))


@pytest.mark.parametrize("folds", [1, 3])
def test_half_of_the_students_go_on_after_each_rung(folds):
    """Eight students: eight for 6 epochs, four for 6, two for 12; the history counts the epochs of all."""
    _, found, runs = raced(2, folds=folds)
    assert [run["module"].count for run in runs] == [8, 4, 2]
    assert found.result.history.epoch.tolist() == list(range(24))
    assert len(found.remaining) == 2
    assert set(found.result.history.phase) == {"rho 0"}


def test_everybody_ends_with_the_weights_of_its_lowest_loss():
    """Those who stopped too; the loss is that of these weights."""
    cohort, found, _ = raced(2)
    data, _ = prepared(LABELS)
    batch = data.samples.rows(data.validation)
    outputs = cohort(batch.to(torch.device("cpu"), torch.float64).features, batch.present)
    losses = (outputs - batch.target.double()).square().mean((1, 2))
    torch.testing.assert_close(losses.detach(), found.result.losses, rtol=1e-9, atol=0)


def test_students_of_other_kinds_push_networks_out():
    """Two networks are left of eight where the best six of fourteen are others; none where all others are better."""
    _, some, _ = raced(1)
    assert len(some.remaining) == 4
    _, none, runs = raced(2, others=[1e-9] * 9)
    assert not len(none.remaining)
    assert len(runs) == 1
    assert np.isfinite(none.result.losses.numpy()).all()


def test_rho_is_trained_by_those_who_remain_and_all_are_in_the_cohort():
    data, planned = prepared(LABELS)
    lesson = course(data, epochs=24)
    found = learn(planned, MutualLearning(rhos=(0.0, 1.0), halvings=1), lesson)
    assert [run["module"].count for run in lesson.runs] == [8, 4, 4]
    assert found.cohort.count == 8
    together = lesson.runs[-1]
    assert together["module"].plan.rhos == (1.0,)
    remaining = [planned.students.index(student) for student in together["module"].plan.students]
    assert set(found.top.tolist()) <= set(remaining)
    if found.rho == 1.0:
        assert same(weights(found.cohort.part(torch.tensor(remaining))), weights(together["module"]))
    others = [place for place in range(8) if place not in remaining]
    assert found.losses[others] == pytest.approx(found.independent[others], abs=0)


def test_networks_that_all_stopped_learn_together_only_where_rho_zero_may_not_be_chosen():
    data, planned = prepared(LABELS)
    how, left = MutualLearning(rhos=(0.0, 1.0), halvings=1), judged_at([1e-9] * 9, data)
    lesson = course(data, epochs=12)
    assert learn(planned, how, lesson, left).rho == 0
    assert len(lesson.runs) == 1
    lesson = course(data, epochs=12)
    assert learn(planned, replace(how, rhos=(1.0,)), lesson, left).rho == 1
    assert [run["module"].count for run in lesson.runs] == [8, 8]


def test_the_published_start_needs_all_students():
    with pytest.raises(ValueError, match="halvings=0"):
        MutualLearning(init="paper", halvings=1).check()


def strengths_raced(zero, rhos=(0.5, 1.0), halvings=2, top=(0, 3), **choices):
    data, planned = prepared(LABELS, rhos=rhos, **choices)
    cohort, lesson = Cohort(planned).double(), course(data, epochs=24)
    seen = []

    def schedule(part, start):
        seen.append((part.plan.rhos, part.teachers.tolist(), start))
        return lambda epochs, losses: None

    cohort.teachers.copy_(torch.arange(cohort.count) / 28)
    found = race_strengths(cohort, lesson, halvings, zero, np.array(top), schedule)
    return cohort, found, lesson.runs, seen


def test_half_of_the_strengths_go_on_after_each_rung():
    """Three of them, rho = 0 the best at every rung: one goes on after 6 epochs, none after 12."""
    _, found, runs, seen = strengths_raced((0.0, 0.0))
    assert [len(run["module"].plan.rhos) for run in runs] == [2, 1]
    assert found.history.epoch.tolist() == list(range(12))
    assert set(found.history.phase) == {"rho 0.5, 1"}
    assert [start for _, _, start in seen] == [0, 6]
    np.testing.assert_allclose(seen[1][1], np.arange(8)[None] / 28, rtol=1e-6)  # teachers go with the students


@pytest.mark.parametrize("zero", [(), (1e9, 1e9)])
@pytest.mark.parametrize("folds", [1, 3])
def test_the_strength_that_teaches_the_screened_best_is_trained_to_the_end(zero, folds):
    """Also where rho = 0 does not compete, or is worse."""
    _, found, _, seen = strengths_raced(zero, folds=folds)
    losses = found.losses.reshape(2, folds, 8)[:, :, [0, 3]].mean((1, 2))
    assert seen[-1][0] == ((0.5, 1.0)[int(losses.argmin())],)
    assert found.history.epoch.tolist() == list(range(24))
    assert np.isfinite(found.losses.numpy()).all()


def test_everybody_ends_with_the_weights_of_its_lowest_loss_at_every_strength():
    """Those that stopped too."""
    cohort, found, _, _ = strengths_raced((0.0, 0.0))
    data, _ = prepared(LABELS)
    batch = data.samples.rows(data.validation)
    outputs = cohort(batch.to(torch.device("cpu"), torch.float64).features, batch.present)
    losses = (outputs - batch.target.double()).square().mean((1, 2))
    torch.testing.assert_close(losses.detach(), found.losses, rtol=1e-9, atol=0)


@pytest.mark.parametrize(("rhos", "halvings"), [((0.5, 1.0), 0), ((1.0,), 2)])
def test_strengths_without_rivals_or_halvings_are_one_run(rhos, halvings):
    _, found, runs, _ = strengths_raced((), rhos, halvings)
    assert len(runs) == 1
    assert found.history.epoch.tolist() == list(range(24))


def test_a_burn_in_goes_on_over_rungs():
    """Eight epochs alone: six in the first rung and two in the second."""
    _, cohort = fresh_cohort(LABELS, rhos=(1.0,))
    later = _Schedule(MutualLearning(burn_in=8), cohort, 6)
    assert not cohort.rhos.any()
    later(1, torch.zeros(8))
    assert not cohort.rhos.any()
    later(2, torch.zeros(8))
    assert cohort.rhos.tolist() == [1.0]
