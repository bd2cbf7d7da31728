"""Fitting scikit-learn's learners: for every fold on all other samples, and at last on all of them."""

import time
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.closed_head import ClosedHead
from plait.nn.learners import LearnerPlan, Learners
from plait.training.closed_form import HeadsTask, learn_heads, losses_of
from plait.training.course import Course
from plait.training.judging import Judged, judge
from plait.training.progress import progress_bar

_STREAM = 1000  # seeds of learners; those before are of networks


@dataclass(frozen=True)
class FittedLearners:
    """Learners, and what each of them said of the samples that it had not seen.

    Args:
        learners: The learners, fitted on all samples that they can read.
        outputs: Output of every learner for every validation sample, fitted on all samples but those of its fold.
        usable: Which validation samples each learner can read, and was fitted for.
        losses: Mean loss of each learner on these samples; inf where there is none.
        independent: The same before heads in closed form learned from each other.
        teaches: Who of these taught.
        rho: The strength at which they did.
        history: One row: there are no epochs.
    """

    learners: Learners
    outputs: Float[Tensor, "student validation out"]
    usable: Bool[Tensor, "student validation"]
    losses: Float[ndarray, " student"]
    independent: Float[ndarray, " student"]
    teaches: Bool[ndarray, " student"]
    rho: float
    history: pd.DataFrame

    def judged(self, data: TrainingData) -> Judged:
        """How the learners did on the validation samples."""
        return judge(self.outputs, self.usable, data)


def fit_learners(plan: LearnerPlan, course: Course) -> FittedLearners:
    """Fit every learner once for every fold, and at last on all samples.

    Heads in closed form are fitted once on all samples: what they would say of a fold without having seen it follows
    from that fit. The penalty is chosen by folds (with one hold-out set by single samples, or by groups where there
    are any), so what is said of validation samples has seen them in that one number, and in the temperature of classes.

    Args:
        plan: The learners.
        course: Data with cached representations, and the seed; nothing of the trainer counts.
    """
    start = time.perf_counter()
    learners, data = Learners(plan), course.data
    readable = learners.readable(data.samples.present)
    if readable is None:
        readable = torch.ones(learners.count, len(data.samples), dtype=torch.bool)
    outputs = torch.zeros(learners.count, len(data.samples), data.spec.outputs, dtype=torch.float64)
    usable = torch.zeros_like(readable)
    closed = [place for place, one in enumerate(learners.learners) if isinstance(one, ClosedHead)]
    with progress_bar(learners.count, "learners", "learner", course.verbose) as bar:
        for place in range(learners.count):
            if place not in closed:
                task = _Task(learners, place, readable[place], data, course.stream(_STREAM + place))
                task.judge(outputs[place], usable[place])
                bar.update()
        values = [learners.values(place, data.samples.features) for place in closed]
        heads = [cast("ClosedHead", learners.learners[place]) for place in closed]
        learned = learn_heads(heads, HeadsTask(values, readable[closed], data), plan.rhos)
        outputs[closed], usable[closed] = learned.outputs, learned.usable
        bar.update(len(closed))
    losses = losses_of(outputs, usable, data)
    independent, teaches = losses.copy(), np.zeros(learners.count, dtype=bool)
    independent[closed], teaches[closed] = learned.independent, learned.teaches
    history = _history(losses, time.perf_counter() - start)
    rows = data.validation
    facts = losses, independent, teaches, learned.rho, history
    return FittedLearners(learners.eval(), outputs[:, rows], usable[:, rows], *facts)


class _Task:
    """One learner, what it reads, and who may read."""

    def __init__(
        self, learners: Learners, place: int, readable: Bool[Tensor, " sample"], data: TrainingData, seed: int
    ) -> None:
        self.learner: Any = learners.learners[place]
        self.readable, self.data, self.seed = readable, data, seed
        self.values = learners.values(place, data.samples.features).double().numpy()
        self.target = data.samples.target.double().numpy()

    def judge(self, outputs: Float[Tensor, "sample out"], usable: Bool[Tensor, " sample"]) -> None:
        """Fill in the outputs for the samples of every fold, and which of them there are; then fit on all samples."""
        fold = self.data.samples.fold
        for own in range(self.data.spec.folds):
            self._fit(fold != own)
            held = (fold == own) & self.readable & self.learner.fitted
            outputs[held] = torch.from_numpy(self.learner.predict(self.values[held.numpy()]))
            usable |= held
        self._fit(fold >= -1)

    def _fit(self, rows: Bool[Tensor, " sample"]) -> None:
        """Fit on those of these samples that can be read."""
        chosen = (rows & self.readable).numpy()
        self.learner.fit(self.values[chosen], self.target[chosen], self.seed)


def _history(losses: Float[ndarray, " student"], seconds: float) -> pd.DataFrame:
    """The columns of a network's history, in one row."""
    finite = losses[np.isfinite(losses)]
    loss = float(finite.mean()) if len(finite) else float("inf")
    numbers = {"training_loss": float("nan"), "validation_loss": loss, "best_validation_loss": loss}
    return pd.DataFrame([{"phase": "learners", "epoch": 0, **numbers, "seconds": seconds}])
