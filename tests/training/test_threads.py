"""The number of threads is a matter of time alone: it changes no result, and is restored."""

from types import SimpleNamespace

import pytest
import torch
from tiny import cached, course, plan, samples, weights
from torch import nn

from plait.nn.cohort import Cohort
from plait.training import threads
from plait.training.threads import ThreadChoice, chosen_threads

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads():
    """Two threads, whatever the machine has; restored after the test."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def clock(monkeypatch):
    """A clock by which a step takes what the test says for each number of threads."""
    seconds, now = {1: 1.0, 2: 1.0}, [0.0]

    def tick():
        now[0] += seconds[torch.get_num_threads()]
        return now[0]

    monkeypatch.setattr(threads, "time", SimpleNamespace(perf_counter=tick))
    return seconds


def prepared(task="regression", outputs=1, labels=("identity", "null"), **choices):
    """Cached samples and a fresh cohort."""
    data = samples(task, outputs, shapes=choices.pop("shapes", {"a": (5,), "b": (2, 3)}), encoders=choices.pop("encoders", None))
    planned = plan(data, labels, **choices)
    return cached(data, planned), planned


@pytest.mark.parametrize("fast", [1, 2])
def test_the_faster_number_is_kept(clock, fast):
    """After a first step and three with each number the choice stands."""
    clock[fast] = 0.5
    choice, used = ThreadChoice(2), []
    for _ in range(12):
        with choice.step():
            used.append(torch.get_num_threads())
    assert sorted(used[1:7]) == [1, 1, 1, 2, 2, 2]
    assert used[7:] == [fast] * 5


def test_one_thread_at_most_needs_no_choice(clock):
    """Nothing is timed."""
    choice = ThreadChoice(1)
    with choice.step():
        assert not choice.seconds


@pytest.mark.parametrize("number", [None, 1, 2, 3])
def test_the_number_is_restored(number):
    """Also when training fails."""
    _, planned = prepared()
    with pytest.raises(KeyError), chosen_threads(number, CPU, Cohort(planned)):
        assert torch.get_num_threads() == (number or 2)
        raise KeyError
    assert torch.get_num_threads() == 2


CASES = {
    "cohort": {"labels": ("identity", "pca-2", "encoder-3", "null"), "rhos": (0.0, 0.99), "dropout": 0.2},
    "classes": {"task": "classification", "outputs": 7, "labels": ("identity", "pca-2", "null"), "rhos": (0.0, 3.0)},
    "linear": {"hidden": (), "labels": ("identity", "pca-2", "null")},
    "wide cohort": {"shapes": {"a": (3000,), "b": (3,)}, "labels": {"a": ("identity", "pca-9"), "b": ("identity", "null")}},
}
ONE_WIDE = {"shapes": {"a": (3000,)}, "labels": ("identity",), "hidden": (64,)}


def trained(case, **settings):
    """All weights after two epochs."""
    data, planned = prepared(**case)
    cohort = Cohort(planned)
    course(data, precision="float32", epochs=2, batch_size=16, **settings).run(cohort, 1, "training")
    return weights(cohort)


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("case", CASES)
def test_cohorts_end_the_same_with_any_number_of_threads(case):
    """Bit for bit with one and with two."""
    assert same(trained(CASES[case], threads=1), trained(CASES[case], threads=2))


def looped():
    torch.manual_seed(0)
    module = nn.Linear(3000, 64)
    return {"shapes": {"a": (3000,)}, "labels": ("module",), "hidden": (8,), "encoders": {"a": module}}


@pytest.mark.parametrize("case", [*CASES, "one wide network", "a user's wide module"])
def test_the_clock_decides_nothing_but_time(case, clock):
    """On a machine where one thread is faster and where two are, the numbers are the same, bit for bit."""
    chosen = {**CASES, "one wide network": ONE_WIDE, "a user's wide module": looped()}[case]
    clock[1] = 0.5
    one = trained(chosen, threads=None)
    clock[1] = 2.0
    assert same(one, trained(chosen, threads=None))


def test_a_single_small_network_uses_one_thread_and_a_large_one_all():
    """By its size, since the clock must not decide."""
    for width, expected in ((10, 1), (1_100_000, 2)):
        _, planned = prepared(shapes={"a": (width,)}, labels=("identity",), hidden=())
        with chosen_threads(None, CPU, Cohort(planned)) as choice:
            assert torch.get_num_threads() == expected
            assert not choice.seconds
