"""Risk on new samples, by simulation: three models of two modalities, and the values that are known of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.reproduce.theory_formulas import coefficients

RHOS = (0.0, 0.5, 0.99, 3.0, 10.0, 30.0)
REFERENCE_DRAWS = 300
"""Simulated data sets behind every reference value."""
_ROWS, _WIDTH = 60, 20
_DIRECTION = np.ones(_WIDTH) / np.sqrt(_WIDTH)


@dataclass(frozen=True)
class Drawn:
    """Simulated data sets.

    Args:
        designs: What each student reads; all of them teach.
        target: Labels.
        new_risk: Risk on new samples of some weights of a student, by place.
    """

    designs: Sequence[Float[ndarray, "draw row _"]]
    target: Float[ndarray, "draw row"]
    new_risk: Callable[[Float[ndarray, "draw width"], int], Float[ndarray, " draw"]]

    def risks(self, rhos: Sequence[float]) -> Float[ndarray, "student rho draw"]:
        """Of every student, data set by data set."""
        fits = coefficients(self.designs, self.designs, self.target, rhos)
        return np.array([[self.new_risk(fit, student) for fit in each] for student, each in enumerate(fits)])


def redundant(random: np.random.Generator, draws: int) -> Drawn:
    """Both modalities carry the same latent value V; Y = V + 0.5 N. Students read the first, the second, both."""
    latent = random.normal(size=(draws, _ROWS))
    x = [latent[..., None] * _DIRECTION + random.normal(size=(draws, _ROWS, _WIDTH)) for _ in range(2)]

    def new_risk(weights: Float[ndarray, "draw width"], student: int) -> Float[ndarray, " draw"]:
        gain = weights @ np.tile(_DIRECTION, 1 + (student == 2))
        return np.asarray((1 - gain) ** 2 + 0.25 + np.square(weights).sum(-1))

    return Drawn([*x, np.concatenate(x, -1)], latent + 0.5 * random.normal(size=latent.shape), new_risk)


def complementary(random: np.random.Generator, draws: int) -> Drawn:
    """Each modality carries one of two latent values; Y = V1 + V2 + 0.5 N, X_k = V_k v' + 0.5 N. Students as above."""
    latent = random.normal(size=(2, draws, _ROWS))
    x = [part[..., None] * _DIRECTION + 0.5 * random.normal(size=(draws, _ROWS, _WIDTH)) for part in latent]

    def new_risk(weights: Float[ndarray, "draw width"], student: int) -> Float[ndarray, " draw"]:
        read = (slice(0, _WIDTH), slice(_WIDTH, 2 * _WIDTH)) if student == 2 else (slice(0, _WIDTH),)
        left = sum((1 - weights[:, part] @ _DIRECTION) ** 2 for part in read) + (student != 2)
        return np.asarray(left + 0.25 + 0.25 * np.square(weights).sum(-1))

    return Drawn([*x, np.concatenate(x, -1)], latent.sum(0) + 0.5 * random.normal(size=latent[0].shape), new_risk)


def unequal(random: np.random.Generator, draws: int) -> Drawn:
    """One value, seen by a weak student (noise 1) and by a strong one (noise 0.1); ten samples, no label noise."""
    latent = random.normal(size=(draws, 10))
    x = [latent[..., None] + noise * random.normal(size=(draws, 10, 1)) for noise in (1, 0.1)]
    return Drawn(x, latent, lambda weights, student: ((1 - weights) ** 2 + weights**2 * (1, 0.01)[student])[:, 0])


Model = Callable[[np.random.Generator, int], Drawn]
REFERENCE: Mapping[Model, Mapping[int, tuple[float, ...]]] = {
    redundant: {
        0: (1.153, 1.109, 1.080, 1.025, 1.000, 1.041),
        1: (1.157, 1.110, 1.081, 1.026, 1.001, 1.042),
        2: (1.793, 1.378, 1.173, 0.902, 0.854, 0.962),
    },
    complementary: {0: (2.163, 2.109, 2.075, 2.016, 2.003), 2: (1.979, 1.548, 1.379, 1.300, 1.570)},
    unequal: {1: (0.0112, 0.0226, 0.0443, 0.146, 0.389)},
}
"""Known risks by model and place of the student, at the first of `RHOS`: means over `REFERENCE_DRAWS` data sets."""
