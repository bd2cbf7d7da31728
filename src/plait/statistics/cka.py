"""Centred kernel alignment of features of the same samples, in its parts.

||X'Y||_F^2 / (||X'X||_F ||Y'Y||_F) of centred features (Kornblith et al., 2019); each part can be had without bias.
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Features = Float[ndarray, "sample feature"]
Others = Float[ndarray, "sample other"]


def centred(values: Features) -> Features:
    """Features less their means; exactly 0 where all samples have the same value but for rounding."""
    deviations = np.asarray(values - values.mean(axis=0))
    constant = np.abs(deviations).max(axis=0) <= 1e-13 * np.abs(values).max(axis=0)
    deviations[:, constant] = 0
    return deviations


def comparable(values: Features) -> Features:
    """Centred features of mean square 1 a sample, so that no scale over- or underflows in fourth powers."""
    values = centred(values)
    largest = np.abs(values).max()
    if largest == 0:
        return values
    values = values / largest
    return np.asarray(values / np.sqrt(np.square(values).sum() / len(values)))


def overlap(one: Features, other: Others) -> float:
    """||X'Y||_F^2, from products of features or, where these are more, of samples: the sum of XX' * YY'."""
    if one.shape[1] * other.shape[1] <= len(one) ** 2:
        return float(np.square(one.T @ other).sum())
    return float(np.vdot(one @ one.T, other @ other.T))


def unbiased_overlap(one: Features, other: Others) -> float:
    """HSIC_1 of Song et al. (2012) times n (n - 3), of centred features of at least 4 samples.

    For K = XX', L = YY' without diagonals it is tr(KL) + 1'K1 1'L1 / ((n - 1)(n - 2)) - 2 / (n - 2) 1'KL1. The rows
    of XX' of centred features sum to 0, so those of K to -|x_i|^2, and only squared lengths are needed besides X'Y.
    """
    n, lengths, others = len(one), _lengths(one), _lengths(other)
    return float(
        overlap(one, other)
        - n / (n - 2) * (lengths @ others)
        + lengths.sum() * others.sum() / ((n - 1) * (n - 2))
    )  # fmt: skip


def cosine(both: float, one: float, other: float) -> float:
    """The alignment, from the overlap of two modalities and that of each with itself.

    Returns:
        NaN where one of the latter is not above 0: a modality that does not vary.
    """
    if min(one, other) <= 0:
        return float("nan")
    return float(both / np.sqrt(one * other))


def _lengths(values: Features) -> Float[ndarray, " sample"]:
    """Squared lengths of the samples."""
    return np.asarray(np.square(values).sum(axis=1))
