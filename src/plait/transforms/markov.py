"""Markov transition fields: how often the values at two times follow each other anywhere in the series."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

from plait.data.checks import Array
from plait.data.settings import check_whole
from plait.transforms.aggregation import segment_means
from plait.transforms.image_transformer import ImageTransformer
from plait.transforms.windows import Images, Pictures, Windows, by_window, image_size, series_array

Bins = Int[Array, "window time"]


def mtf(series: Any, size: int | None = None, bins: int = 8) -> Images:
    """Markov transition fields: W[q_i, q_j], with q the quantile bins of a series and W its `transition_matrix`.

    Bins and transitions are those of each series and channel by itself. A field of the length of the series is averaged
    over the segments of `piecewise_aggregate` to the size of the image (Wang & Oates, 2015); it is the mean of
    transitions, not the transitions of means, and is never held in full length.

    Args:
        series: Array (sample, time) or (sample, time, channel) of finite numbers.
        size: Edge of the image, from 1 to the length; None is the length.
        bins: Quantile bins, at least 2.

    Returns:
        Images (sample, channel, size, size) of probabilities, 0 to 1; float32 stays, other numbers become float64.
        Series of the same order of values have the same field; a constant one is all 1, one of a single step 0.

    Raises:
        ValueError: If the size or the number of bins is out of range, and for what are no finite series.
    """
    check_whole("bins", bins, 2)
    values = series_array(series)
    size = image_size(size, values.shape[-1])

    def pictures(windows: Windows) -> Pictures:
        codes = quantile_bins(windows, bins)
        hot = (codes[:, np.newaxis] == np.arange(bins)[:, np.newaxis]).astype(windows.dtype)
        shares = segment_means(hot, size)  # of each bin in each segment: the mean of W over two segments is bilinear
        markov = _transitions(codes, bins).astype(windows.dtype)
        return np.asarray(np.swapaxes(shares, 1, 2) @ markov @ shares)

    return by_window(pictures, values, (size, size), max(size**2, bins * values.shape[-1], bins**2))


def transition_matrix(series: Any, bins: int = 8) -> Float[Array, "sample channel {bins} {bins}"]:
    """How often each quantile bin of a series is followed by each, as shares: the first-order Markov matrix.

    Args:
        series: Array (sample, time) or (sample, time, channel) of finite numbers.
        bins: Quantile bins, at least 2. Bin b holds the values from quantile b / bins (exclusive, but for the least
            value) to (b + 1) / bins, with the quantiles of NumPy's default; equal values share a bin.

    Returns:
        Matrices whose rows sum to 1; rows of bins that are empty, or hold the last step only, are 0.

    Raises:
        ValueError: If the number of bins is out of range, and for what are no finite series.
    """
    check_whole("bins", bins, 2)
    values = series_array(series)

    def matrices(windows: Windows) -> Pictures:
        return _transitions(quantile_bins(windows, bins), bins)

    return by_window(matrices, values, (bins, bins), max(bins**2, values.shape[-1]))


def quantile_bins(windows: Windows, bins: int) -> Bins:
    """The bin, from 0, of every value: by its rank, so that no quantile is rounded and any unit gives the same.

    Of `time` values the one of rank r (from 0) lies above quantile b / bins if r > b (time - 1) / bins.
    """
    ranks = rankdata(windows, method="min", axis=1).astype(np.int64) - 1
    above = -(-ranks * bins // max(windows.shape[1] - 1, 1)) - 1  # rounded up, less one
    return np.asarray(np.maximum(above, 0))


def _transitions(codes: Bins, bins: int) -> Float[Array, "window {bins} {bins}"]:
    first = np.arange(len(codes))[:, np.newaxis] * bins**2
    pairs = first + codes[:, :-1] * bins + codes[:, 1:]
    counts = np.bincount(pairs.ravel(), minlength=len(codes) * bins**2).reshape(len(codes), bins, bins)
    return np.asarray(counts / np.maximum(counts.sum(axis=2, keepdims=True), 1))


class MarkovTransitionField(ImageTransformer):
    """Markov transition fields of series (`mtf`), as a transformer of scikit-learn (Wang & Oates, 2015).

    Args:
        size: Edge of the image, from 1 to the length of the series; None is the length.
        bins: Quantile bins of each series, at least 2.
    """

    def __init__(self, size: int | None = 24, bins: int = 8) -> None:
        self.size = size
        self.bins = bins

    def transform(self, X: Any) -> Images:
        """Images (sample, channel, size, size) of series (sample, time) or (sample, time, channel).

        Raises:
            ValueError: If a setting is out of range, and for what are no finite series.
        """
        return mtf(X, self.size, self.bins)
