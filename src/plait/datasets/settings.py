"""The settings of Meta Fusion's simulations: what is shared between modalities, and what answers to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CURVES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "linear": lambda u: u,
        "quadratic": lambda u: u**2 - u,
        "sine": lambda u: 5 * np.sin(0.2 * u**2) + 0.2 * u**2,
    }
)
"""What a latent does to the response, elementwise, by name (the phi of `SharingSetting`)."""


def require(checks: Mapping[str, bool]) -> None:
    """Raise the first message whose condition does not hold, as a ValueError."""
    for message, holds in checks.items():
        if not holds:
            raise ValueError(message)


@dataclass(frozen=True)
class SharingSetting:
    """Everything about a simulated problem but its size and its seed.

    K modalities have latents of their own and share some; each observes its latents and the shared ones
    through a random mixture with noise, and the response is a weighted sum of curves of the latents (and of
    products of latents of all modalities). To vary a setting: `dataclasses.replace(SETTINGS["2.2"],
    noise=(0.4, 0.4))`.

    Args:
        widths: Observed features of each modality, at least 1 each; there are K of them.
        latents: Latents of each modality, then of the shared block (K + 1 counts; 0: none).
        noise: Share of noise in each modality, 0 (a noiseless mixture) to 1 (pure noise). A feature then has
            the variance a**2 + (1 - a)**2.
        curves: Curve of each modality's latents, then of the shared ones: K + 1 keys of `CURVES`.
        weights: Weight of each modality in the response, then of the shared block, then of the products
            (K + 2 numbers). Weight 0 leaves the block out of the response.
        interactions: Share of all products of one latent a modality that enter the response, 0 to 1.
        bound: Coefficients are uniform between -bound and bound; above 0.

    Raises:
        ValueError: If the lengths do not belong together or a value is out of its range.
    """

    widths: tuple[int, ...]
    latents: tuple[int, ...]
    noise: tuple[float, ...]
    curves: tuple[str, ...]
    weights: tuple[float, ...]
    interactions: float = 0.0
    bound: float = 3.0

    def __post_init__(self) -> None:
        self._check_lengths()
        self._check_ranges()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities: m0, m1, ..."""
        return tuple(f"m{k}" for k in range(len(self.widths)))

    @property
    def products(self) -> int:
        """Number of products of one latent a modality, of which `interactions` is a share."""
        return prod(self.latents[:-1])

    def _check_lengths(self) -> None:
        expected = {"latents": 1, "noise": 0, "curves": 1, "weights": 2}
        for field, extra in expected.items():
            count, given = len(self.widths) + extra, len(getattr(self, field))
            if given != count:
                raise ValueError(
                    f"`{field}` must have {count} entries for {len(self.widths)} modalities, got {given}. "
                    "The order is: modalities, shared, products (see `SharingSetting`)."
                )

    def _check_ranges(self) -> None:
        unknown = sorted(set(self.curves) - set(CURVES))
        narrowest = min(self.widths, default=0)
        checks = {
            f"`curves` must be among {', '.join(CURVES)}, got {', '.join(unknown)}.": not unknown,
            f"`widths` must be at least one number, each 1 or more, got {self.widths}.": narrowest >= 1,
            f"`latents` must be 0 or more, got {self.latents}.": min(self.latents) >= 0,
            f"`noise` must lie between 0 and 1, got {self.noise}.": all(0 <= a <= 1 for a in self.noise),
            f"`interactions` must lie between 0 and 1, got {self.interactions}.": 0 <= self.interactions <= 1,
            f"`bound` must be above 0, got {self.bound}.": self.bound > 0,
        }
        require(checks)


def _early(noise: tuple[float, float]) -> SharingSetting:
    return SharingSetting(
        widths=(2000, 100),
        latents=(20, 20, 0),
        noise=noise,
        curves=("quadratic", "linear", "linear"),
        weights=(1.0, 1.0, 0.0, 1.0),
        interactions=0.1,
    )


def _late(noise: tuple[float, float]) -> SharingSetting:
    return SharingSetting(
        widths=(2000, 400),
        latents=(50, 30, 20),
        noise=noise,
        curves=("linear", "linear", "quadratic"),
        weights=(0.0, 0.0, 1.0, 0.0),
    )


LINEAR = ("linear", "linear", "linear")

SETTINGS: Mapping[str, SharingSetting] = MappingProxyType(
    {
        "1.1": SharingSetting((500, 400), (20, 30, 0), (0.4, 0.4), LINEAR, (1.0, 1.0, 0.0, 0.0)),
        "1.2": _early(noise=(0.1, 0.1)),
        "1.3": _early(noise=(0.5, 0.1)),
        "2.1": SharingSetting((500, 400), (50, 30, 20), (0.4, 0.4), LINEAR, (0.0, 0.0, 1.0, 0.0)),
        "2.2": _late(noise=(0.3, 0.3)),
        "2.3": _late(noise=(0.5, 0.3)),
        "negative-learning": _late(noise=(0.3, 0.3)),
        "four-modalities": SharingSetting(
            widths=(300, 200, 100, 50),
            latents=(20, 20, 10, 10, 0),
            noise=(0.5, 0.1, 0.2, 0.1),
            curves=("quadratic", "linear", "linear", "linear", "linear"),
            weights=(1.0, 1.0, 1.0, 1.0, 0.0, 0.0),
        ),
    }
)
"""The settings of Liang, Qu and Shahbaba (2025) by name.

1.x: complementary modalities, early fusion should win; 2.x: the response depends on what the modalities
share, late fusion helps. 1.3 and 2.3 are 1.2 and 2.2 with a noisier first modality. "negative-learning" draws
the data of 2.2 (its study differs in the cohort); "four-modalities" is the authors' demonstration.
"""
