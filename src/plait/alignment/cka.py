"""Centred kernel alignment: whether two modalities put the same samples close to each other."""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.alignment.features import Features, Others, centred, paired


def linear_cka(X: Any, Y: Any, debiased: bool = False) -> float:
    """Linear CKA of two modalities of the same samples: 1 for Y = c X Q with Q orthogonal, 0 for uncorrelated ones.

    ||X'Y||_F^2 / (||X'X||_F ||Y'Y||_F) of centred features (Kornblith et al., 2019). Rotations, reflections and one
    scale a modality change nothing; other linear maps do. The plain value is too high where there are few samples for
    the features: up to 1 for independent modalities. Below 10 samples a feature take the debiased one.

    Args:
        X: One modality, (sample, feature).
        Y: The other, of any width; row i is the same sample.
        debiased: Whether each of the three parts is estimated without bias (HSIC_1 of Song et al., 2012; Nguyen et
            al., 2021): around 0 for independent modalities whatever their widths, so small values may be negative.
            It needs 4 samples.

    Returns:
        In [0, 1] if plain, about [-1, 1] if debiased; NaN where a modality does not vary.

    Raises:
        ValueError: For other ranks, numbers that are not finite, rows of different number, or too few of them.
    """
    one, other = (_unit(centred(values)) for values in paired(X, Y, 4 if debiased else 2))
    alike = _unbiased if debiased else _shared
    square = alike(one, one), alike(other, other)
    if min(square) <= 0:
        return float("nan")
    return float(alike(one, other) / np.sqrt(square[0] * square[1]))


def _unit(values: Features) -> Features:
    """Features of mean square 1 a sample, so that no scale over- or underflows in fourth powers."""
    largest = np.abs(values).max()
    if largest == 0:
        return values
    values = values / largest
    return np.asarray(values / np.sqrt(np.square(values).sum() / len(values)))


def _shared(one: Features, other: Others) -> float:
    """||X'Y||_F^2, from products of features or, where these are more, of samples: the sum of XX' * YY'."""
    if one.shape[1] * other.shape[1] <= len(one) ** 2:
        return float(np.square(one.T @ other).sum())
    return float(np.vdot(one @ one.T, other @ other.T))


def _unbiased(one: Features, other: Others) -> float:
    """HSIC_1 times n (n - 3).

    For K = XX', L = YY' without diagonals it is tr(KL) + 1'K1 1'L1 / ((n - 1)(n - 2)) - 2 / (n - 2) 1'KL1. The rows
    of XX' of centred features sum to 0, so those of K to -|x_i|^2, and only squared lengths are needed besides X'Y.
    """
    n, lengths, others = len(one), _lengths(one), _lengths(other)
    return float(
        _shared(one, other)
        - n / (n - 2) * (lengths @ others)
        + lengths.sum() * others.sum() / ((n - 1) * (n - 2))
    )  # fmt: skip


def _lengths(values: Features) -> Float[ndarray, " sample"]:
    """Squared lengths of the samples."""
    return np.asarray(np.square(values).sum(axis=1))
