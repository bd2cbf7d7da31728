"""What the networks of a fit are held against: each trained by itself in plain torch, and the least a step needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.cohorts import random_batch
from benchmarks.literal import LiteralStudent
from benchmarks.steps import adam_step, batched_step, multiply_adds, products_step
from benchmarks.timing import interleaved, seconds
from plait.data.modalities import Modalities
from plait.estimators import FusionClassifier
from plait.nn.cohort import Cohort, CohortPlan

_REPEATS = 5
_ROWS, _RATE, _DECAY, _EPOCHS, _PATIENCE = 64, 2e-3, 0.01, 100, 15  # as of `Trainer`


@dataclass(frozen=True)
class Beside:
    """Seconds that stand beside those of a fit.

    Args:
        alone: Of each of some networks, trained by itself (one copy).
        epochs: Epochs of each of these.
        step: Of an optimiser step of all networks (one copy), 64 samples.
        products: Of its multiply-adds alone.
        adam: Of one pass of the optimiser alone.
        multiply_adds: Of such a step.
        parameters: Of the networks (one copy).
    """

    alone: list[float]
    epochs: list[int]
    step: float
    products: float
    adam: float
    multiply_adds: int
    parameters: int


def beside(model: FusionClassifier, data: Modalities, target: np.ndarray, count: int) -> Beside:
    """Some of a fitted model's networks one by one, with one thread, and a step of all beside its limit.

    Args:
        model: The fit.
        data: What it was fitted on.
        target: Classes, counted from 0.
        count: Networks that are trained; evenly spaced among all.
    """
    cohort = next(part for part in model.module_.modules() if isinstance(part, Cohort))
    plan = replace(cohort.plan, spec=replace(cohort.plan.spec, folds=1), dropout=0.0)
    places = np.linspace(0, len(plan.students) - 1, count).round().astype(int)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])  # the first one of a process loads torch's compiler
        features, classes = _read(model, data), torch.from_numpy(target)
        told = [_timed(plan, place, features, classes) for place in places]
    finally:
        torch.set_num_threads(before)
    return Beside([took for took, _ in told], [epochs for _, epochs in told], *_limit(plan))


def _read(model: FusionClassifier, data: Modalities) -> dict[str, Tensor]:
    """What networks read of samples."""
    values = model.standardiser_.transform(data)
    features = {name: torch.from_numpy(value).float() for name, value in values.items()}
    with torch.no_grad():
        return dict(model.module_.representations(features, torch.from_numpy(np.asarray(data.present))))


def _timed(plan: CohortPlan, place: int, features: dict[str, Tensor], classes: Tensor) -> tuple[float, int]:
    student = LiteralStudent(Cohort(replace(plan, students=(plan.students[place],))), 0)
    epochs: list[int] = []
    return seconds(lambda: epochs.append(trained(student, features, classes))), epochs[0]


def trained(student: LiteralStudent, features: dict[str, Tensor], classes: Tensor) -> int:
    """Train a network as everybody does, a fifth of the samples held out to stop by; the epochs it took."""
    optimiser = torch.optim.AdamW(student.parameters(), lr=_RATE, weight_decay=_DECAY)
    draw = torch.Generator().manual_seed(0)
    held, train = torch.randperm(len(classes), generator=draw).split([len(classes) // 5, -(-len(classes) * 4 // 5)])
    best, since = float("inf"), 0
    for epoch in range(_EPOCHS):
        for rows in train[torch.randperm(len(train), generator=draw)].split(_ROWS):
            optimiser.zero_grad()
            _loss(student, features, classes, rows).backward()
            optimiser.step()
        with torch.no_grad():
            loss = float(_loss(student, features, classes, held))
        best, since = min(best, loss), 0 if loss < best else since + 1
        if since >= _PATIENCE:
            return epoch + 1
    return _EPOCHS


def _loss(student: LiteralStudent, features: dict[str, Tensor], classes: Tensor, rows: Tensor) -> Tensor:
    read = {name: features[name][rows] for name in _names(student.reads)}
    return functional.cross_entropy(student(read), classes[rows])


def _names(reads: Sequence[tuple[str, int]]) -> set[str]:
    return {name for name, _ in reads}


def _limit(plan: CohortPlan) -> tuple[float, float, float, int, int]:
    """Seconds of a step, of its products and of the optimiser; multiply-adds and parameters."""
    batch = random_batch(plan, _ROWS)
    steps = {kind.__name__: kind(plan, batch) for kind in (batched_step, products_step, adam_step)}
    took = [median(times) for times in interleaved(steps, _REPEATS).values()]
    count = sum(parameter.numel() for parameter in Cohort(plan).parameters())
    return *took, multiply_adds(plan, _ROWS), count
