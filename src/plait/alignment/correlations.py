"""Canonical correlations: how well directions of one modality are linear maps of the other.

Written here, as scikit-learn's CCA finds the directions one after the other by iteration, may not converge, knows no
ridge and returns no correlations; cca_zoo would be one more dependency for what singular value decompositions (Björck
and Golub, 1973) give at once and exactly.
"""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.alignment.features import paired
from plait.data.settings import check_real
from plait.statistics.cka import Features, centred

Basis = Float[ndarray, "sample direction"]
Strengths = Float[ndarray, " direction"]
Correlations = Float[ndarray, " correlation"]


def cca(X: Any, Y: Any, ridge: float = 0.0) -> Correlations:
    """The canonical correlations of two modalities, in falling order: take their mean or their sum.

    They are the singular values of (S11 + eI)^(-1/2) S12 (S22 + eI)^(-1/2). Invertible linear maps of either modality
    change nothing in the limit of no ridge; of two single features it is their absolute correlation. As many are 1
    whatever the values are as both widths together exceed the number of samples less one.

    Args:
        X: One modality, (sample, feature).
        Y: The other, of any width; row i is the same sample.
        ridge: What is added to both covariances, times the modality's mean variance, >= 0; 0 is plain CCA, large
            values draw all correlations to 0.

    Returns:
        In [0, 1], one for each direction in which both modalities vary: min(rank X, rank Y); a single 0 if one of
        them does not vary.

    Raises:
        ValueError: For a negative ridge, other ranks, numbers that are not finite, or rows of different number.
    """
    check_real("ridge", ridge)
    return _correlations(*(_whitened(centred(values), ridge) for values in paired(X, Y)))


def svcca(X: Any, Y: Any, keep: float = 0.99) -> Correlations:
    """Canonical correlations of the leading principal components, in falling order (Raghu et al., 2017).

    Directions of little variance, which CCA takes as seriously as any, are dropped first.

    Args:
        X: One modality, (sample, feature).
        Y: The other, of any width; row i is the same sample.
        keep: Share of each modality's variance that the components must explain, in (0, 1]; 1 is plain CCA.

    Returns:
        In [0, 1], one for each direction kept in both; a single 0 if a modality does not vary.

    Raises:
        ValueError: For a share outside (0, 1], other ranks, numbers that are not finite, or rows of different number.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep must be in (0, 1], the share of the variance that is kept; got {keep!r}.")
    return _correlations(*(_leading(centred(values), keep) for values in paired(X, Y)))


def components(values: Features) -> tuple[Basis, Strengths]:
    """Orthonormal scores and singular values of the directions in which centred features vary."""
    left, strengths, _ = np.linalg.svd(values, full_matrices=False)
    least = strengths[0] * max(values.shape) * np.finfo(np.float64).eps
    varies = strengths > least
    return left[:, varies], strengths[varies]


def _whitened(values: Features, ridge: float) -> Basis:
    """X (X'X + n e I)^(-1/2) in the basis of its principal components."""
    left, strengths = components(values)
    added = ridge * np.square(strengths).sum() / values.shape[1]
    return np.asarray(left * (strengths / np.sqrt(strengths**2 + added)))


def _leading(values: Features, keep: float) -> Basis:
    """The fewest leading components that explain the share; all that vary for 1."""
    left, strengths = components(values)
    explained = np.cumsum(strengths**2)
    enough = 1 + int(np.searchsorted(explained, keep * explained[-1] * (1 - 1e-12))) if len(explained) else 0
    return left[:, : enough if keep < 1 else None]


def _correlations(one: Basis, other: Float[ndarray, "sample other"]) -> Correlations:
    if not one.shape[1] or not other.shape[1]:
        return np.zeros(1)
    return np.asarray(np.clip(np.linalg.svd(one.T @ other, compute_uv=False), 0, 1))
