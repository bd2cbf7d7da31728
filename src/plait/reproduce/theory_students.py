"""Linear students as a cohort of plait, trained as cohorts are: what the statements of the theory are held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from numpy import ndarray

from plait.data.batches import Batch, TrainingData
from plait.data.spec import DataSpec
from plait.nn.cohort import Cohort, CohortPlan
from plait.nn.extractors import Identity
from plait.nn.module import evaluate
from plait.nn.students import Student
from plait.training.trainer import Trainer


@dataclass(frozen=True)
class LinearStudents:
    """Who they are; heads are linear and have no intercept.

    Args:
        features: Features of each modality, one row a sample.
        reads: The modalities that each student reads.
        teach: Which of the students teach, by place; all equally.
    """

    features: Mapping[str, Float[ndarray, "row _"]]
    reads: Sequence[tuple[str, ...]]
    teach: Sequence[int]

    def trained(
        self, target: Float[ndarray, "row out"], rhos: tuple[float, ...], trainer: Trainer, seed: int
    ) -> Float[ndarray, "rho student row out"]:
        """Every student's fit to every column of the target (which do not touch each other), at every rho.

        Args:
            target: The labels.
            rhos: Strengths of mutual learning, trained side by side.
            trainer: How they are trained; nothing is held out.
            seed: Of initial weights and order.
        """
        data = self._data(target)
        cohort = self._cohort(data.spec, rhos, seed)
        trainer.run(cohort, data, seed)
        outputs = evaluate(cohort, data.samples.features, data.samples.present)
        return outputs.numpy().reshape(len(rhos), len(self.reads), *target.shape)

    def _data(self, target: Float[ndarray, "row out"]) -> TrainingData:
        rows, outputs = target.shape
        spec = DataSpec({name: (x.shape[1],) for name, x in self.features.items()}, outputs, "regression")
        features = {f"{name}/identity": torch.from_numpy(values) for name, values in self.features.items()}
        present = torch.ones(rows, len(features), dtype=torch.bool)
        return TrainingData(Batch(features, present, torch.from_numpy(target), torch.full((rows,), -1)), spec)

    def _cohort(self, spec: DataSpec, rhos: tuple[float, ...], seed: int) -> Cohort:
        students = tuple(Student(tuple((name, Identity()) for name in names)) for names in self.reads)
        plan = CohortPlan(spec, students, hidden=(), rhos=rhos)
        cohort = Cohort(plan, torch.Generator().manual_seed(seed)).double()
        cohort.bias.requires_grad = False
        cohort.bias.zero_()
        cohort.teachers.zero_()
        cohort.teachers[:, list(self.teach)] = 1 / len(self.teach)
        return cohort
