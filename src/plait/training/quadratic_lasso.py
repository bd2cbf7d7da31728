"""The lasso of a quadratic function, exactly, from its Gram matrix."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.linalg import cho_factor, cho_solve

_GUESSES = 6
_CAUTION = 0.02  # share of a Newton step by which a wrong sign is judged: most become zero, before they turn
_ROUNDING = 1e-13  # of the largest product with the target
_JITTER = 1e-11  # of the largest diagonal entry: equal features share their coefficient

Vector = Float[ndarray, " feature"]


@dataclass(frozen=True)
class QuadraticLasso:
    """The problem of the b that minimises 1/2 b'G b - a'b + strength |b|_1.

    Args:
        gram: G, positive semidefinite.
        aim: a, in the range of G.
        strength: Strength of the penalty, >= 0.
        slack: Violation of the optimality conditions that is let pass, as a share of the strength.
    """

    gram: Float[ndarray, "feature feature"]
    aim: Vector
    strength: float
    slack: float = 1e-9

    def solve(self, start: Vector) -> Vector:
        """The minimiser.

        Given which coefficients are nonzero, and their signs, it is the solution of linear equations. They are guessed
        from the start and corrected by what the solution says (a semismooth Newton method); along a path that ends
        after one or two guesses. Where guesses go in circles, feature-sign search (Lee, Battle, Raina and Ng, 2007)
        takes over, which lowers the objective at every step and ends after finitely many.

        Args:
            start: A guess.
        """
        found = self._by_guesses(start)
        return self._by_descent(start) if found is None else found

    def value(self, found: Vector) -> float:
        """What is minimised."""
        return float(found @ (self.gram @ found) / 2 - self.aim @ found + self.strength * np.abs(found).sum())

    def slope(self, found: Vector) -> Vector:
        """Minus the derivative of the quadratic function."""
        return np.asarray(self.aim - self.gram @ found)

    def violation(self, found: Vector) -> float:
        """The largest violation of an optimality condition."""
        slope = self.slope(found)
        active = np.abs(slope - self.strength * np.sign(found))
        return float(np.where(found != 0, active, np.abs(slope) - self.strength).max(initial=0.0))

    @property
    def _limit(self) -> float:
        """Slopes up to here hold a coefficient at zero."""
        return float(self.strength * (1 + self.slack) + _ROUNDING * np.abs(self.aim).max(initial=0.0))

    def _solved(self, signs: Vector) -> Vector:
        """The stationary point where these are the signs, if they were kept."""
        active, found = np.flatnonzero(signs), np.zeros_like(signs)
        if len(active):
            gram = self.gram.take(active, 0).take(active, 1).T  # symmetric; as LAPACK wants it, without a copy
            gram.T.flat[:: len(active) + 1] += _JITTER * self.gram.diagonal().max()
            factor = cho_factor(gram, overwrite_a=True, check_finite=False)
            right = self.aim - self.strength * signs
            found[active] = cho_solve(factor, right[active], check_finite=False)
            rest = (right - self.gram @ found)[active]  # a second time, which takes back the jitter, and rounding
            found[active] += cho_solve(factor, rest, check_finite=False)
        return found

    def _by_guesses(self, start: Vector) -> Vector | None:
        """The minimiser by guesses of all signs at once; None if they do not settle."""
        scale = _CAUTION * self.gram.diagonal()
        pull = np.where(start != 0, np.copysign(np.inf, start), self.slope(start))
        for _ in range(_GUESSES):
            signs = np.where(np.abs(pull) > self.strength, np.sign(pull), 0.0)
            found = self._solved(signs)
            pull = scale * found + self.slope(found)
            kept = np.where(found * signs > 0, found, 0.0)
            if self.violation(kept) <= self._limit - self.strength:
                return kept
        return None

    def _by_descent(self, start: Vector) -> Vector:
        """The minimiser by steps that lower the objective: to the best of the present signs, or with further ones."""
        found, settled, most = start, False, len(start)
        while True:
            signs = np.sign(found)
            further = self._further(found, most) if settled else np.zeros_like(found)
            if settled and not further.any():
                return found
            aimed = self._solved(signs + further)
            kept = bool((aimed * (signs + further) >= 0).all())
            lower = aimed if kept else self._along(found, aimed)
            if self.value(lower) < self.value(found):
                found, settled = lower, kept
            elif settled and most == 1:
                return found  # nothing is lower, to rounding
            else:
                settled, most = True, max(1, most // 4) if settled else most

    def _further(self, found: Vector, most: int) -> Vector:
        """Signs of the coefficients that should leave zero, the steepest so many."""
        slope = np.where(found == 0, self.slope(found), 0.0)
        chosen = np.argsort(-np.abs(slope), kind="stable")[:most]
        signs = np.zeros_like(found)
        signs[chosen] = np.where(np.abs(slope[chosen]) > self._limit, np.sign(slope[chosen]), 0.0)
        return signs

    def _along(self, found: Vector, aimed: Vector) -> Vector:
        """The lowest of the points towards the aim where a coefficient becomes zero, and of the aim."""
        moved = aimed - found
        crossing = found * aimed < 0
        places = np.where(crossing, found / np.where(crossing, -moved, 1.0), np.inf)
        sizes = np.append(np.unique(places[crossing]), 1.0)
        line = -(self.slope(found) @ moved), moved @ (self.gram @ moved) / 2
        lengths = np.abs(found + sizes[:, None] * moved).sum(1)
        best = sizes[np.argmin(line[0] * sizes + line[1] * sizes**2 + self.strength * lengths)]
        return np.where(places == best, 0.0, found + best * moved)
