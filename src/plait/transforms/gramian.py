"""Gramian angular fields: the values of a series as angles, and the cosines and sines of their sums and differences."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float

from plait.data.checks import Array
from plait.data.settings import check_one_of
from plait.transforms.aggregation import segment_means
from plait.transforms.image_transformer import ImageTransformer
from plait.transforms.windows import Images, Pictures, Windows, by_window, image_size, in_units, rescaled, series_array


def gasf(series: Any, size: int | None = None, low: float = -1.0) -> Images:
    """Gramian angular summation fields, cos(phi_i + phi_j) = u_i u_j - sqrt(1 - u_i^2) sqrt(1 - u_j^2).

    Every series, channel by channel, is averaged to `size` points, rescaled to u from `low` to 1, and read as angles
    phi = arccos(u) (Wang & Oates, 2015). The fields are symmetric, from -1 to 1, with 2 u_i^2 - 1 on the diagonal: with
    `low=0` that gives u back, sqrt((diagonal + 1) / 2). Level and amplitude of the series are lost.

    Args:
        series: Array (sample, time) or (sample, time, channel) of finite numbers.
        size: Edge of the image, from 1 to the length; None is the length.
        low: Lower end of the range of u, from -1 (the whole half circle) to 0 (the series can be read off).

    Returns:
        Images (sample, channel, size, size); float32 stays, other numbers become float64. A series that is constant
        (after averaging), as is every one of a single point, has u = 0.

    Raises:
        ValueError: If the size or `low` is out of range, and for what are no finite series.
    """
    return _field(_sums, series, size, low)


def gadf(series: Any, size: int | None = None, low: float = -1.0) -> Images:
    """Gramian angular difference fields, sin(phi_i - phi_j) = sqrt(1 - u_i^2) u_j - u_i sqrt(1 - u_j^2).

    As `gasf`, but antisymmetric: an exchange of i and j changes the sign, and the diagonal is 0.

    Args:
        series: Array (sample, time) or (sample, time, channel) of finite numbers.
        size: Edge of the image, from 1 to the length; None is the length.
        low: Lower end of the range of u, from -1 to 0.

    Returns:
        Images (sample, channel, size, size), from -1 to 1.

    Raises:
        ValueError: As `gasf`.
    """
    return _field(_differences, series, size, low)


Field = Callable[[Windows, Windows], Pictures]


def _field(field: Field, series: Any, size: int | None, low: float) -> Images:
    if not -1 <= low <= 0:
        raise ValueError(f"low must be a number from -1 to 0 (got {low!r}).")
    values = series_array(series)
    size = image_size(size, values.shape[-1])

    def pictures(windows: Windows) -> Pictures:
        cosines = _cosines(windows, size, low)
        out = field(cosines, np.sqrt((1 - cosines) * (1 + cosines)))
        return np.clip(out, -1, 1, out=out)

    return by_window(pictures, values, (size, size), max(size**2, values.shape[-1]))


def _cosines(windows: Windows, size: int, low: float) -> Float[Array, "window {size}"]:
    """u: averaged and rescaled; rescaled first as well, so that constant windows are so exactly."""
    whole = rescaled(in_units(windows)[0])[0]
    rounding = windows.shape[1] * float(np.finfo(windows.dtype).eps)  # of the mean of numbers from 0 to 1
    unit, span = rescaled(segment_means(whole, size), rounding)
    return np.where(span > 0, np.clip(low + (1 - low) * unit, -1, 1), 0)


def _sums(cosines: Windows, sines: Windows) -> Pictures:
    out: Array = cosines[:, :, np.newaxis] * cosines[:, np.newaxis, :]
    out -= sines[:, :, np.newaxis] * sines[:, np.newaxis, :]
    return out


def _differences(cosines: Windows, sines: Windows) -> Pictures:
    out: Array = sines[:, :, np.newaxis] * cosines[:, np.newaxis, :]
    out -= cosines[:, :, np.newaxis] * sines[:, np.newaxis, :]
    return out


KINDS: Mapping[str, Callable[[Any, int | None, float], Images]] = MappingProxyType({"sum": gasf, "difference": gadf})


class GramianAngularField(ImageTransformer):
    """Gramian angular fields of series, as a transformer of scikit-learn (Wang & Oates, 2015).

    Args:
        kind: "sum" for `gasf`, "difference" for `gadf`.
        size: Edge of the image, from 1 to the length of the series; None is the length.
        low: Lower end of the range that each window is rescaled to, from -1 to 0; the upper end is 1.
    """

    def __init__(self, kind: str = "sum", size: int | None = 24, low: float = -1.0) -> None:
        self.kind = kind
        self.size = size
        self.low = low

    def transform(self, X: Any) -> Images:
        """Images (sample, channel, size, size) of series (sample, time) or (sample, time, channel).

        Raises:
            ValueError: If a setting is out of range, and for what are no finite series.
        """
        check_one_of("kind", self.kind, tuple(KINDS))
        return KINDS[self.kind](X, self.size, self.low)
