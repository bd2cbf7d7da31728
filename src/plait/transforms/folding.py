"""Folds of a series by its period: one period a row."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.fft import rfft
from scipy.signal import detrend
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from plait.data.checks import Array
from plait.data.settings import check_whole
from plait.transforms.windows import Images, Windows, by_window, in_units, rescaled, series_array

_FIRST = 2  # frequency of what is seen twice


def periodic_fold(series: Any, period: int) -> Images:
    """Every series cut into periods that stand one below the other, oldest first (as in TimesNet, Wu et al., 2023).

    Where the period does not divide the length, the oldest `time % period` steps are left out: no value is made up, and
    the latest stay.

    Args:
        series: Array (sample, time) or (sample, time, channel) of finite numbers.
        period: Steps of a row, from 1 (one column) to the length (one row).

    Returns:
        Images (sample, channel, time // period, period) in the unit of the series; float32 stays, other numbers become
        float64.

    Raises:
        ValueError: If the period is no whole number from 1 to the length, and for what are no finite series.
    """
    values = series_array(series)
    check_whole("period", period, 1)
    if period > values.shape[-1]:
        raise ValueError(f"period must be at most the length of the series, {values.shape[-1]} (got {period}).")
    rows = values.shape[-1] // period
    return values[..., values.shape[-1] - rows * period :].reshape(*values.shape[:2], rows, period)


def dominant_period(series: Any) -> int:
    """The period, in steps, that is strongest in all series together: the length over the frequency, rounded.

    Strength is the amplitude of the Fourier transform, averaged over samples and channels, each of them rescaled to one
    span and rid of its line of least squares. Only what a series shows at least twice counts.

    Args:
        series: Array (sample, time) or (sample, time, channel) of finite numbers.

    Returns:
        From 2 to half of the length; the length itself if nothing repeats (lines, constants, fewer than 4 steps).

    Raises:
        ValueError: For what are no finite series.
    """
    values = series_array(series)
    time = int(values.shape[-1])
    if time < 2 * _FIRST:
        return time
    spectra = by_window(_amplitudes, values, (time // 2 + 1 - _FIRST,), 3 * time)
    strength = spectra.mean(axis=(0, 1), dtype=np.float64)
    nothing = time * float(np.finfo(values.dtype).eps)
    if strength.max() <= nothing:
        return time
    return round(time / (_FIRST + int(strength.argmax())))


def _amplitudes(windows: Windows) -> Float[Array, "window frequency"]:
    """Amplitudes of the frequencies from the second, of windows rescaled and rid of their trends."""
    flat = detrend(rescaled(in_units(windows)[0])[0], axis=1)
    return np.asarray(np.abs(rfft(flat, axis=1)[:, _FIRST:]) / windows.shape[1])


class PeriodicFold(TransformerMixin, BaseEstimator):
    """Folds of series by one period (`periodic_fold`), as a transformer of scikit-learn.

    Args:
        period: Steps of a row, from 1 to the length of the series; None takes the `dominant_period` of the rows of fit.

    Attributes:
        period_: The period in use.
    """

    def __init__(self, period: int | None = None) -> None:
        self.period = period

    def fit(self, X: Any, y: Any = None) -> "PeriodicFold":
        """Find the period.

        Args:
            X: Series (sample, time) or (sample, time, channel).
            y: Ignored.

        Raises:
            ValueError: If the period is out of range, and for what are no finite series.
        """
        period = dominant_period(X) if self.period is None else self.period
        periodic_fold(X, period)
        self.period_ = int(period)
        return self

    def transform(self, X: Any) -> Array:
        """Images (sample, channel, time // period, period) of series (sample, time) or (sample, time, channel).

        Raises:
            ValueError: If the series are shorter than the period, and for what are no finite series.
        """
        check_is_fitted(self)
        return periodic_fold(X, self.period_)

    def __sklearn_tags__(self) -> Any:
        """Tags of scikit-learn: series of two or three axes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
