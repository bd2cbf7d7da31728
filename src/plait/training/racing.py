"""Independent training of a cohort in rungs: after each, the worse half stops (successive halving).

After Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization" (2016). Students
of other kinds, who are trained already, are in the race too: networks that are not in the better half of all stop.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.cohort import Cohort
from plait.nn.screening import PerStudent
from plait.training.course import Course
from plait.training.trainer import TrainingResult

SHORTEST = 5
"""Epochs of the first rung at least; halvings that would come before it are left out."""
_STREAM = 100  # seeds of the rungs


def rungs(epochs: int, halvings: int) -> tuple[int, ...]:
    """Epochs after which the worse half stops: 1/2^h, ..., 1/4, 1/2 of all.

    Args:
        epochs: All epochs.
        halvings: How often.
    """
    ends = (epochs >> power for power in range(halvings, 0, -1))
    return tuple(end for end in ends if end >= SHORTEST)


def better_half(
    losses: PerStudent, others: Float[ndarray, " other"]
) -> tuple[Bool[ndarray, " student"], Bool[ndarray, " other"]]:
    """Which students, and which of other kinds, are in the better half of all (rounded up).

    So is who is as good as the last of these. Where no loss is finite everybody is.

    Args:
        losses: Loss of each student that is still in the race.
        others: The same of those of other kinds.
    """
    everyone = np.sort(np.concatenate([losses, others]))
    known = int(np.isfinite(everyone).sum())
    last = everyone[(known + 1) // 2 - 1] if known else np.inf
    return losses <= last, others <= last


@dataclass(frozen=True)
class Raced:
    """Students that were trained alone.

    Args:
        result: Losses, epochs and history of every unit, as of one run.
        remaining: Positions of the students who trained to the end, ascending.
    """

    result: TrainingResult
    remaining: Int[ndarray, " remaining"]


def race(
    cohort: Cohort, course: Course, halvings: int, others: Float[ndarray, " other"], *, keep_moments: bool
) -> Raced:
    """Train every student alone; after each rung those stop who are in the worse half of all who are in the race.

    A rung goes on from the best weights so far, with a fresh optimiser.

    Args:
        cohort: The students at rho = 0, with fresh weights; each ends with the weights of its best epoch.
        course: Data, trainer and seed.
        halvings: How often the worse half stops; 0 is never.
        others: Validation losses of students of other kinds; empty is nobody.
        keep_moments: Keep the optimiser's memory at the best epochs; for a race without halvings alone.
    """
    ends = rungs(course.trainer.epochs, halvings) if len(course.data.validation) else ()
    if not ends:
        return Raced(course.run(cohort, 1, "rho 0", keep_moments=keep_moments), np.arange(cohort.count))
    racing = _Race(cohort, course, others)
    for start, end in pairwise((0, *ends, course.trainer.epochs)):
        if len(racing.remaining):
            racing.rung(start, end)
        if end in ends:
            racing.halve()
    return racing.raced()


class _Race:
    """The best of every unit so far, and who is still in."""

    def __init__(self, cohort: Cohort, course: Course, others: Float[ndarray, " other"]) -> None:
        self.cohort, self.course, self.others = cohort, course, others
        self.remaining = torch.arange(cohort.count)
        self.losses = torch.full((cohort.copies, cohort.count), torch.inf, dtype=torch.float64)
        self.epochs = torch.full((cohort.copies, cohort.count), -1)
        self.history: list[pd.DataFrame] = []

    def rung(self, start: int, end: int) -> None:
        """Train those who are in, from where they were best."""
        students, shape = self.remaining, (self.cohort.copies, len(self.remaining))
        part = self.cohort.part(students)
        course = replace(self.course, trainer=replace(self.course.trainer, epochs=end - start))
        result = course.run(part, _STREAM + start, f"rho 0, {len(students)} of {self.cohort.count}")
        losses, before = result.losses.double().reshape(shape), self.losses[:, students]
        better = losses < before
        self.losses[:, students] = losses.where(better, before)
        self.epochs[:, students] = (result.epochs.reshape(shape) + start).where(better, self.epochs[:, students])
        self.cohort.take_part(part.to(self.cohort.bias), students, better)
        self.history.append(result.history.assign(phase="rho 0", epoch=result.history["epoch"] + start))

    def halve(self) -> None:
        """The worse half of everybody stops; of other kinds they leave."""
        losses = per_student(self.losses, self.cohort, self.course.data)[0][self.remaining.numpy()]
        stay, others = better_half(losses, self.others)
        self.remaining, self.others = self.remaining[torch.from_numpy(stay)], self.others[others]

    def raced(self) -> Raced:
        """What came of it."""
        history = pd.concat(self.history, ignore_index=True)
        result = TrainingResult(self.losses.flatten(), self.epochs.flatten(), history)
        return Raced(result, self.remaining.numpy())


def per_student(losses: Float[Tensor, "..."], cohort: Cohort, data: TrainingData) -> Float[ndarray, "rho student"]:
    """Every student's loss at every rho: the mean over its folds, by their numbers of samples; inf if never judged."""
    fold = data.samples.fold
    sizes = torch.bincount(fold[fold >= 0], minlength=cohort.plan.spec.folds).double().numpy()
    shaped = losses.double().numpy().reshape(len(cohort.plan.rhos), cohort.plan.spec.folds, cohort.count)
    return np.asarray(np.average(shaped, axis=1, weights=sizes))
