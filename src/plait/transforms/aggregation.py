"""Piecewise aggregate approximation: a series as the means of a few segments."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from plait.data.checks import Array
from plait.transforms.windows import Windows, by_window, image_size, in_units, series_array


def piecewise_aggregate(series: Any, size: int | None = None) -> Float[Array, "sample channel size"]:
    """The means of `size` segments of every series (PAA, Keogh et al., 2001).

    Where the size does not divide the length, segments differ by one step: segment i begins at step
    `i * time // size`. No step is left out or counted twice.

    Args:
        series: Array (sample, time) or (sample, time, channel) of finite numbers.
        size: Segments, from 1 (the mean of the series) to the length; None is the length (nothing is averaged).

    Returns:
        Means in the unit of the series, channels first; float32 stays, other numbers become float64.

    Raises:
        ValueError: If the size is no whole number from 1 to the length, and for what are no finite series.
    """
    values = series_array(series)
    size = image_size(size, values.shape[-1])
    return by_window(lambda windows: _means_in_range(windows, size), values, (size,), values.shape[-1])


def _means_in_range(windows: Windows, size: int) -> Float[Array, "window size"]:
    units, exponents = in_units(windows)
    return np.asarray(np.ldexp(segment_means(units, size), exponents))


def segment_means(values: Float[Array, "window *axes time"], size: int) -> Float[Array, "window *axes {size}"]:
    """Means of the segments of the last axis; the sum of a segment must be within the range of numbers."""
    if size == values.shape[-1]:
        return values
    starts, lengths = segments(values.shape[-1], size)
    return np.asarray(np.add.reduceat(values, starts, axis=-1) / lengths.astype(values.dtype))


def segments(time: int, size: int) -> tuple[Int[Array, "{size}"], Int[Array, "{size}"]]:
    """Where each segment begins, and how many steps it has."""
    ends = np.arange(size + 1) * time // size
    return ends[:-1], np.diff(ends)
