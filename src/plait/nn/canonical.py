"""Canonical correlation of encodings: how well one is a linear map of the other."""

from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_RIDGE = 1e-3
_LEAST = 1e-8  # added to the variances: constant encodings have correlation 0, not 0 / 0


def squared_correlation(
    one: Float[Tensor, "*lead batch width"],
    other: Float[Tensor, "*lead batch width"],
    counted: Bool[Tensor, "*lead batch"],
    ridge: float = _RIDGE,
) -> Float[Tensor, "*lead"]:
    """Mean of the squared canonical correlations of two encodings, from 0 (none) to 1 (each determines the other).

    With T = S11^(-1/2) S12 S22^(-1/2) it is ||T||_F^2 / width = tr(S11^(-1) S12 S22^(-1) S21) / width: the squares of
    the correlations of Andrew et al., "Deep Canonical Correlation Analysis" (2013). They sum the singular values of T
    themselves, whose gradients are not defined where two of them are equal; the squares are smooth everywhere. In n
    samples without any correlation it is about width / (n - 1).

    Args:
        one: An encoding.
        other: Another one of the same samples.
        counted: The samples that count.
        ridge: What is added to both covariances, times the mean variance, >= 0; so correlations do not depend on the
            scale, nor, in the limit 0, on any invertible linear map of an encoding.
    """
    width, weights = one.shape[-1], counted[..., None].to(one.dtype)
    values = torch.cat([one, other], -1)
    deviations = (values - (values * weights).sum(-2, keepdim=True) / _at_least_1(weights)) * weights
    covariance = deviations.mT @ deviations / _at_least_1(weights)
    top, bottom = covariance.split(width, -2)  # type: ignore[no-untyped-call]
    own = torch.stack([top[..., :width], bottom[..., width:]])
    cross = torch.stack([top[..., width:], bottom[..., :width]])
    added = ridge * own.diagonal(dim1=-2, dim2=-1).mean(-1) + _LEAST
    there, back = torch.linalg.solve_ex(own + torch.diag_embed(added[..., None].expand(*added.shape, width)), cross)[0]
    mean: Tensor = (there * back.mT).sum((-2, -1)) / width
    return mean


def _at_least_1(weights: Float[Tensor, "*lead batch 1"]) -> Float[Tensor, "*lead 1 1"]:
    """The number of samples that count, or 1."""
    return weights.sum(-2, keepdim=True).clamp(min=1)


def pairwise_correlation(
    encoded: Float[Tensor, "unit batch modality width"], counted: Bool[Tensor, "unit batch modality"]
) -> Float[Tensor, " unit"]:
    """Mean of the squared canonical correlations over all pairs of modalities; 0 where there is one.

    A pair with fewer than 2 * width + 2 samples adds 0: below, some correlations are 1 whatever the values are.

    Args:
        encoded: Encodings.
        counted: The samples and modalities that count; of a pair, those samples with which both do.
    """
    pairs = list(combinations(range(encoded.shape[2]), 2))
    if not pairs:
        return encoded.new_zeros(len(encoded))
    with torch.autocast(encoded.device.type, enabled=False):  # there are no factors in half precision
        values = encoded.transpose(1, 2).to(torch.promote_types(encoded.dtype, torch.float32))
        one, other = (list(places) for places in zip(*pairs, strict=True))
        both = (counted[..., one] & counted[..., other]).mT
        found = squared_correlation(values[:, one], values[:, other], both)
    return found.where(both.sum(-1) >= 2 * encoded.shape[3] + 2, 0).mean(1)
