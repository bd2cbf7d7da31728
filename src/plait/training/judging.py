"""What students said of validation samples that they had not seen, and who of them cannot be told from the best."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.cohort import Cohort
from plait.nn.criteria import criterion_for
from plait.nn.module import evaluate
from plait.nn.screening import PerStudent, Screening


@dataclass(frozen=True, eq=False)
class Judged:
    """Losses of students, validation sample by sample.

    Args:
        rows: Loss of each student on each validation sample, in nats or squared units of the scaled target.
        usable: Which of these count.
    """

    rows: Float[ndarray, "student row"]
    usable: Bool[ndarray, "student row"]

    @cached_property
    def losses(self) -> PerStudent:
        """Mean loss of each student; inf where nothing counts."""
        counts = self.usable.sum(1)
        total = np.where(self.usable, self.rows, 0.0).sum(1)
        return np.where(counts > 0, total / np.maximum(counts, 1), np.inf)

    def beside(self, other: "Judged") -> "Judged":
        """These students and then others."""
        return Judged(np.concatenate([self.rows, other.rows]), np.concatenate([self.usable, other.usable]))

    def within_one_error(self, chosen: Bool[ndarray, " student"]) -> Screening:
        """The best of the chosen students, and those whose loss is within one standard error of its loss.

        Both are compared on the samples that count for both (at least two). After Breiman et al., "Classification and
        Regression Trees" (1984): the error is that of the mean loss of the best.

        Args:
            chosen: Who may be among them; at least one that has a loss.
        """
        losses = np.where(chosen, self.losses, np.inf)
        best = int(losses.argmin())
        both = self.usable & self.usable[best]
        counts = np.maximum(both.sum(1), 1)
        own, behind = (np.where(both, rows, 0.0) for rows in (self.rows[best], self.rows - self.rows[best]))
        spread = np.where(both, np.square(own - own.sum(1, keepdims=True) / counts[:, None]), 0.0).sum(1)
        error = np.sqrt(spread / np.maximum(counts - 1, 1) / counts)
        mean = behind.sum(1) / counts
        near = np.isfinite(losses) & (both.sum(1) > 1) & (mean <= error)
        near[best] = True
        return Screening(np.flatnonzero(near), 1 + int(not near[chosen].all()))


def judge(outputs: Float[Tensor, "student row out"], usable: Bool[Tensor, "student row"], data: TrainingData) -> Judged:
    """What outputs for the validation samples lose.

    Args:
        outputs: Of students that had not seen the sample.
        usable: Which of these count.
        data: The samples.
    """
    criterion = criterion_for(data.spec)
    scores = criterion.score(criterion.link(outputs.double()), data.samples.target[data.validation].double())
    return Judged(scores.numpy(), usable.numpy())


def own_outputs(
    cohort: Cohort, data: TrainingData
) -> tuple[Float[Tensor, "student row out"], Bool[Tensor, "student row"]]:
    """What each student says of every validation sample, by the copy that did not train on it; who can read it."""
    cohort = cohort.cpu()
    batch = data.samples.rows(data.validation).to(torch.device("cpu"), cohort.bias.dtype)
    outputs = evaluate(cohort, batch.features, batch.present).to(torch.float64)
    by_fold = outputs.reshape(data.spec.folds, cohort.count, *outputs.shape[1:])
    return of_own_fold(by_fold, data), readers(cohort, data)


def of_own_fold(outputs: Float[Tensor, "fold student row out"], data: TrainingData) -> Float[Tensor, "student row out"]:
    """Of every validation sample what the copy of its fold says."""
    fold = data.samples.fold[data.validation]
    return outputs[fold, :, torch.arange(len(fold))].transpose(0, 1)


def readers(cohort: Cohort, data: TrainingData) -> Bool[Tensor, "student row"]:
    """Which students can read which validation samples."""
    present = data.samples.present[data.validation]
    readable = cohort.readable(present)
    return torch.ones(cohort.count, len(present), dtype=torch.bool) if readable is None else readable
