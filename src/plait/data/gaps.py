"""Missing steps of series, by the line between their neighbours."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from plait.data.checks import Array

Windows: TypeAlias = Float[Array, "window time"]


def without_empty(series: Array) -> npt.NDArray[np.bool_]:
    """Which series (sample, time, ...) have at least one value in every channel."""
    return np.asarray((~np.isnan(series)).any(axis=1).reshape(len(series), -1).all(axis=1))


def fill_gaps(series: Float[Array, "sample time ..."]) -> Float[Array, "sample time ..."]:
    """Series whose missing steps (NaN) are interpolated linearly, each channel of each sample by itself.

    Before the first value, and after the last, the nearest is repeated. A channel without any value stays missing.
    Without a gap the same array is returned; the one given is never changed.
    """
    windows = np.moveaxis(series, 1, -1)
    missing = np.isnan(windows)
    gaps = missing.any(axis=-1) & ~missing.all(axis=-1)
    if not gaps.any():
        return series
    windows = windows.copy()
    windows[gaps] = _interpolated(windows[gaps])
    return np.moveaxis(windows, -1, 1)


def _interpolated(windows: Windows) -> Windows:
    time = windows.shape[1]
    steps, known = np.arange(time), ~np.isnan(windows)
    before = np.maximum.accumulate(np.where(known, steps, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, steps, time)[:, ::-1], axis=1)[:, ::-1]
    before, after = np.where(before < 0, after, before), np.where(after == time, before, after)
    share = (steps - before) / np.maximum(after - before, 1)
    left, right = np.take_along_axis(windows, before, axis=1), np.take_along_axis(windows, after, axis=1)
    return np.asarray(np.where(known, windows, left * (1 - share) + right * share), dtype=windows.dtype)
