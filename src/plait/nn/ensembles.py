"""Which students predict together, and with what weights: ensembles chosen on validation predictions.

An ensemble is a vector of weights over students. A row is predicted by the weighted mean of those students of
the ensemble that can read it, their weights renormalised.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import nnls
from scipy.special import log_softmax, softmax

from plait.nn.screening import equal_weights, inverse_loss_weights, judged_students

PerStudent = Float[np.ndarray, " student"]
Predictions = Float[np.ndarray, "student row out"]
Usable = Bool[np.ndarray, "student row"]
Prior = Float[np.ndarray, " out"]
Target = Int[np.ndarray, " row"] | Float[np.ndarray, "row out"]
Averages = Float[np.ndarray, "*lead row out"]
RowLosses = Float[np.ndarray, "*lead row"]
Regression = tuple[Predictions, Float[np.ndarray, "row out"], int]
Students = Int[np.ndarray, " judged"]

STRENGTHS = np.logspace(6, -6, 25)  # of the ridge, in mean squared singular values; the strongest first


@dataclass(frozen=True)
class Space:
    """The space in which predictions are averaged: PROBABILITIES (or votes), LOGITS or VALUES.

    Classes are judged by cross-entropy in nats (of probabilities clipped at 2.2e-16), real outputs by squared
    error, mean over outputs. Stacking regresses logits by their probabilities.

    Args:
        losses: Loss of each row.
        regression: What stacking solves: regressors, response, and independent equations that a row gives.
    """

    losses: Callable[[Averages, Target], RowLosses]
    regression: Callable[[Predictions, Target], Regression]


def _cross_entropy(average: Averages, target: Target) -> RowLosses:
    chosen = average[..., np.arange(len(target)), target]
    return np.asarray(-np.log(chosen.clip(np.finfo(np.float64).eps, 1)))


def _cross_entropy_of_logits(average: Averages, target: Target) -> RowLosses:
    return np.asarray(-log_softmax(average, axis=-1)[..., np.arange(len(target)), target])


def _squared_error(average: Averages, target: Target) -> RowLosses:
    return np.asarray(np.square(average - target).mean(axis=-1))


def _on_classes(predictions: Predictions, target: Target) -> Regression:
    classes = predictions.shape[-1]
    return predictions, np.eye(classes)[target], classes - 1  # probabilities sum to 1


PROBABILITIES = Space(_cross_entropy, _on_classes)
LOGITS = Space(_cross_entropy_of_logits, lambda logits, target: _on_classes(softmax(logits, axis=-1), target))
VALUES = Space(_squared_error, lambda values, target: (values, target, values.shape[-1]))


@dataclass(frozen=True, eq=False)
class Validation:
    """What an ensemble is chosen on.

    Args:
        predictions: Validation predictions of each student, in the space in which they are averaged. Where a
            student cannot read a row the values are ignored, NaN included.
        target: Class index of each row, or real targets (row, out).
        usable: Which rows each student can read.
        losses: Validation loss of each student alone; one that is not finite keeps the student out.
        space: PROBABILITIES, LOGITS or VALUES.
        prior: Prediction (out,) of a row that no student of an ensemble can read. None leaves such rows out
            of the loss of that ensemble, so that ensembles are then judged on different rows.
    """

    predictions: Predictions
    target: Target
    usable: Usable
    losses: PerStudent
    space: Space
    prior: Prior | None = None

    @cached_property
    def readable(self) -> Predictions:
        """The predictions, 0 where a student cannot read the row or is kept out."""
        speaks = self.usable & np.isfinite(self.losses)[:, None]
        return np.where(speaks[..., None], self.predictions, 0.0)

    def loss(self, weights: PerStudent) -> float:
        """Mean loss of the ensemble with these weights; infinite if it reads no row and there is no prior."""
        total = np.einsum("s,sro->ro", weights, self.readable)
        return float(self.loss_of_sums(total, weights @ self.usable))

    def loss_of_sums(self, total: Averages, weight: RowLosses) -> Float[np.ndarray, "*lead"]:
        """Mean loss of ensembles, given the weighted sum of each row's predictions and the weight in it."""
        read = weight > 0
        prior = 0.0 if self.prior is None else self.prior
        average = np.where(read[..., None], total / np.where(read, weight, 1.0)[..., None], prior)
        counted = read | (self.prior is not None)
        lost = np.where(counted, self.space.losses(average, self.target), 0.0).sum(axis=-1)
        rows = counted.sum(axis=-1)
        return np.where(rows > 0, lost / np.maximum(rows, 1), np.inf)


def best(validation: Validation) -> PerStudent:
    """The student with the smallest loss alone; ties to the first."""
    return _normalised(np.arange(validation.losses.size) == _best_first(validation.losses)[0])


def simple(validation: Validation) -> PerStudent:
    """All students with a finite loss, equally."""
    return equal_weights(validation.losses)


def weighted(validation: Validation) -> PerStudent:
    """All students, by 1 / loss; where some losses are 0 these students alone."""
    return inverse_loss_weights(validation.losses)


