"""How concentrated a map of gains is: limits, closed forms, and what changes nothing."""

import numpy as np
import pytest

from plait.skew.findings.concentration import entropy, gini, hoyer


@pytest.mark.parametrize("count", [2, 9, 144])
def test_one_gain_alone_is_the_one_limit(count):
    """Hoyer 1, Gini 1 - 1/K; what is below 0 is no gain."""
    values = np.full(count, -0.3)
    values[1] = 0.2
    assert hoyer(values) == pytest.approx(1)
    assert gini(values) == pytest.approx(1 - 1 / count)


@pytest.mark.parametrize("count", [2, 9, 144])
def test_equal_gains_are_the_other_limit(count):
    """Both 0."""
    assert hoyer(np.full(count, 0.4)) == pytest.approx(0, abs=1e-12)
    assert gini(np.full(count, 0.4)) == pytest.approx(0, abs=1e-12)


def test_gini_is_half_the_mean_difference_over_the_mean():
    """The definition, with all pairs of values."""
    values = np.random.default_rng(0).gamma(1, size=30)
    expected = np.abs(values[:, None] - values).mean() / (2 * values.mean())
    assert gini(values) == pytest.approx(expected)


def test_hoyer_of_two_of_four():
    """(2 - sqrt 2) / (2 - 1)."""
    assert hoyer(np.array([1.0, 0.0, 1.0, -1.0])) == pytest.approx(2 - np.sqrt(2))


@pytest.mark.parametrize("measure", [hoyer, gini])
def test_neither_scale_nor_order_matters(measure):
    """As a measure of concentration must."""
    values = np.random.default_rng(1).normal(size=20)
    assert measure(7 * values[::-1]) == pytest.approx(measure(values))


@pytest.mark.parametrize("measure", [hoyer, gini])
def test_no_gain_has_no_concentration(measure):
    """NaN, without a warning."""
    assert np.isnan(measure(np.array([-0.1, 0.0, -0.2])))


def test_one_pair_has_no_hoyer_sparseness():
    """0 over 0."""
    assert np.isnan(hoyer(np.array([0.3])))


def test_entropy_runs_from_certainty_to_log_k():
    """0 for one pair, log K for all alike, in nats."""
    assert entropy(np.array([0.0, 1.0, 0.0])) == 0
    assert entropy(np.full(8, 1 / 8)) == pytest.approx(np.log(8))
