"""How far apart the modalities' global features are: losses whose value does not change when all of them shrink."""

from collections.abc import Callable
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from plait.data.settings import check_one_of
from plait.data.shapes import Present

Features = Float[Tensor, "batch width"]
Scalar = Float[Tensor, ""]

_TEMPERATURE = 0.07
_RIDGE = 1e-3  # by the mean variance
_LEAST = 1e-24  # of what is divided by: constant features give 0 or much, not NaN
_SHARE = 1e-6  # of the mean squares, added to the variances for the same reason
_ROWS = 2  # there is no spread in fewer


def alignment_loss(pooled: Float[Tensor, "batch modality width"], present: Present, kind: str) -> Scalar:
    """Distance of the modalities' global features, averaged over the pairs of modalities.

    Args:
        pooled: Global features.
        present: Which modalities each sample has; of a pair, the samples that have both count, and a pair with fewer
            than two of them does not. Without any such pair the loss is 0.
        kind: "mse" (mean squared distance by the sum of the variances: 0 where alike, about 1 where independent),
            "infonce" (each sample must find its partner among all, by cosine, at temperature 0.07; both directions),
            "coral" (squared distance of the covariances by the sum of their squares, in [0, 1]), "mmd" (squared
            maximum mean discrepancy with a Gaussian kernel as wide as the median distance), or "cca" (minus the sum of
            the canonical correlations, with a ridge of 0.001 of the mean variance).

    Raises:
        ValueError: If the kind is unknown.
    """
    check_one_of("kind", kind, LOSSES)
    with torch.autocast(pooled.device.type, enabled=False):
        values = pooled.to(torch.promote_types(pooled.dtype, torch.float32))
        found = []
        for one, other in combinations(range(values.shape[1]), 2):
            both = present[:, one] & present[:, other]
            if both.sum() >= _ROWS:
                found.append(LOSSES[kind](values[both, one], values[both, other]))
        return torch.stack(found).mean() if found else values.new_zeros(())


def squared_gap(one: Features, other: Features) -> Scalar:
    """E |a - b|^2 / (tr cov a + tr cov b), with the divisor taken for a constant."""
    both = torch.cat([one, other], 1)
    spread = both.var(0, correction=0).sum() + _SHARE * both.square().sum(1).mean()
    return (one - other).square().sum(1).mean() / spread.detach().clamp(min=_LEAST)


def infonce(one: Features, other: Features) -> Scalar:
    """Mean cross-entropy of finding the partner of each sample, in both directions (van den Oord et al., 2018)."""
    logits = normalize(one, dim=1) @ normalize(other, dim=1).T / _TEMPERATURE
    own = torch.arange(len(one), device=one.device)
    return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def coral(one: Features, other: Features) -> Scalar:
    """|A - B|^2 / (|A|^2 + |B|^2) of the covariances, with the divisor taken for a constant (Sun & Saenko, 2016)."""
    first, second = _covariance(one, one), _covariance(other, other)
    total = first.square().sum() + second.square().sum()
    return (first - second).square().sum() / total.detach().clamp(min=_LEAST)


def mmd(one: Features, other: Features) -> Scalar:
    """Squared maximum mean discrepancy, all pairs counted (Gretton et al., 2012): at least 0."""
    count, values = len(one), torch.cat([one, other])
    squares = torch.cdist(values, values).square()
    apart = squares.detach()[~torch.eye(2 * count, dtype=torch.bool, device=values.device)]
    kernel = torch.exp(-squares / (2 * apart.median()).clamp(min=_LEAST))
    return kernel[:count, :count].mean() + kernel[count:, count:].mean() - 2 * kernel[:count, count:].mean()


def cca(one: Features, other: Features) -> Scalar:
    """Minus the sum of the canonical correlations.

    They are the singular values of L_a^-1 C_ab L_b^-T with the Cholesky factors L of the two covariances, whose
    gradients need no distinct eigenvalues as those of square roots do.
    """
    first, second = _factor(_covariance(one, one)), _factor(_covariance(other, other))
    left = torch.linalg.solve_triangular(first, _covariance(one, other), upper=False)
    whitened = torch.linalg.solve_triangular(second, left.T, upper=False)
    total: Tensor = torch.linalg.svdvals(whitened).sum()
    return -total


def _covariance(one: Features, other: Features) -> Float[Tensor, "width width"]:
    return (one - one.mean(0)).T @ (other - other.mean(0)) / len(one)


def _factor(covariance: Float[Tensor, "width width"]) -> Float[Tensor, "width width"]:
    ridge = _RIDGE * covariance.diagonal().mean().clamp(min=_LEAST)
    one = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
    factor: Tensor = torch.linalg.cholesky(covariance + ridge * one)
    return factor


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": squared_gap,
    "infonce": infonce,
    "coral": coral,
    "mmd": mmd,
    "cca": cca,
}
