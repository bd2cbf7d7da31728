"""Centred kernel alignment: whether two modalities put the same samples close to each other."""

from typing import Any

from plait.alignment.features import paired
from plait.statistics.cka import comparable, cosine, overlap, unbiased_overlap


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
    one, other = (comparable(values) for values in paired(X, Y, 4 if debiased else 2))
    alike = unbiased_overlap if debiased else overlap
    return cosine(alike(one, other), alike(one, one), alike(other, other))
