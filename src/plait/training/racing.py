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
from plait.training.crossfit import CrossFit
from plait.training.judging import judge, of_own_fold, readers
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
    cohort: Cohort,
    course: Course,
    halvings: int,
    others: Float[ndarray, " other"],
    *,
    keep_moments: bool,
    half: Bool[Tensor, " row"] | None = None,
) -> Raced:
    """Train every student alone; after each rung those stop who are in the worse half of all who are in the race.

    A rung goes on from the best weights so far, with a fresh optimiser.

    Args:
        cohort: The students at rho = 0, with fresh weights; each ends with the weights of its best epoch.
        course: Data, trainer and seed.
        halvings: How often the worse half stops; 0 is never.
        others: Validation losses of students of other kinds; empty is nobody.
        keep_moments: Keep the optimiser's memory at the best epochs; for a race without halvings alone.
        half: To which half each validation sample belongs, as for the trainer.
    """
    ends = rungs(course.trainer.epochs, halvings) if len(course.data.validation) else ()
    if not ends:
        return Raced(course.run(cohort, 1, "rho 0", keep_moments=keep_moments, half=half), np.arange(cohort.count))
    racing = _Race(cohort, course, others, half)
    for start, end in pairwise((0, *ends, course.trainer.epochs)):
        if len(racing.remaining):
            racing.rung(start, end)
        if end in ends:
            racing.halve()
    return racing.raced()


class _Race:
    """The best of every unit so far, and who is still in."""

    def __init__(
        self, cohort: Cohort, course: Course, others: Float[ndarray, " other"], half: Bool[Tensor, " row"] | None
    ) -> None:
        self.cohort, self.course, self.others = cohort, course, others
        self.remaining = torch.arange(cohort.count)
        self.losses = torch.full((cohort.copies, cohort.count), torch.inf, dtype=torch.float64)
        self.epochs = torch.full((cohort.copies, cohort.count), -1)
        self.history: list[pd.DataFrame] = []
        self.half = half
        sizes = cohort.units, cohort.plan.spec.outputs, course.trainer.dtype
        self.crossfit = None if half is None else CrossFit(half, *sizes)

    def rung(self, start: int, end: int) -> None:
        """Train those who are in, from where they were best."""
        students, shape = self.remaining, (self.cohort.copies, len(self.remaining))
        part = self.cohort.part(students)
        course = replace(self.course, trainer=replace(self.course.trainer, epochs=end - start))
        result = course.run(part, _STREAM + start, f"rho 0, {len(students)} of {self.cohort.count}", half=self.half)
        losses, before = result.losses.double().reshape(shape), self.losses[:, students]
        better = losses < before
        self.losses[:, students] = losses.where(better, before)
        self.epochs[:, students] = (result.epochs.reshape(shape) + start).where(better, self.epochs[:, students])
        self.cohort.take_part(part.to(self.cohort.bias), students, better)
        if self.crossfit is not None and result.crossfit is not None:
            self.crossfit.take(result.crossfit, self.cohort.units_of(students))
        self.history.append(result.history.assign(phase="rho 0", epoch=result.history["epoch"] + start))

    def halve(self) -> None:
        """The worse half of everybody stops; of other kinds they leave."""
        losses = told(self.raced().result, self.cohort, self.course.data)[0].losses[self.remaining.numpy()]
        stay, others = better_half(losses, self.others)
        self.remaining, self.others = self.remaining[torch.from_numpy(stay)], self.others[others]

    def raced(self) -> Raced:
        """What came of it."""
        history = pd.concat(self.history, ignore_index=True)
        result = TrainingResult(self.losses.flatten(), self.epochs.flatten(), history, None, self.crossfit)
        return Raced(result, self.remaining.numpy())


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
