"""The number of threads is a matter of time alone: it changes no result, and is restored."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from plait.nn.cohort import Cohort
from plait.training import threads
from plait.training.threads import ThreadChoice, chosen_threads, side_by_side
from tiny import course, prepared, same

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


def used_by(choice, steps):
    """The number of threads of each of so many steps."""
    found = []
    for _ in range(steps):
        with choice.step():
            found.append(torch.get_num_threads())
    return found


@pytest.mark.parametrize("fast", [1, 2])
def test_the_faster_number_is_used(clock, fast):
    """But for a few trials of the other."""
    clock[fast] = 0.1
    choice = ThreadChoice(2)
    used_by(choice, 20)
    assert used_by(choice, 200).count(fast) >= 190


def test_the_choice_follows_the_machine(clock):
    """Two threads are faster, until another program needs the second core."""
    clock[2] = 0.5
    choice = ThreadChoice(2)
    used_by(choice, 100)
    clock[2] = 3.0
    used_by(choice, 100)
    assert used_by(choice, 200).count(1) >= 190


def test_trials_of_a_hopeless_number_cost_little(clock):
    """Two orders of magnitude slower: a few percent of the time in the long run."""
    clock[2] = 100.0
    used = used_by(ThreadChoice(2), 5000)
    assert sum(100 for count in used if count == 2) < 0.05 * 5000


def test_with_one_thread_at_most_nothing_is_timed(monkeypatch):
    """The number is left alone."""
    monkeypatch.setattr(threads, "time", None)
    assert used_by(ThreadChoice(1), 9) == [2] * 9


@pytest.mark.parametrize("number", [None, 1, 2, 3])
def test_the_number_is_restored(number):
    """Also when training fails."""
    _, planned = prepared()
    within = []
    with pytest.raises(KeyError):
        fail_within(number, Cohort(planned), within)
    assert within == [number or 2]
    assert torch.get_num_threads() == 2


def fail_within(number, module, within):
    with chosen_threads(number, CPU, module):
        within.append(torch.get_num_threads())
        raise KeyError


CASES = {
    "cohort": {"labels": ("identity", "pca-2", "encoder-3", "null"), "rhos": (0.0, 0.99), "dropout": 0.2},
    "classes": {"task": "classification", "outputs": 7, "labels": ("identity", "pca-2", "null"), "rhos": (0.0, 3.0)},
    "linear": {"hidden": (), "labels": ("identity", "pca-2", "null")},
    "wide cohort": {
        "shapes": {"a": (3000,), "b": (3,)},
        "labels": {"a": ("identity", "pca-9"), "b": ("identity", "null")},
    },
}
ONE_WIDE = {"shapes": {"a": (3000,)}, "labels": ("identity",), "hidden": (64,)}


def trained(case, epochs, **settings):
    """All weights after so many epochs of two steps."""
    data, planned = prepared(**case)
    lesson = course(data, precision="float32", epochs=epochs, batch_size=16, **settings)
    lesson.run(Cohort(planned), 1, "training")
    return lesson.runs[0]["epochs"][-1]["state"]


@pytest.mark.parametrize("case", CASES)
def test_cohorts_end_the_same_with_any_number_of_threads(case):
    """Bit for bit with one and with two."""
    assert same(trained(CASES[case], 3, threads=1), trained(CASES[case], 3, threads=2))


def looped():
    torch.manual_seed(0)
    module = nn.Linear(3000, 64)
    return {"shapes": {"a": (3000,)}, "labels": ("module",), "hidden": (8,), "encoders": {"a": module}}


@pytest.mark.parametrize("case", [*CASES, "one wide network", "a user's wide module"])
def test_the_clock_decides_nothing_but_time(case, clock):
    """On a machine where one thread is faster and where two are, the numbers are the same, bit for bit."""
    chosen = {**CASES, "one wide network": ONE_WIDE, "a user's wide module": looped()}[case]
    clock[1] = 0.5
    one = trained(chosen, 10, threads=None)
    clock[1] = 2.0
    assert same(one, trained(chosen, 10, threads=None))


def test_a_single_small_network_uses_one_thread_and_a_large_one_all(clock):
    """By its size, since the clock must not decide."""
    clock[2] = 0.1
    for width, expected in ((10, 1), (1_100_000, 2)):
        _, planned = prepared(shapes={"a": (width,)}, labels=("identity",), hidden=())
        with chosen_threads(None, CPU, Cohort(planned)) as choice:
            assert used_by(choice, 20) == [expected] * 20


@pytest.mark.parametrize("number", [1, 2])
def test_side_by_side_the_numbers_are_those_of_one_thread(number):
    """In the order of the items, whatever torch's number of threads, which is restored."""
    made = [torch.randn(200, 12, generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = [torch.linalg.eigh(values @ values.T)[1] for values in made]
    torch.set_num_threads(number)
    try:
        found = side_by_side(lambda values: torch.linalg.eigh(values @ values.T)[1], made)
        assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(found, alone, strict=True))


def test_side_by_side_an_error_is_told():
    """That of the first item that has one; the number of threads is restored all the same."""
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda number: 1 / number, [1, 0, 2])
    assert torch.get_num_threads() == before
