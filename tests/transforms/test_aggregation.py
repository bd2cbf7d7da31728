"""Piecewise aggregates: means of segments."""

from itertools import pairwise

import numpy as np
import pytest

from plait.transforms import piecewise_aggregate

SERIES = np.random.default_rng(0).normal(size=(4, 23, 2))


@pytest.mark.parametrize("size", [1, 2, 5, 7, 22, 23])
def test_means_are_those_of_segments_that_share_all_steps(size):
    """The steps are divided without overlap, and segments differ by at most one step."""
    ends = [i * 23 // size for i in range(size + 1)]
    expected = np.stack([SERIES[:, start:end].mean(axis=1) for start, end in pairwise(ends)], axis=2)
    np.testing.assert_allclose(piecewise_aggregate(SERIES, size), expected, atol=1e-14)
    assert np.ptp(np.diff(ends)) <= 1


def test_no_size_keeps_the_series():
    """And puts the channels first."""
    np.testing.assert_array_equal(piecewise_aggregate(SERIES), SERIES.swapaxes(1, 2))


def test_the_mean_of_the_largest_numbers_is_finite():
    """Their sum would not be."""
    largest = np.finfo(float).max
    np.testing.assert_array_equal(piecewise_aggregate(np.full((1, 8), largest), 2), np.full((1, 1, 2), largest))
