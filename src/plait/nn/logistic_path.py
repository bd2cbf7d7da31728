"""Multinomial logistic regression with an L2 penalty, with what each fit would say of samples left out.

The samples are decomposed once. In the coordinates of their singular vectors, each scaled by the curvature of the loss
along it where the search begins (at the solution for the penalty next to it), some tens of steps of L-BFGS suffice; the
fit to all samples and those without one block each are found side by side, in products of one matrix.
"""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy.optimize import minimize
from torch import Tensor

from plait.nn.closed_path import ClosedPath, Fit, Lessons
from plait.nn.ridge_path import RidgePath

PENALTIES: tuple[float, ...] = tuple(10.0 ** (-place / 2) for place in range(11))
"""Penalties that are tried, per sample, for features of unit variance; the strongest first."""
_STRIDE = 2
_PARTS = 5  # samples that may be left out one by one are left out in so many parts
_ROUNDS, _FLAT, _LEVEL = 500, 1e-6, 1e-5  # most steps; falls of the loss, and slopes, at which they end
_RARE = 1e-6  # what is said at first of a class without samples


class LogisticPath(ClosedPath):
    """Samples, decomposed once; targets are one-hot classes or probabilities.

    Features are standardised (those without variance count as 0), the bias bears no penalty. Outputs are logarithms of
    probabilities but for a constant.

    Args:
        values: Features of the training samples.
    """

    def __init__(self, values: Float[Tensor, "sample width"]) -> None:
        self.ridge = RidgePath(values, products=False)
        count = len(self.ridge.rows)
        rows = self.ridge.vectors * self.ridge.squares.sqrt()
        self.design = torch.cat([rows, rows.new_ones(count, 1)], 1)
        self.penalised = torch.ones(self.design.shape[1], dtype=torch.float64)
        self.penalised[-1] = 0
        self.squared = self.design.square()

    def fit(
        self,
        target: Float[Tensor, "sample out"],
        blocks: Int[Tensor, " sample"] | None = None,
        penalty: float | None = None,
    ) -> Fit:
        """The fit whose cross-entropy of what is left out is smallest.

        Args:
            target: What is fitted.
            blocks: Who is left out together; those of -1 in five parts. None: all in five parts.
            penalty: The penalty per sample; None tries every other of `PENALTIES`, from the strongest until the loss
                rises, and then those beside the best.
        """
        target, blocks = target.double(), self._blocks(blocks)
        seen = _seen(blocks)
        solutions: dict[float, Tensor] = {}

        def lost(tried: float) -> float:
            if tried not in solutions:
                nearest = min(solutions, key=lambda known: abs(math.log(known / tried)), default=None)
                start = None if nearest is None else solutions[nearest]
                solutions[tried] = self.solved(target[:, None], seen, tried, start)
            said = self._left_out(solutions[tried], blocks).log_softmax(1)
            return float(-(target * said).sum(1).mean())

        penalty = _searched(lost) if penalty is None else penalty
        lost(penalty)
        return self._function(solutions[penalty], penalty, blocks)

    def left_out(
        self,
        target: Float[Tensor, "sample out"],
        blocks: Int[Tensor, " sample"],
        penalty: float,
        without: Bool[Tensor, " sample"],
    ) -> Float[Tensor, "kept out"]:
        blocks = self._blocks(blocks)
        solution = self.solved(target.double()[:, None], _seen(blocks) & ~without[:, None], penalty, None)
        return self._left_out(solution, blocks)[~without]

    def drawn(self, alone: Fit, lessons: Lessons, rhos: Sequence[float]) -> list[Fit]:
        target, blocks = lessons.target.double(), self._blocks(lessons.blocks)
        folds = [int(lessons.fold[blocks == block][0]) for block in range(int(blocks.max()) + 1)]
        heard = torch.stack([lessons.said[fold + 1].double() for fold in (-1, *folds)], 1)
        found, solution = [], None
        for rho in rhos:
            soft = (target[:, None] + rho * heard) / (1 + rho)
            solution = self.solved(soft, _seen(blocks), alone.penalty, solution)
            found.append(self._function(solution, alone.penalty, blocks))
        return found

    def solved(
        self,
        target: Float[Tensor, "sample target out"],
        seen: Bool[Tensor, "sample fit"],
        penalty: float,
        start: Float[Tensor, "direction fit out"] | None,
    ) -> Float[Tensor, "direction fit out"]:
        """Weights of the directions, and in the last row the bias, of several fits at once.

        Args:
            target: Targets of every fit, or one for all of them.
            seen: Which samples each fit sees.
            penalty: The penalty per sample, of all samples.
            start: Where to begin.
        """
        start = self._start(target, seen) if start is None else start
        strength, shape, count = penalty * self.penalised, start.shape, len(self.design)
        weight = seen.double()[..., None] / count
        scale = (self._curvature(start, weight) + strength[:, None, None]).clamp(min=1e-12).sqrt()

        def value(flat: Float[Tensor, " number"]) -> tuple[float, Tensor]:
            weights = flat.reshape(shape) / scale
            said = (self.design @ weights.flatten(1)).reshape(count, *shape[1:]).log_softmax(-1)
            shrunk = strength[:, None, None] * weights
            loss = -(weight * target * said).sum() + (shrunk * weights).sum() / 2
            slope = self.design.T @ (weight * (said.exp() - target)).flatten(1)
            return float(loss), ((slope.reshape(shape) + shrunk) / scale).flatten()

        return _lowest(value, (start * scale).flatten()).reshape(shape) / scale

    def _curvature(
        self, start: Float[Tensor, "direction fit out"], weight: Float[Tensor, "sample fit 1"]
    ) -> Float[Tensor, "direction fit out"]:
        """The second derivative of the cross-entropy along each direction."""
        share = (self.design @ start.flatten(1)).reshape(len(self.design), *start.shape[1:]).softmax(-1)
        return (self.squared.T @ (weight * share * (1 - share)).flatten(1)).reshape(start.shape)

    def _start(
        self, target: Float[Tensor, "sample target out"], seen: Bool[Tensor, "sample fit"]
    ) -> Float[Tensor, "direction fit out"]:
        """Frequencies of the classes."""
        weight = seen.double()[..., None]
        share = (weight * target).sum(0) / weight.sum(0).clamp(min=1)
        found = share.new_zeros(self.design.shape[1], *share.shape)
        found[-1] = share.clamp(min=_RARE).log()
        return found

    def _blocks(self, blocks: Int[Tensor, " sample"] | None) -> Int[Tensor, " sample"]:
        """Numbers of blocks without gaps; samples that stand alone are dealt out to further ones."""
        count = len(self.design)
        blocks = torch.full((count,), -1) if blocks is None else blocks.long()
        alone = blocks < 0
        dealt = blocks.clone()
        dealt[alone] = int(blocks.max()) + 1 + torch.arange(int(alone.sum())) % _PARTS
        found: Tensor = torch.unique(dealt, return_inverse=True)[1]
        return found

    def _left_out(
        self, solution: Float[Tensor, "direction fit out"], blocks: Int[Tensor, " sample"]
    ) -> Float[Tensor, "sample out"]:
        """What the fit without its block says of every sample (the first fit has seen all)."""
        found = torch.empty(len(blocks), solution.shape[2], dtype=torch.float64)
        for block in range(solution.shape[1] - 1):
            own = blocks == block
            found[own] = self.design[own] @ solution[:, block + 1]
        return found

    def _function(
        self, solution: Float[Tensor, "direction fit out"], penalty: float, blocks: Int[Tensor, " sample"]
    ) -> Fit:
        """The fit to all samples, as weights of the features as they came."""
        directions, bias = solution[:-1, 0], solution[-1, 0]
        dual = self.ridge.vectors @ (directions / self.ridge.squares.sqrt()[:, None])
        return self.ridge.function(dual, bias, penalty, self._left_out(solution, blocks))


