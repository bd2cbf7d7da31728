"""The series as an array (sample, channel, time), and functions of windows carried over it in chunks."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Int
from sklearn.utils import gen_batches

from plait.data.checks import Array
from plait.data.numeric import numeric_values
from plait.data.settings import check_whole

Series: TypeAlias = Float[Array, "sample channel time"]
Windows: TypeAlias = Float[Array, "window time"]
Pictures: TypeAlias = Float[Array, "window height width"]
Images: TypeAlias = Float[Array, "sample channel height width"]

CHUNK = 2**18  # numbers that a temporary array may hold, unless one window alone needs more


def series_array(series: Any) -> Series:
    """Finite series, time last: (sample, time) becomes (sample, 1, time), (sample, time, channel) is turned.

    Args:
        series: Anything array-like of numbers. float32 stays, other numbers become float64.

    Raises:
        ValueError: For other axes, nothing to read, NaN and infinity, and what is no number.
    """
    values = numeric_values("series", series)
    if values.ndim not in {2, 3}:
        raise ValueError(
            f"Series must have the axes (sample, time) or (sample, time, channel), got an array of shape "
            f"{values.shape}. Give one series alone as series[np.newaxis]."
        )
    _check_finite(values)
    return values[:, np.newaxis] if values.ndim == 2 else np.ascontiguousarray(np.moveaxis(values, 2, 1))


def _check_finite(values: Array) -> None:
    wrong = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if len(wrong):
        raise ValueError(
            f"{len(wrong)} of {len(values)} series hold NaN or infinity, first in row {wrong[0]}. Leave them out or "
            "fill them in; WithImage does so for NaN, and passes over absent samples."
        )


def image_size(size: int | None, most: int) -> int:
    """The edge of an image of at most so many points; None is all of them.

    Raises:
        ValueError: If it is no whole number from 1 to `most`.
    """
    if size is None:
        return most
    check_whole("size", size, 1)
    if size > most:
        raise ValueError(
            f"size must be at most {most}, the points that the series has for an edge of the image (got {size}). "
            "Take a smaller image or longer series."
        )
    return int(size)


def by_window(
    function: Callable[[Windows], Array], series: Series, shape: tuple[int, ...], work: int
) -> Float[Array, "sample channel ..."]:
    """What a function of windows gives for every sample and channel, a chunk of windows at a time.

    Args:
        function: From (window, time) to (window, *shape); what it gives for a window depends on that window alone.
        series: The series.
        shape: Shape of the result for one window.
        work: Numbers that the function holds for one window.
    """
    windows = series.reshape(-1, series.shape[-1])
    out = np.empty((len(windows), *shape), dtype=series.dtype)
    for part in gen_batches(len(windows), max(1, CHUNK // work)):
        out[part] = function(windows[part])
    return out.reshape(*series.shape[:2], *shape)


def in_units(windows: Windows) -> tuple[Windows, Int[Array, "window 1"]]:
    """Windows within -1 and 1, each divided by a power of two, and the powers: exact, and safe to add up."""
    exponents = np.frexp(np.abs(windows).max(axis=1, keepdims=True))[1]
    return np.ldexp(windows, -exponents), exponents


def rescaled(windows: Windows, rounding: float = 0.0) -> tuple[Windows, Float[Array, "window 1"]]:
    """Windows from 0 (their least value) to 1 (their largest), and their spans before; constant ones are all 0.

    Args:
        windows: Values within -1 and 1.
        rounding: Span that is nothing but rounding, beside four units in the last place of the values.
    """
    least = windows.min(axis=1, keepdims=True)
    span = windows.max(axis=1, keepdims=True) - least
    noise = 4 * np.finfo(windows.dtype).eps * np.abs(windows).max(axis=1, keepdims=True)
    constant = span <= np.maximum(noise, rounding)
    return np.where(constant, 0, windows - least) / np.where(constant, 1, span), np.where(constant, 0, span)
