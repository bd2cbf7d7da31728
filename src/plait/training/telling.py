"""How the students of a trained cohort did: from the losses of its units, or from what was kept of their outputs."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.cohort import Cohort
from plait.nn.screening import PerStudent
from plait.training.judging import judge, of_own_fold, readers
from plait.training.trainer import TrainingResult


@dataclass(frozen=True)
class Told:
    """How students did at one rho.

    Args:
        losses: Loss of each; inf of those that were never judged.
        outputs: What each says of every validation sample that it has not seen; None: what its best weights say.
    """

    losses: PerStudent
    outputs: Float[Tensor, "student row out"] | None


def told(result: TrainingResult, cohort: Cohort, data: TrainingData) -> list[Told]:
    """How the students of a cohort did, at each of its rhos: cross-fitted, where that was kept.

    Args:
        result: Of training the cohort.
        cohort: The cohort.
        data: The samples.
    """
    best = per_student(result.losses, cohort, data)
    if result.crossfit is None:
        return [Told(losses, None) for losses in best]
    said = result.crossfit.outputs.cpu().double()
    outputs = said.reshape(len(best), data.spec.folds, cohort.count, *said.shape[1:])
    own = [of_own_fold(one, data) for one in outputs]
    usable = readers(cohort, data)
    return [
        Told(np.where(np.isfinite(losses), judge(said, usable, data).losses, np.inf), said)
        for losses, said in zip(best, own, strict=True)
    ]


def per_student(losses: Float[Tensor, "..."], cohort: Cohort, data: TrainingData) -> Float[ndarray, "rho student"]:
    """Every student's loss at every rho: the mean over its folds, by their numbers of samples; inf if never judged."""
    fold = data.samples.fold
    sizes = torch.bincount(fold[fold >= 0], minlength=cohort.plan.spec.folds).double().numpy()
    shaped = losses.double().numpy().reshape(len(cohort.plan.rhos), cohort.plan.spec.folds, cohort.count)
    return np.asarray(np.average(shaped, axis=1, weights=sizes))
