"""Metrics of regressions, the mean over several outputs: for one set of samples, and for many weightings of it."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from sklearn import metrics as vetted

from plait.statistics.class_metrics import weighted_mean

_CONSTANT = 1e-12
"""Variance, over the mean square, up to which a target counts as constant."""


def r2(target: Float[ndarray, "sample *column"], outputs: Float[ndarray, "sample out"]) -> float:
    """Share of the variance that is explained; 0 predicts the mean. NaN if an output is constant in the target."""
    if not (_variances(target, np.ones((1, len(target)))) > 0).all():
        return float("nan")
    return float(vetted.r2_score(target, outputs))


def scaled_squares(
    target: Float[ndarray, "sample *column"], outputs: Float[ndarray, "sample out"]
) -> Float[ndarray, " sample"]:
    """Squared error of each sample over the variance of the output, mean over the outputs: its mean is 1 - R²."""
    variance = _variances(target, np.ones((1, len(target))))[0]
    return np.asarray((_errors(target, outputs) / np.where(variance > 0, variance, np.nan)).mean(axis=1))


def absolutes(
    target: Float[ndarray, "sample *column"], outputs: Float[ndarray, "sample out"]
) -> Float[ndarray, " sample"]:
    """Absolute error of each sample, mean over the outputs."""
    return np.asarray(np.sqrt(_errors(target, outputs)).mean(axis=1))


def weighted_r2(
    target: Float[ndarray, "sample *column"],
    outputs: Float[ndarray, "sample out"],
    weights: Float[ndarray, "draw sample"],
) -> Float[ndarray, " draw"]:
    """R² under each weighting; NaN where an output is constant among the samples that have weight."""
    variance = _variances(target, weights)
    error = weights @ _errors(target, outputs) / weights.sum(axis=1, keepdims=True)
    share = np.divide(error, variance, out=np.full_like(error, np.nan), where=variance > 0)
    return np.asarray((1 - share).mean(axis=1))


def weighted_rmse(
    target: Float[ndarray, "sample *column"],
    outputs: Float[ndarray, "sample out"],
    weights: Float[ndarray, "draw sample"],
) -> Float[ndarray, " draw"]:
    """Root of the mean squared error of each output under each weighting, then the mean over the outputs."""
    return np.asarray(np.sqrt(weights @ _errors(target, outputs) / weights.sum(axis=1, keepdims=True)).mean(axis=1))


def weighted_mae(
    target: Float[ndarray, "sample *column"],
    outputs: Float[ndarray, "sample out"],
    weights: Float[ndarray, "draw sample"],
) -> Float[ndarray, " draw"]:
    """The mean absolute error under each weighting."""
    return weighted_mean(absolutes(target, outputs), weights)


def _errors(
    target: Float[ndarray, "sample *column"], outputs: Float[ndarray, "sample out"]
) -> Float[ndarray, "sample out"]:
    """Squared errors."""
    return np.asarray(np.square(outputs.astype(np.float64) - target.reshape(len(target), -1)))


def _variances(
    target: Float[ndarray, "sample *column"], weights: Float[ndarray, "draw sample"]
) -> Float[ndarray, "draw out"]:
    """Variance of each output under each weighting, 0 where it is a matter of rounding."""
    values = target.reshape(len(target), -1).astype(np.float64)
    values = values - values.mean(axis=0)  # loses no digits in the next line
    total = weights.sum(axis=1, keepdims=True)
    square, mean = weights @ np.square(values) / total, weights @ values / total
    variance = square - np.square(mean)
    return np.asarray(np.where(variance > _CONSTANT * square, variance, 0.0 * variance))
