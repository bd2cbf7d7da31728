"""Recurrence plots: Euclidean distances between states."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from plait.transforms import piecewise_aggregate, recurrence

SERIES = np.random.default_rng(0).normal(size=(5, 24, 2)).cumsum(axis=1)


def states_of(series, embedding):
    """Successive values, one state a row."""
    return np.stack([series[start : start + embedding] for start in range(len(series) - embedding + 1)])


@pytest.mark.parametrize("embedding", [1, 2, 5, 24])
def test_plots_are_euclidean_distances_between_states(embedding):
    """As SciPy has them, for every sample and channel."""
    images = recurrence(SERIES, embedding=embedding)
    for sample, channel in np.ndindex(5, 2):
        states = states_of(SERIES[sample, :, channel], embedding)
        np.testing.assert_allclose(images[sample, channel], cdist(states, states), atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "embedding"), [(None, 1), (7, 1), (7, 3)])
def test_plots_are_symmetric_with_a_diagonal_of_zero(dtype, size, embedding):
    """Exactly so, and nowhere negative."""
    images = recurrence(SERIES.astype(dtype), size, embedding)
    np.testing.assert_array_equal(images, images.swapaxes(2, 3))
    assert not np.diagonal(images, axis1=2, axis2=3).any()
    assert images.min() == 0


@pytest.mark.parametrize("embedding", [1, 3])
def test_smaller_plots_are_those_of_the_means(embedding):
    """The series is averaged so that the image has the size asked for."""
    means = piecewise_aggregate(SERIES, 6 + embedding - 1).swapaxes(1, 2)
    np.testing.assert_allclose(recurrence(SERIES, 6, embedding), recurrence(means, embedding=embedding), atol=1e-12)


def test_the_unit_stays_and_the_level_does_not_matter():
    """Twice the series, twice the distances; a constant added, none."""
    np.testing.assert_allclose(recurrence(3 * SERIES + 7, embedding=2), 3 * recurrence(SERIES, embedding=2), atol=1e-12)


def test_all_channels_together_are_the_root_of_the_sum_of_squares():
    """As the text of the function says."""
    together = np.sqrt((recurrence(SERIES) ** 2).sum(axis=1))
    np.testing.assert_allclose(together[0], cdist(SERIES[0], SERIES[0]), atol=1e-7)


def test_squares_neither_overflow_nor_vanish():
    """Distances of 5e200 and 5e-200 from legs of 3 and 4, and in single precision."""
    for unit, dtype in ((1e200, float), (1e-200, float), (1e30, np.float32), (1e-30, np.float32)):
        images = recurrence(np.array([[0, 3, 7]], dtype) * dtype(unit), embedding=2)
        np.testing.assert_allclose(images[0, 0, 0, 1], 5 * unit, rtol=1e-6)


def test_distances_out_of_the_range_of_numbers_are_refused():
    """Rather than infinite."""
    with pytest.raises(ValueError, match=r"Distances between values beyond 4e.307 would leave the range of float64"):
        recurrence([[-1.7e308, 1.7e308]])


@pytest.mark.parametrize(
    ("size", "embedding", "said"),
    [(None, 25, "embedding must be at most the length of the series, 24"), (20, 6, "size must be at most 19")],
)
def test_longer_states_than_the_series_are_refused(size, embedding, said):
    """And images of more states than there are."""
    with pytest.raises(ValueError, match=said):
        recurrence(SERIES, size, embedding)
