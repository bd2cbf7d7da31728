"""Features of the same samples in two modalities: what every measure of alignment reads, checked."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from numpy import ndarray

from plait.data.checks import listed
from plait.data.numeric import numeric_values
from plait.data.settings import check_whole
from plait.statistics.cka import Features, Others

MOST_SAMPLES = 1000
"""Samples that the costly measures look at; of more, so many are drawn at random, which costs precision alone."""


def paired(X: Any, Y: Any, least: int = 2) -> tuple[Features, Others]:
    """Features of the same samples in two modalities, in double precision.

    Args:
        X: One modality, (sample, feature): an array, a table or a tensor.
        Y: The other one; row i is the same sample as row i of X.
        least: Samples that there must be.

    Raises:
        ValueError: For other ranks, numbers that are not finite, rows of different number or labels, or too few of
            them.
    """
    if isinstance(X, pd.DataFrame) and isinstance(Y, pd.DataFrame) and not X.index.equals(Y.index):
        raise ValueError(
            "The tables X and Y have other row labels, or in another order: Y.loc[X.index] brings them together."
        )
    one, other = _matrix("X", X), _matrix("Y", Y)
    if len(one) != len(other):
        raise ValueError(
            f"X and Y must hold the same samples in the same order: X has {len(one)} rows, Y has {len(other)}. "
            "Keep the samples that have both modalities."
        )
    if len(one) < least:
        raise ValueError(f"Expected at least {least} samples in X and Y, got {len(one)}.")
    return one, other


def paired_alike(X: Any, Y: Any) -> tuple[Features, Features]:
    """The same for measures that compare values feature by feature: both modalities have the same features.

    Raises:
        ValueError: As `paired`; and if the widths differ.
    """
    one, other = paired(X, Y)
    if one.shape[1] != other.shape[1]:
        raise ValueError(
            f"X and Y must lie in one space: X has {one.shape[1]} features, Y has {other.shape[1]}. "
            "Map them to one width first, or compare them by linear_cka or cca, which allow different widths."
        )
    return one, other


def _matrix(name: str, values: Any) -> Features:
    if torch.is_tensor(values) and values.is_floating_point():
        values = values.double()  # NumPy knows no bfloat16
    matrix = numeric_values(name, values)
    if matrix.ndim != 2:
        raise ValueError(
            f"{name} must have one row a sample and one column a feature, got shape {matrix.shape}. "
            "Pool tokens or flatten first; a single feature is a column, values[:, None]."
        )
    odd = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(odd):
        raise ValueError(f"{name} must be finite; these rows hold NaN or infinity: {listed(odd)}. Drop or impute them.")
    return np.asarray(matrix, np.float64)


def drawn(count: int, most: int, draw: np.random.Generator) -> Int[ndarray, " drawn"]:
    """Places of at most so many of the samples, in order; all of them if there are no more.

    Raises:
        ValueError: If `most` is no whole number of at least 2.
    """
    check_whole("samples", most, 2)
    return np.arange(count) if count <= most else np.sort(draw.choice(count, most, replace=False))
