"""Training in rungs: parts of a cohort one after the other, each from where it was best."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import torch
from jaxtyping import Bool
from torch import Tensor

from plait.nn.cohort import Cohort
from plait.nn.layers import Rows
from plait.nn.units import Units
from plait.training.course import Course
from plait.training.crossfit import CrossFit
from plait.training.loop import AfterEpoch
from plait.training.trainer import TrainingResult

SHORTEST = 5
"""Epochs of the first rung at least; halvings that would come before it are left out."""
Schedule = Callable[[Cohort, int], AfterEpoch]
"""What happens after each epoch of a rung, by its cohort and the epoch that it begins with."""


def rung_ends(epochs: int, halvings: int) -> tuple[int, ...]:
    """Epochs after which the worse half stops: 1/2^h, ..., 1/4, 1/2 of all.

    Args:
        epochs: All epochs.
        halvings: How often.
    """
    ends = (epochs >> power for power in range(halvings, 0, -1))
    return tuple(end for end in ends if end >= SHORTEST)


class Rungs:
    """The best of every unit so far. A rung goes on from there with a fresh optimiser.

    Args:
        cohort: The students, with fresh weights; each unit ends with the weights of its best epoch.
        course: Data, trainer and seed.
        half: To which half each validation sample belongs, as for the trainer.
        place: Stream of random numbers of the first rung; others come after it, by the epoch that they begin with.
        schedule: What happens after each epoch; None is nothing.
    """

    def __init__(
        self,
        cohort: Cohort,
        course: Course,
        half: Bool[Tensor, " row"] | None,
        place: int,
        schedule: Schedule | None = None,
    ) -> None:
        self.cohort, self.course, self.half, self.place, self.schedule = cohort, course, half, place, schedule
        self.losses = torch.full((cohort.copies, cohort.count), torch.inf, dtype=torch.float64)
        self.epochs = torch.full((cohort.copies, cohort.count), -1)
        self.history: list[pd.DataFrame] = []
        sizes = cohort.units, cohort.plan.spec.outputs, course.trainer.dtype
        self.crossfit = None if half is None else CrossFit(half, *sizes)

    def climb(self, students: Rows, places: Rows, start: int, end: int) -> None:
        """Train these students at the rhos at these places from epoch `start` to `end`."""
        part = self.cohort.part(students, places)
        course = replace(self.course, trainer=replace(self.course.trainer, epochs=end - start))
        after = None if self.schedule is None else self.schedule(part, start)
        label = f"{strengths_of(part)}, {len(students)} of {self.cohort.count}"
        result = course.run(part, self.place + start, label, after_epoch=after, half=self.half)
        self._take(part, result, self.cohort.units_at(students, places), start)

    def _take(self, part: Cohort, result: TrainingResult, own: Units, start: int) -> None:
        """What a part came to, where that was better."""
        chosen, shape = (own.copies[:, None], own.students), (part.copies, part.count)
        losses, before = result.losses.double().reshape(shape), self.losses[chosen]
        better = losses < before
        self.losses[chosen] = losses.where(better, before)
        self.epochs[chosen] = (result.epochs.reshape(shape) + start).where(better, self.epochs[chosen])
        self.cohort.take_part(part.to(self.cohort.bias), own, better)
        if self.crossfit is not None and result.crossfit is not None:
            self.crossfit.take(result.crossfit, own.among(self.cohort.count).flatten())
        self.history.append(
            result.history.assign(phase=strengths_of(self.cohort), epoch=result.history["epoch"] + start)
        )

    def result(self) -> TrainingResult:
        """Losses, epochs and history of every unit, as of one run."""
        history = pd.concat(self.history, ignore_index=True)
        return TrainingResult(self.losses.flatten(), self.epochs.flatten(), history, None, self.crossfit)


def strengths_of(cohort: Cohort) -> str:
    """The rhos of a cohort, to be read."""
    return "rho " + ", ".join(f"{rho:g}" for rho in cohort.plan.rhos)
