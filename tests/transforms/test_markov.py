"""Markov transition fields: probabilities of each series by itself."""

from itertools import pairwise

import numpy as np
import pytest

from plait.transforms import MarkovTransitionField, mtf, transition_matrix

SERIES = np.random.default_rng(0).normal(size=(5, 40)).cumsum(axis=1)


def codes_of(series, bins):
    """Quantile bins by the quantiles themselves: how many inner ones lie below each value."""
    edges = np.quantile(series, np.arange(1, bins) / bins)
    return (series[:, None] > edges + 1e-12).sum(axis=1)


@pytest.mark.parametrize("bins", [2, 5, 8, 64])
def test_fields_are_the_transitions_between_the_bins_of_two_times(bins):
    """W[q_i, q_j], W counted pair by pair; also with more bins than steps."""
    fields, matrices = mtf(SERIES, bins=bins), transition_matrix(SERIES, bins)
    for series, field, matrix in zip(SERIES, fields[:, 0], matrices[:, 0], strict=True):
        codes = codes_of(series, bins)
        counts = np.zeros((bins, bins))
        for one, other in pairwise(codes):
            counts[one, other] += 1
        expected = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        np.testing.assert_allclose(matrix, expected, atol=1e-12)
        np.testing.assert_allclose(field, expected[codes[:, None], codes], atol=1e-12)


def test_rows_of_the_matrix_sum_to_one():
    """Where a bin was left; bins that were not have rows of zeros."""
    np.testing.assert_allclose(transition_matrix(SERIES, 4).sum(axis=3), 1)
    rising = transition_matrix([[0.0, 1, 2, 3]], 3)[0, 0]  # bins 0, 0, 1, 2: the last is entered, never left
    np.testing.assert_array_equal(rising, [[0.5, 0.5, 0], [0, 0, 1], [0, 0, 0]])


@pytest.mark.parametrize("size", [1, 6, 8, 40])
def test_smaller_images_are_means_of_the_whole_field(size):
    """Over the segments of the piecewise aggregate, in both directions."""
    field, ends = mtf(SERIES), [i * 40 // size for i in range(size + 1)]
    expected = [[field[:, :, a:b, c:d].mean(axis=(2, 3)) for c, d in pairwise(ends)] for a, b in pairwise(ends)]
    np.testing.assert_allclose(mtf(SERIES, size), np.moveaxis(expected, (0, 1), (2, 3)), atol=1e-12)


def test_bins_are_those_of_each_series():
    """A series far above the others has the same field as near them; a rising scale changes nothing."""
    np.testing.assert_array_equal(mtf(SERIES + 1000 * np.arange(5)[:, None]), mtf(SERIES))
    np.testing.assert_array_equal(mtf(np.exp(SERIES)), mtf(SERIES))


def test_an_alternating_series_always_changes_its_bin():
    """Known answer: the chance to stay is 0, to change 1."""
    np.testing.assert_array_equal(transition_matrix([[0, 1, 0, 1, 0, 1]], 2), [[[[0, 1], [1, 0]]]])
    np.testing.assert_array_equal(mtf([[0, 1, 0, 1]], bins=2)[0, 0], np.indices((4, 4)).sum(axis=0) % 2)


def test_equal_values_share_the_lowest_of_their_bins():
    """Known answer: four of six values are the median, and none of them lies above it."""
    np.testing.assert_array_equal(transition_matrix([[1, 1, 1, 1, 2, 3]], 2), [[[[0.75, 0.25], [0, 1]]]])


def test_limits():
    """A constant series stays where it is; one step goes nowhere."""
    np.testing.assert_array_equal(mtf(np.full((1, 5), 0.1)), np.ones((1, 1, 5, 5)))
    np.testing.assert_array_equal(mtf([[3.0]]), np.zeros((1, 1, 1, 1)))


def test_bins_out_of_range_are_refused():
    """Fewer than two, or no whole number."""
    for bins in (1, True):
        with pytest.raises(ValueError, match="bins must be a whole number of at least 2"):
            MarkovTransitionField(size=4, bins=bins).fit(SERIES)
        with pytest.raises(ValueError, match="bins must be a whole number of at least 2"):
            transition_matrix(SERIES, bins)
