"""The learning rate from step to step, as the optimiser sees it."""

import math
from itertools import pairwise

import pytest

from plait.training.optimiser import Adam
from plait.training.schedule import SCHEDULES
from tiny import course, fresh_cohort, same, weights


def rates_seen(monkeypatch, **settings):
    """The learning rate at every step of a training on 30 samples in batches of 8: four steps an epoch."""
    seen, step = [], Adam.step
    monkeypatch.setattr(Adam, "step", lambda self: seen.append(self.learning_rate) or step(self))
    data, cohort = fresh_cohort()
    course(data, learning_rate=0.02, **settings).run(cohort, 1, "training")
    return seen


def test_a_constant_rate_is_the_default(monkeypatch):
    """At every step."""
    assert rates_seen(monkeypatch, epochs=3) == [0.02] * 12


def test_halving_halves_after_every_epoch(monkeypatch):
    """The first epoch has the full rate."""
    seen = rates_seen(monkeypatch, epochs=3, schedule="halving")
    assert seen == [0.02] * 4 + [0.01] * 4 + [0.005] * 4


def test_cosine_comes_down_to_one_per_cent_step_by_step(monkeypatch):
    """From the full rate at the first step to 1 % of it at the last; halfway it is their mean."""
    seen = rates_seen(monkeypatch, epochs=3, schedule="cosine")
    expected = [0.0002 + 0.0198 * (1 + math.cos(math.pi * step / 11)) / 2 for step in range(12)]
    assert seen == pytest.approx(expected, rel=1e-12)
    assert seen[0] == pytest.approx(0.02, rel=1e-12)
    assert seen[-1] == pytest.approx(0.0002, rel=1e-12)
    assert (seen[5] + seen[6]) / 2 == pytest.approx(0.0101, rel=1e-12)
    assert all(later < earlier for earlier, later in pairwise(seen))


def test_cosine_counts_on_all_epochs_also_where_training_stops_early(monkeypatch):
    """After the first of many epochs nearly all of the rate is left."""
    seen = rates_seen(monkeypatch, epochs=100, schedule="cosine", patience=1)
    assert len(seen) < 400
    assert seen[3] > 0.0199


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_only_step_has_the_full_rate(name):
    """One epoch of one step."""
    assert SCHEDULES[name](0, 1, 1) == pytest.approx(1.0, rel=1e-15)


def test_fewer_samples_an_epoch_are_fewer_steps(monkeypatch):
    """The schedule counts the steps that there are."""
    seen = rates_seen(monkeypatch, epochs=2, schedule="halving", epoch_samples=16)
    assert seen == [0.02] * 2 + [0.01] * 2


def test_one_epoch_of_halving_is_one_at_the_full_rate():
    """Bit for bit."""
    ends = []
    for schedule in ("constant", "halving"):
        data, cohort = fresh_cohort()
        course(data, epochs=1, schedule=schedule).run(cohort, 1, "training")
        ends.append(weights(cohort))
    assert same(*ends)
