"""Races of students, and of strengths of mutual learning: after each rung the worse half stops (successive halving).

After Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization" (2016). Students
of other kinds, who are trained already, are in the race too: networks that are not in the better half of all stop. So
is rho = 0 among the strengths: others that are not in the better half after as many epochs stop.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from plait.nn.cohort import Cohort
from plait.nn.screening import PerStudent
from plait.training.course import Course
from plait.training.rungs import Rungs, Schedule, rung_ends, strengths_of
from plait.training.telling import per_student, told
from plait.training.trainer import TrainingResult

_ALONE, _TOGETHER = 100, 2000  # streams of random numbers of the rungs


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
        rungs: Best loss of every student so far, after each rung but the last.
    """

    result: TrainingResult
    remaining: Int[ndarray, " remaining"]
    rungs: tuple[PerStudent, ...] = ()


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
    ends = rung_ends(course.trainer.epochs, halvings) if len(course.data.validation) else ()
    if not ends:
        return Raced(course.run(cohort, 1, "rho 0", keep_moments=keep_moments, half=half), np.arange(cohort.count))
    rungs, remaining, levels = Rungs(cohort, course, half, _ALONE), np.arange(cohort.count), []
    for start, end in pairwise((0, *ends, course.trainer.epochs)):
        if len(remaining):
            rungs.climb(torch.from_numpy(remaining), torch.tensor([0]), start, end)
        if end in ends:
            levels.append(per_student(rungs.losses, cohort, course.data)[0])
            losses = told(rungs.result(), cohort, course.data)[0].losses[remaining]
            stay, left = better_half(losses, others)
            remaining, others = remaining[stay], others[left]
    return Raced(rungs.result(), remaining, tuple(levels))


def race_strengths(
    cohort: Cohort,
    course: Course,
    halvings: int,
    zero: tuple[float, ...],
    top: Int[ndarray, " top"],
    schedule: Schedule,
    half: Bool[Tensor, " row"] | None = None,
) -> TrainingResult:
    """Train the students at every rho > 0; after each rung those rhos stop that are in the worse half of all.

    A rho is as good as the mean of the best losses so far of the screened students. One by itself is just trained.

    Args:
        cohort: The students at these rhos, with fresh weights and teachers; each unit ends with those of its best
            epoch.
        course: Data, trainer and seed.
        halvings: How often the worse half stops; 0 is never.
        zero: What it was at rho = 0 after each rung but the last; empty where that does not compete.
        top: Positions of the screened students.
        schedule: What changes between epochs.
        half: To which half each validation sample belongs, as for the trainer.
    """
    ends = rung_ends(course.trainer.epochs, halvings) if len(course.data.validation) else ()
    if not ends or len(cohort.plan.rhos) + len(zero[:1]) < 2:
        return course.run(cohort, 3, strengths_of(cohort), after_epoch=schedule(cohort, 0), half=half)
    rungs, remaining, alone = Rungs(cohort, course, half, _TOGETHER, schedule), np.arange(len(cohort.plan.rhos)), zero
    for place, (start, end) in enumerate(pairwise((0, *ends, course.trainer.epochs))):
        if len(remaining):
            rungs.climb(torch.arange(cohort.count), torch.from_numpy(remaining), start, end)
        if end in ends:
            levels = per_student(rungs.losses, cohort, course.data)[remaining][:, top].mean(1)
            stay, left = better_half(levels, np.array(alone[place : place + 1]))
            remaining, alone = remaining[stay], alone if left.all() else ()
    return rungs.result()
