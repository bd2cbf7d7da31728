"""Gramian angular fields: the facts of their definition, and their limits."""

import numpy as np
import pytest

from plait.transforms import gadf, gasf, piecewise_aggregate

SERIES = np.random.default_rng(0).normal(size=(6, 23, 2)).cumsum(axis=1)


def angles(series, low=-1.0):
    """phi = arccos(u) of one series, by the definition."""
    u = (series - series.min()) / (series.max() - series.min())
    return np.arccos(low + (1 - low) * u)


@pytest.mark.parametrize("low", [-1.0, -0.3, 0.0])
def test_fields_are_cosines_of_sums_and_sines_of_differences(low):
    """cos(phi_i + phi_j) and sin(phi_i - phi_j), with the angles of the rescaled series."""
    sums, differences = gasf(SERIES, low=low), gadf(SERIES, low=low)
    for sample, channel in np.ndindex(6, 2):
        phi = angles(SERIES[sample, :, channel], low)
        np.testing.assert_allclose(sums[sample, channel], np.cos(phi[:, None] + phi), atol=1e-7)
        np.testing.assert_allclose(differences[sample, channel], np.sin(phi[:, None] - phi), atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [None, 7])
def test_the_sum_is_symmetric_and_the_difference_antisymmetric(dtype, size):
    """Exactly so, within -1 and 1; the diagonal of the difference is 0."""
    sums, differences = gasf(SERIES.astype(dtype), size), gadf(SERIES.astype(dtype), size)
    np.testing.assert_array_equal(sums, sums.swapaxes(2, 3))
    np.testing.assert_array_equal(differences, -differences.swapaxes(2, 3))
    assert not np.diagonal(differences, axis1=2, axis2=3).any()
    assert max(abs(sums).max(), abs(differences).max()) <= 1
    assert sums.max() == pytest.approx(1, abs=1e-6)


def test_the_diagonal_of_the_sum_is_two_u_squared_less_one():
    """With u from -1 to 1, as rescaled in each series and channel."""
    u = np.cos([[angles(SERIES[sample, :, channel]) for channel in range(2)] for sample in range(6)])
    np.testing.assert_allclose(np.diagonal(gasf(SERIES), axis1=2, axis2=3), 2 * u**2 - 1, atol=1e-12)


@pytest.mark.parametrize("size", [23, 6])
def test_with_low_zero_the_series_is_read_off_the_diagonal(size):
    """sqrt((d + 1) / 2) is the averaged series from 0 to 1; with low = -1 its sign is lost."""
    means = piecewise_aggregate(SERIES, size)
    low, high = means.min(axis=2, keepdims=True), means.max(axis=2, keepdims=True)
    diagonal = np.diagonal(gasf(SERIES, size, low=0.0), axis1=2, axis2=3)
    np.testing.assert_allclose(np.sqrt((diagonal + 1) / 2), (means - low) / (high - low), atol=1e-7)
    mirrored = np.array([[0.0, 1, 2, 3, 4], [4.0, 3, 2, 1, 0]])
    np.testing.assert_allclose(*np.diagonal(gasf(mirrored), axis1=2, axis2=3), atol=1e-12)


def test_averaging_comes_before_rescaling():
    """The field of the means, not the means of the field."""
    means = piecewise_aggregate(SERIES, 5)
    for function in (gasf, gadf):
        np.testing.assert_allclose(function(SERIES, 5), function(means.swapaxes(1, 2)), atol=1e-7)


@pytest.mark.parametrize("low", [-1.0, 0.0])
@pytest.mark.parametrize(
    "series",
    [np.full(10, 0.1), np.zeros(10), np.full(10, -1e300), np.tile([0.1, 0.7], 5)],
    ids=["constant", "zero", "extreme", "constant means"],
)
def test_constant_windows_have_u_zero(series, low):
    """Also where the mean of equal numbers is rounded, and where only the means are constant."""
    for size in (5, 1):
        np.testing.assert_array_equal(gasf(series[None], size, low), np.full((1, 1, size, size), -1.0))
        np.testing.assert_array_equal(gadf(series[None], size, low), np.zeros((1, 1, size, size)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_is_no_signal(dtype):
    """Segments of unequal length, sums of tenths that differ in their last bit, means of whole periods."""
    series = np.stack([np.full(10, 0.1), np.where(np.arange(10) % 2, 0.3, 0.1 + 0.2)]).astype(dtype)
    for size in (3, 4, 7, 10):
        assert (gasf(series, size) == -1).all()
    whole_periods = np.sin(2 * np.pi * np.arange(70) / 7)[None].astype(dtype)
    assert (gasf(whole_periods, 10) == -1).all()


def test_a_small_signal_on_a_large_level_is_kept():
    """A thousandth of a millionth of the level is signal; rounding ends far below."""
    wave = np.sin(np.arange(32))
    np.testing.assert_allclose(gasf(1e9 + wave[None]), gasf(wave[None]), atol=1e-3)


@pytest.mark.parametrize(("low", "said"), [(-1.1, "-1.1"), (0.1, "0.1"), (np.nan, "nan")])
def test_ranges_beyond_the_half_circle_are_refused(low, said):
    """The lower end is from -1 to 0."""
    with pytest.raises(ValueError, match=rf"low must be a number from -1 to 0 \(got {said}\)"):
        gasf(SERIES, low=low)
