"""Cooperative learning judged on samples that its fits have not seen, and fitted to all samples in the end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.data.spec import DataSpec
from plait.nn.additive import AdditiveNet, fill_factor
from plait.nn.criteria import criterion_for
from plait.training.cooperative import CooperativePath, Solution
from plait.training.cooperative_design import Design
from plait.training.ensembling import check_finite, prior_output
from plait.training.families import Binomial, Family, Gaussian, Multinomial

_CLOSE, _EXACT = 5e-2, 1e-6  # violation of optimality, as a share of lambda: for the choice, and in the end
_LEAST_OF_MANY, _LEAST_OF_FEW = 1e-4, 1e-2  # glmnet's, of the strongest penalty

Output = Float[ndarray, "sample out"]


@dataclass(frozen=True)
class Losses:
    """Validation losses along lambda at one rho.

    Args:
        rho: Strength of the agreement.
        lambdas: In falling order.
        mean: Mean loss of the validation samples at each lambda.
        error: Its standard error: between the folds, or between the samples of one hold-out set.
        parts: Number of folds, or of samples of one hold-out set.
        outputs: Outputs for the validation samples at each lambda, by fits that have not seen them.
        seconds: Time of the fits.
    """

    rho: float
    lambdas: tuple[float, ...]
    mean: Float[ndarray, " strength"]
    error: Float[ndarray, " strength"]
    parts: int
    outputs: Float[ndarray, "strength validation out"]
    seconds: float

    def chosen(self, *, one_se: bool) -> int:
        """Place of the lambda of the lowest loss, or of the largest within a standard error of it."""
        best = int(self.mean.argmin())
        limit = self.mean[best] + (self.error[best] if one_se else 0.0)
        return int(np.flatnonzero(self.mean <= limit)[0])


@dataclass(frozen=True)
class Part:
    """The samples that one fit learns from, those that have some modality."""

    design: Design
    target: Output


class CooperativeFolds:
    """Samples as the module reads them, and their folds.

    Features are penalised in the units they come in; the outputs of the user's encoders are scaled first, by their
    standard deviation.

    Args:
        data: All samples.
        net: The module; it is told the solution in the end.
        lambdas: Strengths of the penalty in falling order, or how many of them.
        l1_ratio: Share of the lasso in the penalty, in (0, 1].

    Raises:
        ValueError: If values are not finite, or no sample of some fit has a modality.
    """

    def __init__(
        self, data: TrainingData, net: AdditiveNet, lambdas: Sequence[float] | int, l1_ratio: float = 1.0
    ) -> None:
        self.net, self.spec, self.lambdas, self.l1_ratio = net, data.spec, lambdas, l1_ratio
        self.data = data.to(torch.device("cpu"), net.prior.dtype).with_features(net.representations)
        check_finite(self.data)
        self.present = self.data.samples.present.numpy()
        read = [self.data.samples.features[key].flatten(1).double().numpy() for key in net.keys]
        self.units = [self._unit(place, block) for place, block in enumerate(read)]
        self.blocks = [block / unit for block, unit in zip(read, self.units, strict=True)]
        self.family = _family(self.spec)
        target = self.data.samples.target.double().numpy()
        self.target = target[:, 1:] if isinstance(self.family, Binomial) else target
        fold = self.data.samples.fold.numpy()
        self.all = self._part(np.ones(len(fold), dtype=bool))
        self.folds = [self._part(fold != place) for place in range(self.spec.folds)]

    def losses(self, rho: float) -> Losses:
        """Fit to the samples outside each fold, and judge on those within.

        Args:
            rho: Strength of the agreement, >= 0.
        """
        start, grid = time.perf_counter(), self._grid(rho)
        outputs = np.empty((len(grid), len(self.target), self.spec.outputs))
        for place, part in enumerate(self.folds):
            held = self.data.samples.fold.numpy() == place
            outputs[:, held] = self._along(part, held, rho, grid)
        rows = self.data.validation.numpy()
        mean, error, parts = self._judged(outputs[:, rows])
        return Losses(rho, grid, mean, error, parts, outputs[:, rows], time.perf_counter() - start)

    def refit(self, rho: float, lambdas: Sequence[float]) -> Solution:
        """Fit to all samples at the last of these lambdas, by way of the others, and tell the module.

        Args:
            rho: Strength of the agreement, >= 0.
            lambdas: In falling order.
        """
        *_, found = self._path(self.all, rho, _EXACT).solutions(lambdas, to_the_end=True)
        design, coefficients = self.all.design, self._columns(found.coefficients)
        for weight, unit, part in zip(self.net.weights, self.units, design.parts, strict=True):
            _put(weight, coefficients[part] / unit[:, None])
        _put(self.net.offsets, -np.stack([design.centre[part] @ coefficients[part] for part in design.parts]))
        _put(self.net.intercept, self._columns(found.intercept[None])[0])
        self.net.prior.copy_(prior_output(self.data))
        return found

    def table(self, found: Solution) -> pd.DataFrame:
        """The coefficients that are not zero, one row each, per unit of the features that the module reads.

        Columns: `modality`, `feature` (its place among those of the modality), `class` or `target` where there are
        several linear predictors, `coefficient`. With two classes it is of the log odds of the second.
        """
        rows, outputs = np.nonzero(found.coefficients)
        owner = self.all.design.modality[rows]
        starts = np.array([part.start for part in self.all.design.parts])
        table = {"modality": [self.spec.names[place] for place in owner], "feature": rows - starts[owner]}
        if found.coefficients.shape[1] > 1:
            table["class" if self.spec.task == "classification" else "target"] = outputs
        units = np.concatenate(self.units)[rows]
        return pd.DataFrame(table | {"coefficient": found.coefficients[rows, outputs] / units})

    def _unit(self, place: int, block: Float[ndarray, "sample width"]) -> Float[ndarray, " width"]:
        """What the features of a modality are divided by."""
        here = block[self.present[:, place]]
        if self.spec.names[place] not in self.spec.encoders or not len(here):
            return np.ones(block.shape[1])
        spread = here.std(0)
        return np.where(spread > 0, spread, 1.0)

    def _part(self, rows: Bool[ndarray, " sample"]) -> Part:
        rows = rows & self.present.any(1)
        if not rows.any():
            raise ValueError("There is nothing to learn from: no training sample has a modality. Give more samples.")
        return Part(Design.of([block[rows] for block in self.blocks], self.present[rows]), self.target[rows])

    def _path(self, part: Part, rho: float, tolerance: float) -> CooperativePath:
        return CooperativePath(part.design, part.target, self.family, rho, self.l1_ratio, tolerance)

    def _grid(self, rho: float) -> tuple[float, ...]:
        """The strengths of the penalty, one grid for all folds, as glmnet's."""
        if not isinstance(self.lambdas, int):
            return tuple(self.lambdas)
        samples, features = self.all.design.features.shape
        strongest = self._path(self.all, rho, _CLOSE).strongest or 1.0
        least = _LEAST_OF_MANY if samples > features else _LEAST_OF_FEW
        return tuple(float(share * strongest) for share in np.geomspace(1.0, least, self.lambdas))

    def _along(
        self, part: Part, held: Bool[ndarray, " sample"], rho: float, grid: Sequence[float]
    ) -> Float[ndarray, "strength held out"]:
        """Outputs for held-out samples at every strength; beyond the end of the path, those of its last solution."""
        present, ends = self.present[held], part.design.parts
        here = np.repeat(present, [block.shape[1] for block in self.blocks], axis=1)
        features = np.where(here, np.concatenate([block[held] for block in self.blocks], 1) - part.design.centre, 0.0)
        features *= fill_factor(present.sum(1, keepdims=True), len(ends), rho)
        outputs = np.empty((len(grid), len(features), self.spec.outputs))
        for place, found in enumerate(self._path(part, rho, _CLOSE).solutions(grid)):
            outputs[place:] = self._columns(found.intercept + features @ found.coefficients)
        outputs[:, ~present.any(1)] = self._prior(~held)
        return outputs

    def _prior(self, rows: Bool[ndarray, " sample"]) -> Float[ndarray, " out"]:
        """The output for a sample about which nothing is known."""
        mean = self.data.samples.target[torch.from_numpy(rows)].double().mean(0)
        return np.asarray(criterion_for(self.spec).output_of(mean).numpy())

    def _judged(
        self, outputs: Float[ndarray, "strength validation out"]
    ) -> tuple[Float[ndarray, " strength"], Float[ndarray, " strength"], int]:
        """Mean loss, its standard error, and the number of parts that tell it: folds, or samples of one set."""
        batch, criterion = self.data.samples.rows(self.data.validation), criterion_for(self.spec)
        losses = criterion.score(criterion.link(torch.from_numpy(outputs)), batch.target.double()).numpy()
        fold = batch.fold.numpy() if self.spec.folds > 1 else np.arange(len(batch))
        sizes = np.bincount(fold)
        means = np.stack([np.bincount(fold, row) for row in losses]) / sizes
        mean = losses.mean(1)
        spread = np.average((means - mean[:, None]) ** 2, axis=1, weights=sizes)
        return mean, np.sqrt(spread / max(len(sizes) - 1, 1)), len(sizes)

    def _columns(self, linear: Float[ndarray, "row _"]) -> Float[ndarray, "row out"]:
        """One column an output: two classes are half the log odds apart from 0."""
        return np.concatenate([-linear / 2, linear / 2], axis=1) if isinstance(self.family, Binomial) else linear


def _family(spec: DataSpec) -> Family:
    if spec.task == "regression":
        return Gaussian()
    return Binomial() if spec.outputs == 2 else Multinomial()


def _put(parameter: Tensor, values: Float[ndarray, "..."]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(values))
