"""Linear cooperative learning: exact solutions along a path of penalties.

For one output, with scores f_m = X_m b_m, this minimises over intercept and coefficients

    1/n [ sum_i loss(y_i, b_0 + s_i sum_m f_im) + rho/2 sum_i sum_{m < m'} (f_im - f_im')^2 ]
        + lambda (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2),

where pairs count for the samples that have both modalities, and s_i fills in for absent ones (1 on complete samples).
It is the lasso on augmented rows of Ding, Li, Narasimhan and Tibshirani (2022), solved without them. Every step
minimises the quadratic approximation of the loss on a *working set* of coefficients, those that are or may become
nonzero, by its Gram matrix X'SWSX + rho R, so that neither the augmented rows nor a matrix of all features are built
where these are many. The optimality conditions of all coefficients are checked after every step, and violators join
the set, so that the result is exact.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sklearn.exceptions import ConvergenceWarning

from plait.nn.additive import fill_factor
from plait.training.cooperative_design import Coefficients, Design
from plait.training.families import Family
from plait.training.quadratic_lasso import QuadraticLasso

_ROUNDS = 500
_HALVINGS = 30
_ROUNDING = 1e-13  # of the objective
_LEAST = 1e-4  # of the strongest penalty: below it, optimality is judged as there
_ENOUGH, _GAIN, _FEWEST = 0.999, 1e-5, 5  # glmnet's rules for the end of a path

Working = dict[int, Int[ndarray, " _"]]  # features, by output


@dataclass
class Solution:
    """A minimiser at one strength of the penalty.

    Args:
        strength: lambda.
        intercept: Of every output.
        coefficients: One row a feature of the design (centred).
        explained: Share of the deviance of the model without features that is explained.
    """

    strength: float
    intercept: Float[ndarray, " out"]
    coefficients: Coefficients
    explained: float


class CooperativePath:
    """Solutions at one rho, from strong penalties to weak ones, each the start of the next.

    Args:
        design: The samples.
        target: What is to be predicted, in the form that the family wants.
        family: The loss.
        rho: Strength of the agreement, >= 0.
        l1_ratio: Share of the lasso in the penalty, in (0, 1].
        tolerance: Largest violation of the optimality conditions, as a share of lambda.
    """

    def __init__(
        self,
        design: Design,
        target: Float[ndarray, "sample out"],
        family: Family,
        rho: float,
        l1_ratio: float = 1.0,
        tolerance: float = 1e-6,
    ) -> None:
        self.design, self.target, self.family, self.rho, self.l1_ratio = design, target, family, rho, l1_ratio
        self.samples, outputs = target.shape
        self.fill = fill_factor(design.count, design.present.shape[1], rho)
        self.intercept = family.null(target)
        self.coefficients = np.zeros((design.features.shape[1], outputs))
        self.scores = np.zeros((design.present.shape[1], self.samples, outputs))
        self.said = family.predict(self._linear(), target)
        self._null = self.said.loss
        self.slope = self.gradient()
        self.strongest = float(np.abs(self.slope).max(initial=0.0)) / l1_ratio
        """The smallest lambda at which every coefficient is zero."""
        self.tolerance = tolerance

    def solutions(self, strengths: Sequence[float], *, to_the_end: bool = False) -> Iterator[Solution]:
        """The minimisers at falling strengths.

        The path ends where a further solution would add next to nothing, as glmnet's does: when 99.9 % of the deviance
        is explained, or the last step explained less than one part in 100,000 more.

        Args:
            strengths: Values of lambda, in falling order.
            to_the_end: Go on to the last strength whatever is explained.
        """
        before, explained = max(self.strongest, *strengths), 0.0
        for place, strength in enumerate(strengths):
            self._solve(strength, before)
            gained = self.explained() - explained
            before, explained = strength, explained + gained
            yield Solution(strength, self.intercept.copy(), self.coefficients.copy(), explained)
            idle = place >= _FEWEST and explained > 0 and gained < _GAIN * explained
            if not to_the_end and (idle or explained > _ENOUGH):
                return

    def explained(self) -> float:
        """Share of the deviance of the model without features that is explained."""
        return 1 - self.said.loss / self._null if self._null > 0 else 0.0

    def objective(self, strength: float) -> float:
        """What is minimised, at the present coefficients."""
        size, here = self.design.count[:, None], self.design.present.T[..., None]
        apart = np.where(here, self.scores - self.scores.sum(0) / size, 0.0)  # sum over pairs = size * sum of squares
        agreement = self.rho / 2 * float((size * apart**2).sum())
        lasso, ridge = self.l1_ratio, (1 - self.l1_ratio) / 2
        penalty = lasso * np.abs(self.coefficients).sum() + ridge * (self.coefficients**2).sum()
        return float((self.said.loss + agreement) / self.samples + strength * penalty)

    def gradient(self) -> Coefficients:
        """Minus the slope of loss and agreement in every coefficient, per sample."""
        pull = self.fill[:, None] * (self.target - self.said.expected) + self.rho * self.scores.sum(0)
        parts = zip(self.design.parts, self.scores, strict=True)
        drawn = [(part, pull - self.rho * self.design.count[:, None] * score) for part, score in parts]
        slopes = [self.design.features[:, part].T @ values for part, values in drawn]
        return np.asarray(np.concatenate(slopes) / self.samples)

    def violations(self, strength: float) -> Coefficients:
        """How far every coefficient is from its optimality condition."""
        lasso, ridge = strength * self.l1_ratio, strength * (1 - self.l1_ratio)
        slope = self.slope - ridge * self.coefficients
        active = np.abs(slope - lasso * np.sign(self.coefficients))
        return np.where(self.coefficients != 0, active, np.maximum(np.abs(slope) - lasso, 0.0))

    def _linear(self) -> Float[ndarray, "sample out"]:
        return np.asarray(self.intercept + self.fill[:, None] * self.scores.sum(0))

    def _solve(self, strength: float, before: float) -> None:
        """Step until every optimality condition holds; starts from the strong rule of Tibshirani et al. (2012)."""
        working = np.abs(self.slope) >= self.l1_ratio * (2 * strength - before)
        working |= self.coefficients != 0
        if strength >= self.strongest and not self.coefficients.any():
            return
        allowed = self.tolerance * max(strength, _LEAST * self.strongest)
        every = range(self.target.shape[1])
        groups = [tuple(every)] if self.family.joint else [(output,) for output in every]
        for _ in range(_ROUNDS):
            before = self.objective(strength)
            for group in groups:
                self._step({output: np.flatnonzero(working[:, output]) for output in group}, strength)
            self.slope = self.gradient()
            violations = self.violations(strength)
            level = (self.target - self.said.expected).mean(0)
            joining = (violations > allowed) & ~working
            lowered = before - self.objective(strength) > _ROUNDING * abs(before)
            if max(violations.max(initial=0.0), np.abs(level).max()) <= allowed or not (lowered or joining.any()):
                return
            working |= joining
        warnings.warn(
            f"The cooperative lasso did not settle at rho={self.rho:g}, lambda={strength:g} in {_ROUNDS} steps: its "
            "optimality conditions are violated. Leave out small values of lambdas.",
            ConvergenceWarning,
            stacklevel=2,
        )

    def _step(self, working: Working, strength: float) -> None:
        """Minimise the quadratic approximation in the working coefficients of some outputs, and go there."""
        start = np.concatenate([self.coefficients[rows, output] for output, rows in working.items()])
        residual = (self.target - self.said.expected)[:, list(working)]
        filled = [self.design.features[:, rows] * self.fill[:, None] for rows in working.values()]
        slope = np.concatenate([part.T @ residual[:, place] for place, part in enumerate(filled)])
        gram, pull, level = self._curvature(working, filled)
        lift = np.linalg.solve(level, np.column_stack([pull.T, residual.sum(0)]))  # of the intercepts, which follow
        gram -= pull @ lift[:, :-1]
        aim = gram @ start + slope - pull @ lift[:, -1]
        self._add_penalties(gram, working, strength)
        lasso = self.samples * strength * self.l1_ratio
        found = QuadraticLasso(gram, aim, lasso, self.tolerance / 10).solve(start)
        self._move(working, found - start, lift[:, -1] - lift[:, :-1] @ (found - start), strength)

    def _curvature(self, working: Working, filled: list[ndarray]) -> tuple[ndarray, ndarray, ndarray]:
        """Second derivatives of the loss: in two coefficients, in a coefficient and an intercept, in two intercepts."""
        ends = np.cumsum([0, *(len(rows) for rows in working.values())])
        parts = [slice(int(start), int(end)) for start, end in pairwise(ends)]
        gram, pull = np.empty((ends[-1], ends[-1])), np.empty((ends[-1], len(parts)))
        level = np.empty((len(parts), len(parts)))
        for (one, first), (two, second) in combinations_with_replacement(enumerate(working), 2):
            weight = self.family.curvature(self.said.expected, first, second)
            gram[parts[one], parts[two]] = _weighted(filled[one], weight, filled[two])
            if one != two:
                gram[parts[two], parts[one]] = gram[parts[one], parts[two]].T
            pull[parts[one], two], pull[parts[two], one] = filled[one].T @ weight, filled[two].T @ weight
            level[one, two] = level[two, one] = weight.sum()
        return gram, pull, level

    def _add_penalties(self, gram: ndarray, working: Working, strength: float) -> None:
        """Add the second derivatives of agreement and ridge."""
        gram.flat[:: len(gram) + 1] += self.samples * strength * (1 - self.l1_ratio)
        start = 0
        for rows in working.values() if self.rho else ():
            part = slice(start, start + len(rows))
            agreement = self.design.agreement(rows)
            agreement *= self.rho
            gram[part, part] += agreement
            start += len(rows)

    def _move(self, working: Working, change: ndarray, shift: ndarray, strength: float) -> None:
        """Go along a direction, by halves until the objective does not rise."""
        whole, level = np.zeros_like(self.coefficients), np.zeros_like(self.intercept)
        outputs = np.repeat(list(working), [len(rows) for rows in working.values()])
        whole[np.concatenate(list(working.values())), outputs], level[list(working)] = change, shift
        steps = level, whole, self.design.scores(whole)
        before, start = self.objective(strength), (self.intercept, self.coefficients, self.scores)
        for halving in range(_HALVINGS + 1):
            size = 0.5**halving if halving < _HALVINGS else 0.0
            moved = (old + size * step for old, step in zip(start, steps, strict=True))
            self.intercept, self.coefficients, self.scores = moved
            self.said = self.family.predict(self._linear(), self.target)
            if self.objective(strength) <= before + _ROUNDING * abs(before):
                return


def _weighted(one: ndarray, weight: ndarray, other: ndarray) -> Float[ndarray, "one other"]:
    """X'WY; of a symmetric product with positive weights one half is computed."""
    if one is other and (weight >= 0).all():
        rooted = one * np.sqrt(weight)[:, None]
        return np.asarray(rooted.T @ rooted)
    return np.asarray(one.T @ (weight[:, None] * other))
