"""Stacking: the weights of an ensemble by non-negative ridge regression on validation predictions."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

from plait.nn.screening import PerStudent, judged_students
from plait.nn.validation import Students, Validation

STRENGTHS = np.logspace(6, -6, 25)  # of the ridge, in mean squared singular values; the strongest first


def stacking(validation: Validation) -> PerStudent:
    """Non-negative ridge regression of the target on the predictions, shrunk toward the simple average.

    Minimises ||Y - sum_j w_j P_j||^2 + strength ||w - 1/M||^2 over w >= 0 and scales w to sum to 1. The
    strength is chosen by generalised cross-validation of the problem without the constraint
    (`ridge_strength`). An infinite strength is the simple average, as is the answer where all w are 0.

    Where a student cannot read a row the mean of those who can stands in; rows nobody reads are left out.
    """
    students = judged_students(validation.losses)
    design, response, equations = _regression(validation, students)
    # The triangle of a QR decomposition has the same squared error in at most M + 1 equations.
    triangle = np.linalg.qr(np.column_stack([design, response])).R
    design, response = triangle[:, :-1], triangle[:, -1]
    average = np.full(students.size, 1 / students.size)
    root = np.sqrt(ridge_strength(design, response - design @ average, equations))
    augmented = np.vstack([design, root * np.eye(students.size)])
    solution, _ = nnls(augmented, np.concatenate([response, root * average]), maxiter=100 * students.size)
    weights = np.zeros(validation.losses.size)
    weights[students] = solution / solution.sum() if solution.any() else average
    return weights


def _regression(validation: Validation, students: Students) -> tuple[np.ndarray, np.ndarray, int]:
    """(equation, student) and (equation,) of the rows that some student reads; how many are independent."""
    usable, readable = validation.usable[students], validation.readable[students]
    predictions, response, free = validation.space.regression(readable, validation.target)
    readers = usable.sum(axis=0)
    mean = np.einsum("sr,sro->ro", usable, predictions) / np.maximum(readers, 1)[:, None]
    filled = np.where(usable[..., None], predictions, mean)[:, readers > 0]
    return filled.reshape(students.size, -1).T, response[readers > 0].ravel(), free * int((readers > 0).sum())


def ridge_strength(
    design: Float[np.ndarray, "equation student"], residual: Float[np.ndarray, " equation"], equations: int
) -> float:
    """The ridge strength with the smallest generalised cross-validation score (Golub, Heath and Wahba, 1979).

    The score is RSS / (equations - effective number of weights)^2. Tried are 1e-6 to 1e6 times the mean
    squared singular value of the design; ties to the stronger.

    Args:
        design: Regressors, or the triangle of their QR decomposition.
        residual: Response minus the design times the weights shrunk toward.
        equations: Number of independent equations before any decomposition.
    """
    left, singular, _ = np.linalg.svd(design, full_matrices=False)
    strengths = STRENGTHS * (np.square(singular).sum() / design.shape[1] or 1.0)
    coefficients = left.T @ residual
    outside = max(residual @ residual - coefficients @ coefficients, 0.0)
    fitted = np.square(singular) / (np.square(singular) + strengths[:, None])  # share of each coefficient
    rss = outside + np.square((1 - fitted) * coefficients).sum(axis=1)
    free = equations - fitted.sum(axis=1)
    score = np.divide(rss, np.square(free), out=np.full_like(rss, np.inf), where=free > 0)
    return float(strengths[score.argmin()])
