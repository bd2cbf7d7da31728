"""Trained cohorts at one rho, of all students or of those that were left, and how to make one of both."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.cohort import Cohort
from plait.nn.screening import PerStudent
from plait.training.telling import Told, told
from plait.training.trainer import TrainingResult


@dataclass(frozen=True)
class Phase:
    """One rho of a trained cohort: of all students, or of those at these positions.

    Args:
        cohort: The students, at this rho and perhaps others.
        place: Place of the rho among theirs.
        result: Of training them.
        told: How they did.
        students: Their positions among all, ascending.
    """

    cohort: Cohort
    place: int
    result: TrainingResult
    told: Told
    students: Int[ndarray, " some"]

    @property
    def losses(self) -> PerStudent:
        """Validation loss of each student."""
        return self.told.losses

    @property
    def rho(self) -> float:
        """The strength of mutual learning."""
        return self.cohort.plan.rhos[self.place]

    @property
    def epochs(self) -> PerStudent:
        """Best epoch of each student, the mean over the folds."""
        shape = (len(self.cohort.plan.rhos), self.cohort.plan.spec.folds, self.cohort.count)
        return np.asarray(self.result.epochs.double().reshape(shape).mean(1)[self.place])

    def of(self, students: Int[ndarray, " few"]) -> Float[ndarray, " few"]:
        """Losses of some of its students, by their positions among all."""
        return self.losses[np.searchsorted(self.students, students)]

    def outputs_of_all(self, alone: "Phase") -> Float[Tensor, "student row out"] | None:
        """What all students say of validation samples, if that was kept; of those who are not in this phase, alone."""
        if alone.told.outputs is None or self.told.outputs is None:
            return None
        found = alone.told.outputs.clone()
        found[torch.from_numpy(self.students)] = self.told.outputs
        return found

    def cohort_of_all(self, alone: "Phase") -> Cohort:
        """All students at this rho; those who are not in this phase as they were alone."""
        part = self.cohort.at_rho(self.place).to(alone.cohort.bias)
        if part.count == alone.cohort.count:
            return part
        found = Cohort(replace(alone.cohort.plan, rhos=(self.rho,))).to(alone.cohort.bias)
        found.copy_rho(alone.cohort, 0, 0)
        own = found.units_at(torch.from_numpy(self.students))
        found.take_part(part, own, torch.ones(part.copies, part.count, dtype=torch.bool))
        return found


def phases_of(
    cohort: Cohort, result: TrainingResult, data: TrainingData, students: Int[ndarray, " some"]
) -> list[Phase]:
    """One phase for each rho of a cohort."""
    found = enumerate(told(result, cohort, data))
    return [Phase(cohort, place, result, one, students) for place, one in found]


def replaced(all_of: PerStudent, some: Float[ndarray, " some"], students: Int[ndarray, " some"]) -> PerStudent:
    """The numbers of all students, with those of some in their places."""
    found = all_of.copy()
    found[students] = some
    return found
