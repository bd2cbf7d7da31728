"""What a waiting user sees of a training."""

import io

import pytest
import torch

from plait.training import progress
from plait.training.progress import EpochBar
from tiny import course, fresh_cohort


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 1000.0

    def perf_counter(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    return found


def test_a_long_epoch_moves_the_bar(clock):
    """After two seconds of standing still, by the share of the steps that are done; then it counts the epoch."""
    with EpochBar(10, "training", 1) as bar:
        places = []
        for second, share in enumerate((0.11, 0.222, 0.333, 0.444, 0.555), start=1):
            clock.now = 1000.0 + second
            bar.within(share)
            places.append(bar.bar.n)
        bar.end(1.0, 2.0)
        clock.now += 2.5
        bar.within(0.1)
    assert places == [0, 0, 0.33, 0.33, 0.33]
    assert bar.bar.n == 1.1


def test_short_epochs_are_counted_one_by_one(clock):
    """Within them the bar stands still."""
    with EpochBar(3, "training", 1) as bar:
        for epoch in range(3):
            for share in (0.25, 0.5, 1.0):
                clock.now += 0.1
                bar.within(share)
                assert bar.bar.n == epoch
            bar.end(1.0, 2.0)
    assert bar.bar.n == 3


def test_the_time_left_and_the_losses_are_shown(monkeypatch):
    """As "elapsed<left", beside the place within the epoch."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "_LONG", -1.0)
    with EpochBar(4, "rho 3", 1) as bar:
        bar.bar.mininterval = 0.0
        bar.within(0.5)
        bar.end(0.25, 0.5)
    shown = terminal.getvalue()
    assert "rho 3" in shown
    assert "0.5/4" in shown
    assert "1/4" in shown
    assert "loss=0.25, validation=0.5" in shown
    assert shown.count("<") >= 2


def test_training_tells_the_bar_how_far_it_is(monkeypatch):
    """After every step its share of the epoch: four steps in two epochs."""
    told = []
    monkeypatch.setattr(EpochBar, "within", lambda self, share: told.append(share))
    data, cohort = fresh_cohort()
    course(data, epochs=2).run(cohort, 1, "training")
    assert told == [0.25, 0.5, 0.75, 1.0] * 2


def test_a_silent_bar_moves_nowhere_within_an_epoch(clock):
    """And costs nothing."""
    with EpochBar(3, "training", 0) as bar:
        clock.now += 100
        bar.within(0.5)
        assert bar.bar.n == 0


def test_the_bar_changes_no_number():
    """The same losses with it and without."""
    losses = []
    for verbose in (0, 1):
        data, cohort = fresh_cohort()
        lesson = course(data)
        object.__setattr__(lesson, "verbose", verbose)
        losses.append(lesson.run(cohort, 1, "training").losses)
    assert torch.equal(*losses)