def greedy(validation: Validation, *, keep: float = 0.8, start: int = 3, size: int = 30) -> PerStudent:
    """Grow a 1 / loss weighted ensemble while its loss strictly falls, each student at most once.

    The ensemble of the Meta Fusion paper (after Caruana et al., 2004). Only the set is selected: the weights
    are those of `weighted`, renormalised over the set. Ties between candidates go to the smaller own loss.

    Args:
        validation: What the ensemble is chosen on.
        keep: Share of the students, best first, that may enter (rounded down, at least one); 1 is all.
        start: Number of best students to start with.
        size: Most students in the ensemble.
    """
    weights = inverse_loss_weights(validation.losses)
    order = _best_first(validation.losses)
    pool = order[: max(int(keep * order.size), 1)]
    return _grow(validation, weights, pool, start=start, copies=1, size=size)


def greedy_with_replacement(validation: Validation, *, start: int = 1, size: int = 100) -> PerStudent:
    """Grow an ensemble while its loss strictly falls; a student may enter again (Caruana et al., 2004).

    Every entry counts the same, so that a student's weight is its share of the entries. Ties between
    candidates go to the smaller own loss.

    Args:
        validation: What the ensemble is chosen on.
        start: Number of best students to start with.
        size: Most entries.
    """
    pool = _best_first(validation.losses)
    return _grow(validation, np.ones(validation.losses.size), pool, start=start, copies=size, size=size)


def _best_first(losses: PerStudent) -> Students:
    students = judged_students(losses)
    return students[np.argsort(losses[students], kind="stable")]


def _normalised(weights: np.ndarray) -> PerStudent:
    return np.asarray(weights / weights.sum())


def _grow(
    validation: Validation, units: PerStudent, pool: Students, *, start: int, copies: int, size: int
) -> PerStudent:
    """Enter the best candidate of the pool while the loss strictly falls; running sums, one batch a round."""
    entries = np.bincount(pool[: min(start, size)], minlength=units.size)
    added, weights_added = units[:, None, None] * validation.readable, units[:, None] * validation.usable
    total, weight = np.tensordot(entries, added, axes=1), entries @ weights_added
    lowest = validation.loss_of_sums(total, weight)
    while entries.sum() < size:
        candidates = pool[entries[pool] < copies]
        if not candidates.size:
            break
        losses = validation.loss_of_sums(total + added[candidates], weight + weights_added[candidates])
        if not losses.min() < lowest:
            break
        entered = candidates[losses.argmin()]
        entries[entered] += 1
        total, weight, lowest = total + added[entered], weight + weights_added[entered], losses.min()
    return _normalised(units * entries)


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
    weights[students] = _normalised(solution if solution.any() else average)
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


RULES: Mapping[str, Callable[[Validation], PerStudent]] = {
    "best": best,
    "simple": simple,
    "weighted": weighted,
    "greedy": greedy,
    "greedy_with_replacement": greedy_with_replacement,
    "stacking": stacking,
}


def ensemble_weights(rule: str, validation: Validation) -> PerStudent:
    """Weights of the students by one of the rules, summing to 1; 0 for students whose loss is not finite.

    Raises:
        ValueError: If the rule is unknown, no loss is finite, or weights by 1 / loss meet a negative one.
    """
    if rule not in RULES:
        raise ValueError(f"The ensemble must be one of {', '.join(RULES)} (got {rule!r}).")
    return RULES[rule](validation)


def combine(
    predictions: Predictions, weights: PerStudent, usable: Usable, fallback_weights: PerStudent, prior: Prior
) -> Float[np.ndarray, "row out"]:
    """Mean prediction of the ensemble's students that can read a row, their weights renormalised.

    A row that none of them can read is predicted with `fallback_weights`; one that these do not reach by the
    plain mean of the students that can read it; one that nobody can read by `prior`.

    Args:
        predictions: Predictions of each student; ignored where it cannot read the row, NaN included.
        weights: Weights of the ensemble, at least 0, with a positive sum.
        usable: Which rows each student can read. False for a student that must never speak.
        fallback_weights: Weights over all students, for example by 1 / loss; a positive sum.
        prior: Prediction of a row that nobody can read, for example the class frequencies.
    """
    shares = np.zeros(usable.shape)
    for tier in (weights, fallback_weights, np.ones(weights.size)):
        # Divided by the largest, equal weights are exactly 1 and their sums exact: tied votes stay tied.
        shares = np.where(shares.any(axis=0), shares, (tier / tier.max())[:, None] * usable)
    total = np.einsum("sr,sro->ro", shares, np.where(shares[..., None] > 0, predictions, 0.0))
    weight = shares.sum(axis=0)[:, None]
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), prior)


def one_hot_votes(predictions: Predictions) -> Predictions:
    """One vote a student and row, for the class with the largest value; ties to the smallest class index.

    Combined with simple weights these are a majority vote, with 1 / loss weights a weighted vote.
    """
    return np.asarray(np.eye(predictions.shape[-1])[predictions.argmax(axis=-1)])
