"""Students of one representation with labels of their own: each can express the mean of all (statements T4 and T5).

They are ridge heads in closed form with next to no penalty, so that a fit is the projection of its labels; what they
learn from each other is what heads in closed form learn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.nn.closed_path import Fit
from plait.nn.ridge_path import RidgePath
from plait.reproduce.theory_formulas import best_rho

EQUAL, WORSE, ALIKE = "peers as good", "noisier peers", "peers with its errors"
_ROWS, _WIDTH, _DESIGN, _PENALTY = 60, 8, 3, 1e-13


@dataclass(frozen=True, eq=False)
class Imitators:
    """Three students, of whom all teach; the first is asked about.

    Args:
        values: What all of them read.
        mean: Labels without noise.
        labels: Those of each student, with noise.
        own: Variance of the noise that each has alone.
        common: What each has of the noise that they share.
    """

    values: Float[Tensor, "row width"]
    mean: Float[Tensor, " row"]
    labels: Sequence[Float[Tensor, "row draw"]]
    own: tuple[float, ...]
    common: tuple[float, ...]

    @property
    def expected(self) -> tuple[float, float, float]:
        """R_i of the first student, R_C and G: risks are counted in noise of variance 1."""
        count, together = len(self.own), float(np.mean(self.common))
        return (
            self.own[0] + self.common[0] ** 2,
            sum(self.own) / count**2 + together**2,
            self.own[0] / count + self.common[0] * together,
        )

    def risks(self, rhos: Sequence[float]) -> Float[ndarray, "rho student draw"]:
        """Of every student, draw by draw."""
        return np.array([[self._risk(fit(self.values)) for fit in self.fits(rho)] for rho in rhos])

    def decomposed(self, rhos: Sequence[float]) -> tuple[Float[ndarray, "rho draw"], ...]:
        """The students' mean risk, the risk of their mean, and their ambiguity (variance about it)."""
        found = []
        for rho in rhos:
            said = torch.stack([fit(self.values) for fit in self.fits(rho)])
            mean = said.mean(0)
            ambiguity = (said - mean).square().mean((0, 1)) * _unit()
            single = torch.stack([torch.from_numpy(self._risk(one)) for one in said]).mean(0)
            found.append((single.numpy(), self._risk(mean), ambiguity.numpy()))
        return tuple(np.array(part) for part in zip(*found, strict=True))

    def fits(self, rho: float) -> list[Fit]:
        """Every student's fit, drawn to the fit to the mean of what all say alone."""
        return [fit.towards(self._common, rho) for fit in self._alone]

    @cached_property
    def _path(self) -> RidgePath:
        return RidgePath(self.values, products=False)

    @cached_property
    def _alone(self) -> list[Fit]:
        return [self._path.fit(labels, penalty=_PENALTY) for labels in self.labels]

    @cached_property
    def _common(self) -> Fit:
        lesson = torch.stack([fit(self.values) for fit in self._alone]).mean(0)
        return self._path.fit(lesson, penalty=_PENALTY)

    def _risk(self, said: Float[Tensor, "row draw"]) -> Float[ndarray, " draw"]:
        """Mean square of the errors, in units of what noise of variance 1 does to a fit."""
        return np.asarray((said - self.mean[:, None]).square().mean(0) * _unit())


def stories(draws: int, seed: int) -> dict[str, Imitators]:
    """A student among equals, among noisier ones, and among such as have its own errors and more of them."""
    share = 0.7**0.5
    kinds: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
        EQUAL: ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
        WORSE: ((1.0, 6.0, 6.0), (0.0, 0.0, 0.0)),
        ALIKE: ((0.3, 0.3, 0.3), (share, 1.6, 1.6)),
    }
    random = np.random.default_rng(_DESIGN)
    values = random.normal(size=(_ROWS, _WIDTH))
    mean = values @ random.normal(size=_WIDTH)
    noise = np.random.default_rng((seed, 2))
    return {name: _labelled(values, mean, noise, draws, *kind) for name, kind in kinds.items()}


def over_best(one: Imitators, reach: float = 20.0) -> float:
    """Measured risk of the first student at the best rho of the formula, over the lowest of many measured ones."""
    own, common, crossed = one.expected
    grid = [best_rho(own, common, crossed), 0.0, *np.geomspace(0.01, reach, 40).tolist()]
    risks = one.risks(grid)[:, 0].mean(1)
    return float(risks[0] / risks.min())


def _labelled(
    values: Float[ndarray, "row width"],
    mean: Float[ndarray, " row"],
    noise: np.random.Generator,
    draws: int,
    own: tuple[float, ...],
    common: tuple[float, ...],
) -> Imitators:
    shared = noise.normal(size=(len(mean), draws))
    labels = [
        torch.from_numpy(mean[:, None] + part * shared + variance**0.5 * noise.normal(size=shared.shape))
        for variance, part in zip(own, common, strict=True)
    ]
    return Imitators(torch.from_numpy(values), torch.from_numpy(mean), labels, own, common)


def _unit() -> float:
    """Samples a fitted value (with the intercept)."""
    return _ROWS / (_WIDTH + 1)
