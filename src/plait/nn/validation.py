"""What ensembles are chosen on: the students' predictions of validation samples, and how an average is judged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import log_softmax, softmax

from plait.nn.screening import PerStudent
from plait.nn.temperature import own_share

Predictions = Float[np.ndarray, "student row out"]
Usable = Bool[np.ndarray, "student row"]
Prior = Float[np.ndarray, " out"] | Float[np.ndarray, "row 1"]
Target = Int[np.ndarray, " row"] | Float[np.ndarray, "row out"]
Averages = Float[np.ndarray, "*lead row out"]
RowLosses = Float[np.ndarray, "*lead row"]
Regression = tuple[Predictions, Float[np.ndarray, "row out"], int]
Students = Int[np.ndarray, " judged"]


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
        prior: Prediction (out,) of a row that no student of an ensemble can read, or (row, 1) of each row. None leaves
            such rows out of the loss of that ensemble, so that ensembles are then judged on different rows.
        share: As how much of its own class each row counts, and as the rest of the others, taken as one. Below 1 of
            classes alone.
    """

    predictions: Predictions
    target: Target
    usable: Usable
    losses: PerStudent
    space: Space
    prior: Prior | None = None
    share: float = 1.0

    def rows(self, index: Int[np.ndarray, " drawn"]) -> "Validation":
        """The rows at these positions; each student's loss is its mean over those of them that it can read."""
        chosen = replace(self, predictions=self.predictions[:, index], usable=self.usable[:, index])
        prior = self.prior[index] if self.prior is not None and self.prior.ndim == 2 else self.prior
        chosen = replace(chosen, target=self.target[index], prior=prior)
        lost = np.where(chosen.usable, chosen._lost(chosen.readable), 0.0).sum(1)
        counts = chosen.usable.sum(1)
        losses = np.where(np.isfinite(self.losses) & (counts > 0), lost / np.maximum(counts, 1), np.inf)
        return replace(chosen, losses=losses)

    def doubted(self) -> "Validation":
        """The same with doubt about classes: each of n rows counts as (n + 2) / (n + 4) of its own.

        Few rows that are all foretold rightly then do not make certainty the best choice (`own_share`). Of real outputs
        nothing changes.
        """
        return self if self.space is VALUES else replace(self, share=own_share(len(self.target)))

    def of_true_classes(self) -> "Validation":
        """The same with the probabilities of the true classes alone, which are all that the loss of an average needs.

        Of logits and real outputs everything counts.
        """
        if self.space is not PROBABILITIES:
            return self
        rows, prior = np.arange(len(self.target)), self.prior
        if prior is not None:
            prior = np.broadcast_to(prior, self.predictions.shape[1:])[rows, self.target][:, None]
        predictions = self.predictions[:, rows, self.target][..., None]
        return replace(self, predictions=predictions, target=np.zeros_like(self.target), prior=prior)

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
        lost = np.where(counted, self._lost(average), 0.0).sum(axis=-1)
        rows = counted.sum(axis=-1)
        return np.where(rows > 0, lost / np.maximum(rows, 1), np.inf)

    def _lost(self, average: Averages) -> RowLosses:
        """Loss of each row; with doubt, of being of its class and of being of another one."""
        lost = self.space.losses(average, self.target)
        if self.share == 1:
            return lost
        others = np.maximum(-np.expm1(-lost), np.finfo(np.float64).eps)
        return np.asarray(self.share * lost - (1 - self.share) * np.log(others))
