"""Principal components of a modality: one decomposition for any number of them, and how many stand out of noise."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from scipy.integrate import quad
from scipy.optimize import brentq
from torch import Tensor


@dataclass(frozen=True)
class Decomposition:
    """The principal components of samples: centred, not scaled, the largest first.

    Args:
        mean: Mean of each feature.
        directions: One column a component, orthonormal; as many as there are of positive strength. The loading of each
            with the largest magnitude is positive.
        strengths: Singular values of the centred samples.
        shape: Numbers of samples and of features.
    """

    mean: Float[Tensor, " width"]
    directions: Float[Tensor, "width component"]
    strengths: Float[Tensor, " component"]
    shape: tuple[int, int]

    @classmethod
    def of(cls, values: Float[Tensor, "batch ..."]) -> "Decomposition":
        """Decompose samples, in double precision.

        The eigenvectors of the smaller of the two products of the samples with themselves give the space; a singular
        value decomposition within would cost three times as much. Components below 1e-7 of the largest, where squares
        are lost in rounding, are left out.
        """
        rows = values.flatten(1).double()
        mean = rows.mean(0) if len(rows) else rows.new_zeros(rows.shape[1])
        rows = rows - mean
        wide = rows.shape[1] > len(rows)
        squares, vectors = torch.linalg.eigh(rows @ rows.T if wide else rows.T @ rows)
        squares, vectors = squares.flip(0), vectors.flip(1)
        kept = int((squares > squares.max() * _LEAST**2).sum()) if len(rows) and squares.max() > 0 else 0
        strengths, vectors = squares[:kept].sqrt(), vectors[:, :kept]
        directions = rows.T @ vectors / strengths if wide else vectors
        sign = directions.gather(0, directions.abs().argmax(0, keepdim=True)).sign() if kept else directions[:1]
        return cls(mean, directions * sign, strengths, (len(rows), rows.shape[1]))

    def scores(self, values: Float[Tensor, "batch ..."], count: int) -> Float[Tensor, "batch count"]:
        """Scores of samples on the first components, each of unit variance over the samples that were decomposed."""
        spread = self.strengths[:count] / math.sqrt(max(self.shape[0], 1))
        return (values.flatten(1).double() - self.mean) @ (self.directions[:, :count] / spread)

    @property
    def rank(self) -> int:
        """How many components stand out of white noise of unknown strength, at least 1 where there is any.

        Those whose singular value is above the threshold of Gavish and Donoho, "The Optimal Hard Threshold for
        Singular Values is 4/sqrt(3)" (2014), section "unknown noise": a multiple of the median singular value.
        """
        shorter, longer = sorted(self.shape)
        if len(self.strengths) == 0:
            return 0
        every = torch.zeros(shorter, dtype=self.strengths.dtype)
        every[: len(self.strengths)] = self.strengths[:shorter]
        threshold = noise_threshold(shorter / longer) * float(every.median())
        return max(int((self.strengths > threshold).sum()), 1)


@lru_cache
def noise_threshold(aspect: float) -> float:
    """The optimal threshold for singular values as a multiple of their median, of noise of unknown strength.

    lambda(aspect) / sqrt(median of the Marchenko-Pastur law), 2.858 for a square matrix (Gavish and Donoho, 2014).

    Args:
        aspect: The shorter side of the matrix divided by the longer, in (0, 1].
    """
    optimal = math.sqrt(2 * (aspect + 1) + 8 * aspect / ((aspect + 1) + math.sqrt(aspect**2 + 14 * aspect + 1)))
    return optimal / math.sqrt(_median_of_noise(aspect))


def _median_of_noise(aspect: float) -> float:
    """Median of the squared singular values of white noise, divided by the longer side (Marchenko and Pastur, 1967).

    The substitution x = middle + half sin(t) takes the square roots out of both ends of the density.
    """
    low, high = (1 - math.sqrt(aspect)) ** 2, (1 + math.sqrt(aspect)) ** 2
    middle, half = (low + high) / 2, (high - low) / 2

    def density(angle: float) -> float:
        return (half * math.cos(angle)) ** 2 / (2 * math.pi * aspect * (middle + half * math.sin(angle)))

    def above(angle: float) -> float:
        return float(quad(density, -math.pi / 2, angle)[0]) - 0.5

    return middle + half * math.sin(float(brentq(above, -math.pi / 2, math.pi / 2)))


_LEAST = 1e-7
