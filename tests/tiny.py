"""Tiny samples, cohorts and courses that several test files share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from plait.data.batches import Batch, TrainingData
from plait.data.spec import DataSpec
from plait.nn.cohort import Cohort, CohortPlan
from plait.nn.extractors import parse_dictionary
from plait.nn.parts import Parts
from plait.nn.representations import Representations
from plait.nn.students import full_product
from plait.training.course import Course
from plait.training.judging import Judged
from plait.training.trainer import Trainer

SHAPES = {"a": (5,), "b": (6,)}
READ = ("identity", "null")
TOLD = ("task", "outputs", "shapes", "count", "folds", "absent", "encoders")


def samples(
    task="regression",
    outputs=1,
    *,
    shapes=SHAPES,
    count=40,
    folds=1,
    absent=0.0,
    seed=0,
    encoders=None,
    dtype=torch.float32,
) -> TrainingData:
    """Gaussian features, a target that each modality tells a part of; every fourth sample validates (or folds).

    Args:
        absent: Share of absent modalities; every sample keeps at least one.
    """
    draw = torch.Generator().manual_seed(seed)
    features = {name: torch.randn(count, *shape, generator=draw).to(dtype) for name, shape in shapes.items()}
    parts = [values.flatten(1) for values in features.values()]
    target = sum(
        part @ torch.randn(part.shape[1], outputs, generator=draw).to(dtype) / part.shape[1] ** 0.5 for part in parts
    )
    target = target + 0.5 * torch.randn(count, outputs, generator=draw).to(dtype)
    if task == "classification":
        target = torch.nn.functional.one_hot(target.argmax(1), outputs).to(dtype)
    present = torch.rand(count, len(shapes), generator=draw) >= absent
    present[torch.arange(count), torch.randint(len(shapes), (count,), generator=draw)] = True
    for place, values in enumerate(features.values()):
        values[~present[:, place]] = 0
    fold = torch.where(torch.arange(count) % 4 == 0, 0, -1) if folds == 1 else torch.arange(count) % folds
    spec = DataSpec(dict(shapes), outputs, task, encoders or {}, folds)
    return TrainingData(Batch(features, present, target, fold), spec)


def plan(data: TrainingData, labels=READ, **choices) -> CohortPlan:
    """The full product of the labels (one list for all modalities, or a mapping), with a small head."""
    read = labels if isinstance(labels, Mapping) else dict.fromkeys(data.spec.names, labels)
    students = tuple(full_product(parse_dictionary(read, data.spec)))
    return CohortPlan(data.spec, students, **{"hidden": (4,), "encoder_hidden": (3,)} | choices)


def cached(data: TrainingData, planned: CohortPlan) -> TrainingData:
    """The samples with the representations that a cohort reads."""
    read = Representations(planned.spec, planned.students, planned.encoder_hidden)
    training = data.samples.rows(data.train)
    read.fit_projections(Parts(read.names, training.features, training.present))
    return data.with_features(read)


def prepared(labels=READ, **choices) -> tuple[TrainingData, CohortPlan]:
    """Samples with the representations that a cohort reads, and the cohort's plan; choices are of either."""
    told = {name: choices.pop(name) for name in TOLD if name in choices}
    data = samples(**told)
    planned = plan(data, labels, **choices)
    return cached(data, planned), planned


def fresh_cohort(labels=READ, **choices) -> tuple[TrainingData, Cohort]:
    """Samples with the representations that a cohort reads, and the cohort with its initial weights."""
    data, planned = prepared(labels, **choices)
    return data, Cohort(planned)


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    """Whether two states are equal, bit for bit."""
    return set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)


def close(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor], tolerance: float = 1e-12) -> None:
    """Assert that two states are equal up to a tolerance."""
    for name in one:
        torch.testing.assert_close(one[name], other[name].to(one[name]), rtol=0, atol=tolerance)


def weights(cohort: Cohort) -> dict[str, torch.Tensor]:
    """A copy of all parameters and buffers."""
    return {name: tensor.detach().clone() for name, tensor in cohort.state_dict().items()}


def of_unit(cohort: Cohort, state: Mapping[str, torch.Tensor], unit: int) -> dict[str, torch.Tensor]:
    """The part of a state that belongs to one unit."""
    owned = {name: torch.as_tensor(owner) for name, owner in cohort.owners().items()}
    return {
        name: state[name] if owner.ndim == 0 else state[name][owner == unit]
        for name, owner in owned.items()
        if bool((owner == unit).any())
    }


def weights_at(run: Mapping, state: Mapping[str, torch.Tensor], place: int) -> dict[str, torch.Tensor]:
    """A state of a recorded run at one rho, in the form of a cohort of that rho alone."""
    cohort = Cohort(run["module"].plan).double()
    cohort.load_state_dict(state)
    return weights(cohort.at_rho(place))


@dataclass(frozen=True)
class Recorder(Course):
    """A course that remembers the runs of training: modules, results, and what they were after each epoch."""

    runs: list = field(default_factory=list)

    def run(self, module, place, phase, *, after_epoch=None, warm=None, keep_moments=False, half=None):
        started = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
        run = {"module": module, "phase": phase, "place": place, "start": started, "epochs": []}
        self.runs.append(run)

        def record(epochs, losses):
            teachers, rhos = getattr(module, "teachers", None), getattr(module, "rhos", None)
            seen = {"losses": losses, "teachers": teachers, "rhos": rhos}
            seen = {name: tensor.clone() for name, tensor in seen.items() if tensor is not None}
            seen["state"] = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
            run["epochs"].append(seen)
            if after_epoch is not None:
                after_epoch(epochs, losses)

        options = {"after_epoch": record, "warm": warm, "keep_moments": keep_moments, "half": half}
        run["result"] = super().run(module, place, phase, **options)
        run["end"] = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
        return run["result"]


def course(data: TrainingData, seed: int = 0, **settings) -> Recorder:
    """A short course in double precision on one thread, unless the settings of the trainer say otherwise."""
    usual = {"epochs": 4, "batch_size": 8, "learning_rate": 0.01, "weight_decay": 0.0, "precision": "float64"}
    return Recorder(Trainer(**usual | {"patience": None, "device": "cpu", "threads": 1} | settings), data, seed)


def judged_at(losses, data: TrainingData) -> Judged:
    """Students with the same loss on every validation sample; those with an infinite one were never judged."""
    rows = np.repeat(np.array(losses)[:, None], len(data.validation), axis=1)
    return Judged(rows, np.isfinite(rows))
