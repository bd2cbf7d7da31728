"""What mutual learning of least-squares students ends with, in closed form: statements T1 to T5 of docs/meta_fusion.md.

Students are least-squares fits on designs A_i (no intercept) with hat matrices P_i; the teachers weigh the same, and
Pbar is the mean of their hat matrices. Labels are y = m + noise of variance s^2. Leading axes are repetitions.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Design: TypeAlias = Float[ndarray, "*draw row width"]
Designs: TypeAlias = Sequence[ndarray]


def hat(design: Design) -> Float[ndarray, "*draw row row"]:
    """P = A (A'A)^-1 A'."""
    return np.asarray(design @ np.linalg.solve(design.mT @ design, design.mT))


def smoother(teachers: Designs, rho: float) -> Float[ndarray, "*draw row row"]:
    """K_rho = ((1 + rho) I - rho Pbar)^-1, by which mutual learning smooths the labels before the fit (T1)."""
    mean = _mean_hat(teachers)
    return np.asarray(np.linalg.inv((1 + rho) * np.eye(mean.shape[-1]) - rho * mean))


def coefficients(
    designs: Designs, teachers: Designs, target: Float[ndarray, "*draw row"], rhos: Sequence[float]
) -> list[Float[ndarray, "rho *draw width"]]:
    """Every student's least-squares coefficients on the smoothed labels K_rho y, at many rhos (T1)."""
    labels = smoothed(teachers, target, rhos)[..., None]
    return [(np.linalg.solve(design.mT @ design, design.mT) @ labels)[..., 0] for design in designs]


def kept_share(expressed: Float[ndarray, "*lead"], rho: float) -> Float[ndarray, "*lead"]:
    """1 / (1 + rho (1 - lambda)): what smoothing leaves of a direction of the labels (T1).

    Args:
        expressed: Eigenvalues lambda of Pbar: 1 where all teachers can express the direction, 0 where none can.
        rho: Strength of mutual learning.
    """
    return np.asarray(1 / (1 + rho * (1 - expressed)))


def smoothed(
    teachers: Designs, target: Float[ndarray, "*draw row"], rhos: Sequence[float]
) -> Float[ndarray, "rho *draw row"]:
    """K_rho y at many rhos, from the eigenvalues of Pbar (T1)."""
    expressed, directions = np.linalg.eigh(_mean_hat(teachers))
    parts = directions.mT @ target[..., None]
    return np.stack([(directions @ (kept_share(expressed, rho)[..., None] * parts))[..., 0] for rho in rhos])


def label_noise_variance(design: Design, teachers: Designs, noise: float, rho: float) -> float:
    """(s^2 / n) tr(P_i K_rho^2): the part of the in-sample risk that is due to noise in the labels (T2)."""
    smooth = smoother(teachers, rho)
    return float(noise * np.trace(hat(design) @ smooth @ smooth) / len(design))


def risk(design: Design, teachers: Designs, mean: Float[ndarray, " row"], noise: float, rho: float) -> float:
    """In-sample risk |P_i K_rho m - m|^2 / n + (s^2 / n) tr(P_i K_rho^2) (T3)."""
    bias = hat(design) @ smoother(teachers, rho) @ mean - mean
    return float(bias @ bias) / len(mean) + label_noise_variance(design, teachers, noise, rho)


def risk_slope_at_zero(design: Design, teachers: Designs, noise: float) -> float:
    """-(2 s^2 / n) tr(P_i (I - Pbar)), the derivative of the risk at rho = 0 (T3)."""
    rest = np.eye(len(design)) - _mean_hat(teachers)
    return float(-2 * noise * np.trace(hat(design) @ rest) / len(design))


def consensus(alone: Float[ndarray, "student row"], rho: float) -> Float[ndarray, "student row"]:
    """Predictions tbar + (t_i - tbar) / (1 + rho), where all can express the teachers' mean tbar (T4).

    Args:
        alone: Predictions of independent training, one row a student; all of them teach.
        rho: Strength of mutual learning.
    """
    mean = alone.mean(axis=0)
    return np.asarray(mean + (alone - mean) / (1 + rho))


def consensus_risk(own: float, common: float, crossed: float, rho: float) -> float:
    """The risk of that: a^2 R_i + 2 a (1 - a) G + (1 - a)^2 R_C with a = 1 / (1 + rho); arguments as in `best_rho`."""
    a = 1 / (1 + rho)
    return a**2 * own + 2 * a * (1 - a) * crossed + (1 - a) ** 2 * common


def best_rho(own: float, common: float, crossed: float) -> float:
    """(R_i - G) / (R_C - G) if R_C > G, else infinity (T4); below 0 where the teachers harm.

    Args:
        own: Risk R_i of the student alone.
        common: Risk R_C of the teachers' mean.
        crossed: Mean product G of both errors.
    """
    return (own - crossed) / (common - crossed) if common > crossed else np.inf


def _mean_hat(teachers: Designs) -> Float[ndarray, "*draw row row"]:
    return np.asarray(sum(hat(teacher) for teacher in teachers) / len(teachers))
