"""Tests of differences: numbers by hand, limits, and the rate of false alarms."""

import numpy as np
import pytest
from scipy import stats

from plait.compare.statistics.differences import corrected_t, drawn_difference, sign_flips
from plait.statistics.bootstrap import group_weights

FIVE = np.array([0.02, 0.01, 0.03, 0.02, 0.01])
"""Mean .018, variance .00007."""
SCALE = np.sqrt((1 / 5 + 1 / 4) * 0.00007)


def test_the_corrected_t_by_hand():
    """t = .018 / sqrt(.45 * .00007) = 3.207 with 4 degrees of freedom."""
    found = corrected_t(FIVE, 1 / 4)
    t = 0.018 / 0.0056124861
    assert t == pytest.approx(3.2071, abs=1e-4)
    assert found.mean == pytest.approx(0.018)
    assert found.p == pytest.approx(2 * stats.t.sf(t, 4), rel=1e-6)
    assert found.p == pytest.approx(0.0327, abs=1e-4)
    half = 2.7764451 * SCALE  # the .975 quantile of t with 4 degrees of freedom
    assert (found.low, found.high) == pytest.approx((0.018 - half, 0.018 + half), rel=1e-6)


def test_without_overlap_it_is_students_t():
    """A test share of nothing leaves 1/J."""
    assert corrected_t(FIVE, 1e-12).p == pytest.approx(stats.ttest_1samp(FIVE, 0).pvalue, rel=1e-6)


def test_the_posterior_is_the_same_t():
    """Better by more than .01: P(T_4 > (.01 - .018) / .0056125); the three probabilities sum to one."""
    found = corrected_t(FIVE, 1 / 4, margin=0.01)
    assert found.p_better == pytest.approx(stats.t.cdf(0.008 / SCALE, 4))
    assert found.p_worse == pytest.approx(stats.t.cdf(-0.028 / SCALE, 4))
    assert found.p_better + found.p_equal + found.p_worse == pytest.approx(1)
    assert corrected_t(FIVE, 1 / 4).p_worse == pytest.approx(corrected_t(FIVE, 1 / 4).p / 2)


def test_the_other_way_round():
    """Signs change, p stays, better is worse."""
    one, other = corrected_t(FIVE, 0.25, 0.01), corrected_t(-FIVE, 0.25, 0.01)
    assert (other.mean, other.low, other.high) == pytest.approx((-one.mean, -one.high, -one.low))
    assert (other.p, other.p_better) == pytest.approx((one.p, one.p_worse))
    assert one.p_in_favour + other.p_in_favour == pytest.approx(1)


def test_twins_are_the_same():
    """All differences 0: p is 1, the interval the point 0, equal for sure."""
    found = corrected_t(np.zeros(5), 0.25, 0.01)
    assert (found.mean, found.low, found.high, found.p, found.p_equal) == (0, 0, 0, 1, 1)


def test_equal_differences_have_no_t():
    """All .1 (up to rounding): the sign test's 2^(1 - 5), no interval, better for sure."""
    found = corrected_t(np.array([0.1, 0.3 - 0.2, 0.1, 0.1, 0.4 - 0.3]), 0.25, 0.01)
    assert found.p == 2**-4
    assert np.isnan([found.low, found.high]).all()
    assert (found.p_better, found.p_equal, found.p_worse) == (1, 0, 0)


def test_one_difference_is_refused():
    """The message says what to do."""
    with pytest.raises(ValueError, match=r"at least 2 of them \(got 1\). Test over samples instead"):
        corrected_t(np.array([0.1]), 0.25)


def test_false_alarms_of_the_corrected_t():
    """Splits that overlap (correlation 1/5, five folds twice): about 5 % below .05, and 30 % without correction."""
    random = np.random.default_rng(0)
    shared, own = random.normal(size=(2000, 1)), random.normal(size=(2000, 10))
    sets = np.sqrt(0.2) * shared + np.sqrt(0.8) * own
    assert 0.035 < np.mean([corrected_t(one, 1 / 4).p < 0.05 for one in sets]) < 0.065
    assert np.mean(stats.ttest_1samp(sets, 0, axis=1).pvalue < 0.05) > 0.2


def test_sign_flips_by_hand():
    """1, 2, 3: only all signs alike are as extreme, 2 of 8; 1, -1: everything is."""
    assert sign_flips(np.array([[1.0], [2.0], [3.0]])).tolist() == [0.25]
    assert sign_flips(np.array([[1.0], [-1.0]])).tolist() == [1]
    assert sign_flips(np.zeros((4, 1))).tolist() == [1]


@pytest.mark.parametrize("groups", [9, 40])
def test_sign_flips_are_scipys(groups):
    """All patterns of few groups to the last digit, drawn ones up to chance; several pairs at once."""
    sums = np.random.default_rng(groups).normal(0.3, 1, size=(groups, 3))
    expected = [
        stats.permutation_test(
            (column,), np.sum, permutation_type="samples", n_resamples=9999, rng=np.random.default_rng(1)
        ).pvalue
        for column in sums.T
    ]
    assert sign_flips(sums) == pytest.approx(np.array(expected), abs=1e-12 if groups == 9 else 0.015)


def test_false_alarms_of_sign_flips():
    """Exact: at most 5 % of 400 sets of 11 skew but symmetric-at-zero groups."""
    random = np.random.default_rng(0)
    sums = random.normal(size=(11, 400)) * random.gamma(0.5, size=(11, 400))
    assert (sign_flips(sums) < 0.05).mean() < 0.075


def test_the_bootstrap_of_a_difference():
    """p near that of the z test of a mean, interval around it, shares of draws as probabilities."""
    values = np.random.default_rng(0).normal(0.2, 1, size=150)
    weights = group_weights(np.arange(150), 4000, 0)
    found = drawn_difference(float(values.mean()), weights @ values / 150, margin=0.1)
    z = values.mean() / (values.std() / np.sqrt(150))
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.02)
    assert found.low < values.mean() < found.high
    assert found.p_better + found.p_equal + found.p_worse == pytest.approx(1)
    assert drawn_difference(0.1, np.array([0.1, 0.2]), p=0.3).p == 0.3


def test_an_undefined_bootstrap_has_no_numbers():
    """One group: neither interval nor probability."""
    found = drawn_difference(0.1, np.full(10, np.nan))
    assert np.isnan([found.low, found.high, found.p, found.p_better, found.p_worse]).all()
