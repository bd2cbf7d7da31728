"""Resampling of groups: what is drawn, what it covers, what it refuses to say."""

import numpy as np
import pytest

from plait.statistics.bootstrap import group_weights, percentile_interval, weight_chunks


def test_groups_are_drawn_whole():
    """Samples of a group have one weight; as many groups are drawn as there are."""
    groups = np.array([3, 3, 9, 3, 5, 9])
    weights = group_weights(groups, 50, 0)
    for code in (3, 5, 9):
        assert (np.ptp(weights[:, groups == code], axis=1) == 0).all()
    assert (weights[:, [0, 2, 4]].sum(axis=1) == 3).all()


def test_groups_of_one_are_the_ordinary_bootstrap():
    """n samples are drawn, each once on average with variance 1 - 1/n."""
    weights = group_weights(np.arange(20), 4000, 0)
    assert (weights.sum(axis=1) == 20).all()
    assert weights.mean(axis=0) == pytest.approx(1, abs=0.08)
    assert weights.var(axis=0).mean() == pytest.approx(0.95, abs=0.03)


def test_one_group_says_nothing():
    """There is no interval."""
    weights = group_weights(np.zeros(8, int), 10, 0)
    assert np.isnan(weights).all()
    assert np.isnan(percentile_interval(weights.mean(axis=1))).all()


def test_chunks_are_the_weights():
    """The same draws, a few at a time."""
    groups = np.repeat(np.arange(400), 5)
    whole = np.full((300, 2000), np.nan)
    parts = list(weight_chunks(groups, 300, 4))
    for chosen, weights in parts:
        whole[chosen] = weights
    assert len(parts) > 1
    assert (whole == group_weights(groups, 300, 4)).all()


def test_the_interval_is_of_percentiles():
    """Of 0 to 200: 5 and 195; undefined draws are left out, and more than half of them leave nothing."""
    drawn = np.stack([np.arange(201.0)] * 3, axis=1)
    drawn[:50, 1] = np.nan
    drawn[:150, 2] = np.nan
    low, high = percentile_interval(drawn)
    np.testing.assert_allclose(low, [5, 53.75, np.nan])
    np.testing.assert_allclose(high, [195, 196.25, np.nan])


def test_the_interval_covers_a_mean():
    """In 400 sets of 40 groups of correlated samples, about 95 %; drawing samples instead covers far less."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    covered = {"groups": 0, "samples": 0}
    draws = {"groups": group_weights(groups, 300, 1), "samples": group_weights(np.arange(200), 300, 1)}
    for _ in range(400):
        values = random.normal(size=40)[groups] + 0.3 * random.normal(size=200)
        for what, weights in draws.items():
            low, high = percentile_interval(weights @ values / weights.sum(axis=1))
            covered[what] += bool(low <= 0 <= high)
    assert 0.91 < covered["groups"] / 400 < 0.98
    assert covered["samples"] / 400 < 0.8
