"""Folds: one period a row, and the period that is found."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from plait.transforms import PeriodicFold, dominant_period, periodic_fold

STEPS = np.arange(120)


def waves(period, samples=4, noise=0.1):
    """Sines of one period with other phases and amplitudes, on levels and trends of their own."""
    draw = np.random.default_rng(0)
    phase, height, level, trend = draw.uniform(1, 3, size=(4, samples, 1))
    wave = height * np.sin(2 * np.pi * (STEPS / period + phase))
    return wave + 10 * level + trend * STEPS + noise * draw.normal(size=(samples, 120))


def test_a_periodic_series_has_equal_rows():
    """A sine folded by its period stands below itself; by another it does not."""
    series = np.sin(2 * np.pi * STEPS / 24)[None]
    assert np.ptp(periodic_fold(series, 24), axis=2).max() < 1e-12
    assert np.ptp(periodic_fold(series, 20), axis=2).max() > 1


def test_rows_are_periods_in_the_order_of_time():
    """Known answer; what is left over is the oldest."""
    np.testing.assert_array_equal(periodic_fold(np.arange(7)[None], 3), [[[[1, 2, 3], [4, 5, 6]]]])
    two = np.stack([np.arange(6), -np.arange(6)], axis=1)[None]
    np.testing.assert_array_equal(periodic_fold(two, 2)[0, 1], [[0, -1], [-2, -3], [-4, -5]])


def test_limits_are_one_column_and_one_row():
    """Period 1 and the length."""
    assert periodic_fold(waves(24), 1).shape == (4, 1, 120, 1)
    assert periodic_fold(waves(24), 120).shape == (4, 1, 1, 120)


@pytest.mark.parametrize("period", [2, 5, 8, 24, 40, 60])
def test_the_period_of_a_sine_is_found(period):
    """In spite of noise, level, trend and amplitude."""
    assert dominant_period(waves(period)) == period


def test_the_period_of_most_series_counts_whatever_their_amplitudes():
    """One series of another period and a thousandfold amplitude does not outweigh three."""
    series = np.concatenate([waves(24, 3), 1000 * waves(10, 1)])
    assert dominant_period(series) == 24
    assert dominant_period(np.stack([waves(24), waves(24), waves(10)], axis=2)) == 24


@pytest.mark.parametrize(
    "series",
    [np.full((2, 9), 0.1), [np.arange(9.0), -0.3 * np.arange(9.0)], [[1.0]], [[1.0, 5.0, 2.0]]],
    ids=["constant", "line", "one step", "three steps"],
)
def test_without_a_repetition_the_period_is_the_length(series):
    """One row."""
    assert dominant_period(series) == np.shape(series)[1]


def test_fit_finds_the_period_of_the_training_rows():
    """It is kept for other rows; a period that was given is used as it is."""
    fold = PeriodicFold().fit(waves(24))
    assert fold.period_ == 24
    assert fold.transform(waves(10)).shape == (4, 1, 5, 24)
    assert PeriodicFold(period=30).fit(waves(24)).period_ == 30
    with pytest.raises(NotFittedError):
        PeriodicFold().transform(waves(24))


@pytest.mark.parametrize(("period", "said"), [(121, "at most the length of the series, 120"), (0, "at least 1")])
def test_periods_out_of_range_are_refused(period, said):
    """Longer than the series, or none."""
    with pytest.raises(ValueError, match=said):
        periodic_fold(waves(24), period)
