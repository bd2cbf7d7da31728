"""The distance between the modalities of a sample, in units of their variances."""

from typing import Any

import numpy as np

from plait.alignment.features import paired_alike
from plait.statistics.cka import centred


def normalised_gap(X: Any, Y: Any) -> float:
    """E|x - y|^2 / (tr S1 + tr S2): how far the two modalities of a sample are apart, whatever the common scale.

    It is 0 for identical features, 1 for uncorrelated ones of equal means, up to 2 where they are opposite to each
    other, and larger where the means differ.

    Args:
        X: One modality, (sample, feature).
        Y: The other, of the same width; row i is the same sample.

    Returns:
        At least 0; NaN if neither modality varies.

    Raises:
        ValueError: For other ranks or widths, numbers that are not finite, or rows of different number.
    """
    one, other = paired_alike(X, Y)
    scale = max(np.abs(one).max(), np.abs(other).max()) or 1.0
    one, other = one / scale, other / scale
    variance = (np.square(centred(one)).sum() + np.square(centred(other)).sum()) / len(one)
    distance = np.square(one - other).sum() / len(one)
    return float(distance / variance) if variance > 0 else float("nan")
