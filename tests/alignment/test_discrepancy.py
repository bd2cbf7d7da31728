"""The maximum mean discrepancy and its test."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import kstest

from plait.alignment import mmd


@pytest.fixture
def draw():
    return np.random.default_rng(0)


def brute_force(X, Y, width):
    """The mean over i != j of k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(y_i, x_j)."""

    def k(x, y):
        return np.exp(-np.square(x - y).sum() / (2 * width**2))

    n = len(X)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    return sum(k(X[i], X[j]) + k(Y[i], Y[j]) - k(X[i], Y[j]) - k(Y[i], X[j]) for i, j in pairs) / len(pairs)


@pytest.mark.parametrize("bandwidth", ["median", 0.7])
def test_it_is_the_double_sum(draw, bandwidth):
    """And "median" is the median distance of all pairs of rows."""
    X, Y = draw.normal(size=(12, 3)), draw.normal(1, 2, size=(12, 3))
    found = mmd(X, Y, bandwidth, permutations=5)
    expected = np.median(pdist(np.vstack([X, Y]))) if bandwidth == "median" else bandwidth
    assert found.bandwidth == pytest.approx(expected)
    assert found.value == pytest.approx(brute_force(X, Y, found.bandwidth), abs=1e-12)


def test_the_p_value_is_the_share_of_exchanges_that_reach_as_much(draw):
    """All 2^n exchanges of 8 samples, one by one, against drawn ones."""
    X, Y = draw.normal(size=(8, 2)), draw.normal(0.6, 1, size=(8, 2))
    found = mmd(X, Y, permutations=4000, random_state=0)
    choices = [np.array([code >> place & 1 for place in range(8)], bool)[:, None] for code in range(256)]
    values = [brute_force(np.where(each, Y, X), np.where(each, X, Y), found.bandwidth) for each in choices]
    assert found.p_value == pytest.approx(np.mean(np.array(values) >= found.value - 1e-12), abs=0.03)


@pytest.mark.parametrize("shared", [0.0, 0.9], ids=["independent", "paired"])
def test_equal_distributions_are_found_equal(draw, shared):
    """No bias and uniform p-values, also where both modalities of a sample are nearly the same."""
    found = []
    for _ in range(150):
        common = draw.normal(size=(30, 2))
        X, Y = (shared * common + np.sqrt(1 - shared**2) * draw.normal(size=(30, 2)) for _ in range(2))
        found.append(mmd(X, Y, permutations=99, random_state=draw.integers(2**31).item()))
    values, p_values = (np.array([getattr(each, name) for each in found]) for name in ("value", "p_value"))
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert (values < 0).any()
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_a_shift_is_found(draw):
    """The p-value is the smallest there can be, and more permutations than fit at once count."""
    X = draw.normal(size=(60, 3))
    found = mmd(X, draw.normal(1.5, 1, size=(60, 3)), permutations=2500, random_state=0)
    assert found.value > 0.2
    assert found.p_value == 1 / 2501


def test_a_change_of_spread_alone_is_found(draw):
    """Means tell nothing here."""
    assert mmd(draw.normal(size=(100, 2)), 3 * draw.normal(size=(100, 2)), random_state=0).p_value < 0.01


@pytest.mark.parametrize("values", [np.ones((9, 2)), np.arange(18.0).reshape(9, 2)], ids=["constant", "varied"])
def test_identical_modalities_have_none(values):
    """0 and p = 1."""
    found = mmd(values, values, permutations=19)
    assert (found.value, found.p_value) == (0, 1)


def test_collapsed_samples_leave_a_bandwidth():
    """Where most rows are equal the median is that of the distances that are not 0."""
    X = np.zeros((20, 1))
    assert mmd(X, np.vstack([X[:19], [[4.0]]]), permutations=9).bandwidth == 4


def test_many_samples_are_drawn_from(draw):
    """The same draw and permutations for the same seed; other ones for another."""
    X, Y = draw.normal(size=(500, 2)), draw.normal(size=(500, 2))
    one, again, other = (mmd(X, Y, permutations=20, samples=50, random_state=seed) for seed in (0, 0, 1))
    assert one == again
    assert one.value != other.value


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"bandwidth": 0.0}, "bandwidth"),
        ({"bandwidth": "mean"}, "bandwidth"),
        ({"bandwidth": float("nan")}, "bandwidth"),
        ({"permutations": 0}, "permutations"),
        ({"samples": 1}, "samples"),
    ],
)
def test_impossible_settings_are_refused(draw, settings, name):
    """By name."""
    with pytest.raises(ValueError, match=name):
        mmd(draw.normal(size=(9, 2)), draw.normal(size=(9, 2)), **settings)