def _seen(blocks: Int[Tensor, " sample"]) -> Bool[Tensor, "sample fit"]:
    """Which samples the fit to all, and then those without one block each, see."""
    numbers = torch.arange(-1, int(blocks.max()) + 1)
    return blocks[:, None] != numbers


def _searched(lost: Callable[[float], float]) -> float:
    """The penalty of the smallest loss: from the strongest until the loss rises, then those beside the best."""
    tried: list[float] = []
    for penalty in PENALTIES[::_STRIDE]:
        tried.append(penalty)
        if len(tried) > 1 and lost(tried[-1]) > lost(tried[-2]):
            break
    place = PENALTIES.index(min(tried, key=lost))
    return min(PENALTIES[max(place - 1, 0) : place + 2], key=lost)


def _lowest(
    value: Callable[[Float[Tensor, " number"]], tuple[float, Float[Tensor, " number"]]], start: Float[Tensor, " number"]
) -> Float[Tensor, " number"]:
    """Where a convex function of that value and slope is lowest (L-BFGS)."""

    def counted(flat: Float[ndarray, " number"]) -> tuple[float, Float[ndarray, " number"]]:
        found, slope = value(torch.from_numpy(flat))
        return found, slope.numpy()

    options = {"maxiter": _ROUNDS, "ftol": _FLAT, "gtol": _LEVEL}
    found = minimize(counted, start.numpy(), jac=True, method="L-BFGS-B", options=options)
    return torch.from_numpy(found.x)
