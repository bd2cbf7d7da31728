"""A curve of a statement: what was measured at some values of rho, and what the formula says of all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.reproduce.study import Table

COLUMNS = ("rho", "measured", "error", "formula", "tangent", "reference")
_DENSE = 40
_FAR = 0.94  # of rho / (1 + rho), where the drawn formula ends

NAN = float("nan")


@dataclass(frozen=True)
class Curve:
    """Measured points beside a formula.

    Args:
        name: What it is of.
        rhos: Where it was measured.
        measured: The points.
        error: Their standard errors; NaN where chance has no part.
        formula: The value at any rho; None is none.
        slope: Slope of the formula at 0; NaN is not stated.
        reference: Known values at these rho; () is none.
    """

    name: str
    rhos: Sequence[float]
    measured: Float[ndarray, " rho"]
    error: Float[ndarray, " rho"]
    formula: Callable[[float], float] | None = None
    slope: float = NAN
    reference: Sequence[float] = ()

    @classmethod
    def of_draws(
        cls,
        name: str,
        rhos: Sequence[float],
        draws: Float[ndarray, "rho draw"],
        formula: Callable[[float], float] | None = None,
        slope: float = NAN,
    ) -> "Curve":
        """Means over repetitions with their standard errors."""
        return cls(name, rhos, draws.mean(1), standard_error(draws), formula, slope)

    @property
    def distance(self) -> float:
        """Largest difference of a point from the formula."""
        return float(np.abs(self.measured - self.expected).max())

    @property
    def away(self) -> float:
        """The same in standard errors; points that have none (their draws do not differ) are left out."""
        known = self.error > 1e-12 * np.abs(self.measured).max()
        return float((np.abs(self.measured - self.expected)[known] / self.error[known]).max(initial=0.0))

    @property
    def expected(self) -> Float[ndarray, " rho"]:
        """The formula where it was measured."""
        assert self.formula is not None
        return np.array([self.formula(rho) for rho in self.rhos])

    def rows(self) -> Table:
        """The points, then the formula in between; a row a point, named "curve at rho"."""
        found = {f"{self.name} at {rho:g}": self._row(rho, place) for place, rho in enumerate(self.rhos)}
        if self.formula is not None:
            dense = (share / (1 - share) for share in np.linspace(0, _FAR, _DENSE))
            found |= {f"{self.name} along {rho:.4g}": self._row(float(rho), None) for rho in dense}
        return found

    def _row(self, rho: float, place: int | None) -> Mapping[str, float]:
        point = (NAN, NAN) if place is None else (float(self.measured[place]), float(self.error[place]))
        expected = NAN if self.formula is None else self.formula(rho)
        known = self.reference[place] if place is not None and place < len(self.reference) else NAN
        return dict(zip(COLUMNS, (rho, *point, expected, self.slope * rho, known), strict=True))


def standard_error(draws: Float[ndarray, "... draw"]) -> Float[ndarray, "..."]:
    """Of the mean over repetitions."""
    return np.asarray(draws.std(-1, ddof=1) / draws.shape[-1] ** 0.5)


def table_of(curves: Sequence[Curve]) -> Table:
    """All rows of some curves."""
    return {name: row for curve in curves for name, row in curve.rows().items()}
