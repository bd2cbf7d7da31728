"""What mutual learning of least-squares students ends with, in closed form (Meta Fusion specification, 6.2).

Students are least-squares fits on designs A_i with hat matrices P_i; the teachers weigh the same, and Pbar is the
mean of their hat matrices. Leading axes are repetitions.
"""

import numpy as np


def hat(design):
    """P = A (A'A)^-1 A'."""
    return design @ np.linalg.solve(design.mT @ design, design.mT)


def smoother(teachers, rho):
    """K_rho = ((1 + rho) I - rho Pbar)^-1, by which mutual learning smooths the labels before the fit (T1)."""
    mean = sum(hat(design) for design in teachers) / len(teachers)
    return np.linalg.inv((1 + rho) * np.eye(mean.shape[-1]) - rho * mean)


def coefficients(designs, teachers, target, rho):
    """Every student's least-squares coefficients on the smoothed labels K_rho y (T1)."""
    smoothed = smoother(teachers, rho) @ target[..., None]
    return [np.linalg.solve(design.mT @ design, design.mT @ smoothed)[..., 0] for design in designs]


def label_noise_variance(design, teachers, noise, rho):
    """(s^2 / n) tr(P_i K_rho^2): the part of the in-sample risk that is due to noise in the labels (T2)."""
    smooth = smoother(teachers, rho)
    return noise * np.trace(hat(design) @ smooth @ smooth) / len(design)


def risk(design, teachers, mean, noise, rho):
    """In-sample risk |P_i K_rho m - m|^2 / n + (s^2 / n) tr(P_i K_rho^2) (T3)."""
    bias = hat(design) @ smoother(teachers, rho) @ mean - mean
    return bias @ bias / len(mean) + label_noise_variance(design, teachers, noise, rho)


def risk_slope_at_zero(design, teachers, noise):
    """-(2 s^2 / n) tr(P_i (I - Pbar)), the derivative of the risk at rho = 0 (T3)."""
    mean = sum(hat(teacher) for teacher in teachers) / len(teachers)
    return -2 * noise * np.trace(hat(design) @ (np.eye(len(design)) - mean)) / len(design)


def consensus(alone, rho):
    """tbar + (t_i - tbar) / (1 + rho), where every student can express the teachers' mean tbar (T4).

    Args:
        alone: Predictions of independent training, one row a student; all of them teach.
        rho: Strength of mutual learning.
    """
    mean = alone.mean(axis=0)
    return mean + (alone - mean) / (1 + rho)


def best_rho(own, common, crossed):
    """(R_i - G) / (R_C - G) if R_C > G, else infinity (T4).

    Args:
        own: Risk R_i of the student alone.
        common: Risk R_C of the teachers' mean.
        crossed: Mean product G of both errors.
    """
    return (own - crossed) / (common - crossed) if common > crossed else np.inf
