"""Recurrence plots: how far the states of a series at two times are from each other."""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

from plait.data.checks import Array
from plait.data.settings import check_whole
from plait.transforms.aggregation import segment_means
from plait.transforms.image_transformer import ImageTransformer
from plait.transforms.windows import Images, Pictures, Series, Windows, by_window, image_size, in_units, series_array


def recurrence(series: Any, size: int | None = None, embedding: int = 1) -> Images:
    """Recurrence plots without a threshold: the Euclidean distances of the states at two times (Eckmann et al., 1987).

    A state is `embedding` successive values of one channel; those of `embedding=1` are the values, at distance
    |x_i - x_j|. Plots are symmetric, with 0 on the diagonal, and do not change if a constant is added.

    Args:
        series: Array (sample, time) or (sample, time, channel) of finite numbers.
        size: Edge of the image: the series is averaged to `size + embedding - 1` points first. From 1 to the length
            less `embedding - 1`; None is the most.
        embedding: Successive points that are a state, from 1 to the length.

    Returns:
        Images (sample, channel, size, size) in the unit of the series; float32 stays, other numbers become float64. For
        the distance over all channels together take `np.sqrt((images**2).sum(axis=1, keepdims=True))`.

    Raises:
        ValueError: If the size or the embedding is out of range, distances would be too large for their type, and for
            what are no finite series.
    """
    values = series_array(series)
    check_whole("embedding", embedding, 1)
    if embedding > values.shape[-1]:
        raise ValueError(f"embedding must be at most the length of the series, {values.shape[-1]} (got {embedding}).")
    _check_range(values, embedding)
    size = image_size(size, values.shape[-1] - embedding + 1)

    def pictures(windows: Windows) -> Pictures:
        units, exponents = in_units(windows)
        states = sliding_window_view(segment_means(units, size + embedding - 1), size, axis=1)
        return np.asarray(np.ldexp(_distances(states), exponents[:, :, np.newaxis]))

    return by_window(pictures, values, (size, size), max(size**2, values.shape[-1]))


def _distances(states: Float[Array, "window coordinate time"]) -> Float[Array, "window time time"]:
    """Euclidean distances between states (window, coordinate, time), coordinate by coordinate."""
    first, *others = (states[:, place] for place in range(states.shape[1]))
    out = _differences(first)
    for coordinate in others:
        np.hypot(out, _differences(coordinate), out=out)
    return out


def _differences(values: Windows) -> Float[Array, "window time time"]:
    out = values[:, :, np.newaxis] - values[:, np.newaxis, :]
    return np.asarray(np.abs(out, out=out))


def _check_range(values: Series, embedding: int) -> None:
    limit = float(np.finfo(values.dtype).max) / (4 * embedding**0.5)
    if np.abs(values).max() > limit:
        raise ValueError(
            f"Distances between values beyond {limit:.0e} would leave the range of {values.dtype}. Give the series in "
            "a larger unit."
        )


class RecurrencePlot(ImageTransformer):
    """Recurrence plots of series (`recurrence`), as a transformer of scikit-learn (Eckmann et al., 1987).

    Args:
        size: Edge of the image, from 1 to the length of the series less `embedding - 1`; None is the most.
        embedding: Successive points that are a state, at least 1; 1 compares single values.
    """

    def __init__(self, size: int | None = 24, embedding: int = 1) -> None:
        self.size = size
        self.embedding = embedding

    def transform(self, X: Any) -> Images:
        """Images (sample, channel, size, size) of series (sample, time) or (sample, time, channel).

        Raises:
            ValueError: If a setting is out of range, and for what are no finite series.
        """
        return recurrence(X, self.size, self.embedding)
