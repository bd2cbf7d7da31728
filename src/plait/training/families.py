"""Losses of linear predictors, for Newton's method."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import expit

_FLOOR = 1e-8  # of curvature where a class is certain; it shortens no step that matters and changes no minimum
_LEAST = 1e-6  # share of a class that has no sample

Values = Float[ndarray, "sample out"]


class Prediction(NamedTuple):
    """What linear predictors say.

    Attributes:
        loss: Summed over samples.
        expected: Of every target; target - expected is minus the derivative of the loss.
    """

    loss: float
    expected: Values


class Family(ABC):
    """A loss of linear predictors.

    Attributes:
        joint: Whether the outputs of a sample bear on each other; if not, each is a problem of its own.
    """

    joint: ClassVar[bool] = False

    @abstractmethod
    def null(self, target: Values) -> Float[ndarray, " out"]:
        """The intercepts without features."""

    @abstractmethod
    def predict(self, linear: Values, target: Values) -> Prediction:
        """What these linear predictors say of the target."""

    @abstractmethod
    def curvature(self, expected: Values, one: int, other: int) -> Float[ndarray, " sample"]:
        """The second derivative of the loss in two linear predictors (or twice in one)."""


class Gaussian(Family):
    """Half the squared error of real values."""

    def null(self, target: Values) -> Float[ndarray, " out"]:
        return np.asarray(target.mean(0))

    def predict(self, linear: Values, target: Values) -> Prediction:
        return Prediction(float(((target - linear) ** 2).sum() / 2), linear)

    def curvature(self, expected: Values, one: int, other: int) -> Float[ndarray, " sample"]:
        return np.full(len(expected), float(one == other))


class Binomial(Family):
    """Minus the log-likelihood of the second of two classes; the target is one column of 0 and 1."""

    def null(self, target: Values) -> Float[ndarray, " out"]:
        share = np.clip(target.mean(0), _LEAST, 1 - _LEAST)
        return np.asarray(np.log(share / (1 - share)))

    def predict(self, linear: Values, target: Values) -> Prediction:
        return Prediction(float((np.logaddexp(0, linear) - target * linear).sum()), np.asarray(expit(linear)))

    def curvature(self, expected: Values, one: int, other: int) -> Float[ndarray, " sample"]:
        return np.asarray(np.maximum(expected[:, one] * (1 - expected[:, one]), _FLOOR))


class Multinomial(Family):
    """Minus the log-likelihood of three classes or more, one linear predictor each; the target is one-hot."""

    joint = True

    def null(self, target: Values) -> Float[ndarray, " out"]:
        logs = np.log(np.maximum(target.mean(0), _LEAST))
        return np.asarray(logs - logs.mean())

    def predict(self, linear: Values, target: Values) -> Prediction:
        shifted = np.ascontiguousarray(linear.T)  # sums over classes are then sums of rows, which are fast
        shifted -= shifted.max(0)
        expected = np.exp(shifted)
        total = expected.sum(0)
        loss = float((target.sum(1) * np.log(total)).sum() - (target.T * shifted).sum())
        return Prediction(loss, (expected / total).T)

    def curvature(self, expected: Values, one: int, other: int) -> Float[ndarray, " sample"]:
        own = (expected[:, one] + _FLOOR) if one == other else 0.0
        return np.asarray(own - expected[:, one] * expected[:, other])
