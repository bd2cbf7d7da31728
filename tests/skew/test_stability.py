"""Stability selection: what is kept, and how much of it may be chance."""

import numpy as np
import pytest

from plait.datasets import make_planted_taps
from plait.skew.judge import TapData
from plait.skew.space import TapSpace
from plait.skew.stability import Stability, stability_selection
from plait.statistics.metrics import metric_by_name

ACCURACY = metric_by_name("classification", "accuracy")


def halves(task, **how):
    bunch = make_planted_taps(task, "tiny", random_state=0)
    data = TapData(bunch.taps, bunch.target, np.eye(bunch.target.max() + 1)[bunch.target], np.arange(len(bunch.target)))
    return stability_selection(data, bunch.train, bunch.validation, ACCURACY, repeats=10, **how), bunch


def test_the_planted_pair_is_kept():
    """In every half it is the best; so many pairs are named in each."""
    found, bunch = halves("add", best=1)
    assert [(pair.first, pair.i, pair.second, pair.j) for pair in found.kept(1.0)] == list(bunch.planted)
    assert halves("add", best=3)[0].frequency.sum() == pytest.approx(3)


def test_nothing_is_kept_of_noise():
    """No pair is the best of every half."""
    assert halves("null", best=1)[0].kept() == ()


def test_the_bound_on_what_is_kept_by_chance():
    """q^2 / ((2 pi - 1) K): the value of the specification."""
    space = TapSpace({"a": 12, "b": 12})
    found = Stability(space.all(), np.zeros(144), 3)
    assert found.false_at_most(0.9) == pytest.approx(0.078, abs=5e-4)


@pytest.mark.parametrize("threshold", [0.5, 0.2, 1.1])
def test_a_threshold_that_says_nothing_is_refused(threshold):
    """At one half and below there is no bound."""
    with pytest.raises(ValueError, match="above 1/2"):
        Stability((), np.zeros(0), 1).kept(threshold)


def test_the_same_seed_gives_the_same_halves():
    """Another seed gives others."""
    one, same, other = (halves("null", random_state=seed)[0].frequency for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
