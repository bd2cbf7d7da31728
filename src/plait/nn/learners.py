"""Learners of scikit-learn as students of a cohort: torch modules around fitted estimators."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from plait.data.shapes import Features, Present
from plait.data.spec import DataSpec
from plait.nn.closed_head import ClosedHead, is_closed
from plait.nn.cohort import Cohort
from plait.nn.extractors import Extractor, Module, is_frozen
from plait.nn.learner_files import read_learner, written_learner
from plait.nn.learner_kinds import LEARNER_TASKS, Base, check_base, learner_labels
from plait.nn.students import Student


class Learner(nn.Module):
    """One scikit-learn estimator: values of samples in, real values or log-probabilities of the classes out.

    It has no parameters that torch could train. Its state is the fitted estimator in the format of skops (no pickle),
    as bytes; loading takes scikit-learn's own types, and others if `trusted` names them.

    Args:
        base: What is fitted: an estimator (which stays as it is) or a word.
        spec: Outputs and task.

    Attributes:
        estimator: The fitted estimator; None where there was nothing to fit it on.
        classes: Places of the classes that the estimator knows.
        trusted: Types, other than scikit-learn's own, that a saved state may hold.
    """

    def __init__(self, base: Base, spec: DataSpec) -> None:
        super().__init__()
        self.base, self.spec = base, spec
        self.estimator: BaseEstimator | None = None
        self.classes = np.arange(spec.outputs)
        self.trusted: tuple[str, ...] = ()

    @property
    def fitted(self) -> bool:
        """Whether there was something to fit it on."""
        return self.estimator is not None

    def fit(self, values: Float[ndarray, "row width"], target: Float[ndarray, "row out"], seed: int) -> "Learner":
        """Fit a copy of the base on samples; without any, nothing is fitted.

        Args:
            values: What is read, one row a sample.
            target: Real values, or classes one-hot.
            seed: For every `random_state` of the base that is None.
        """
        self.estimator = None
        if len(values):
            self.classes = np.flatnonzero(target.any(0))
            self.estimator = LEARNER_TASKS[self.spec.task].fit(self.base, values, target, seed)
        return self

    def predict(self, values: Float[ndarray, "row width"]) -> Float[ndarray, "row out"]:
        """What the estimator says of samples; zeros where nothing was fitted, or there is no sample."""
        outputs = self.spec.outputs
        if self.estimator is None or not len(values):
            return np.zeros((len(values), outputs))
        return LEARNER_TASKS[self.spec.task].output(self.estimator, self.classes, values, outputs)

    def forward(self, values: Float[Tensor, "batch width"]) -> Float[Tensor, "batch out"]:
        """The same for tensors."""
        return torch.from_numpy(self.predict(_array(values))).to(values)

    def get_extra_state(self) -> UInt8[Tensor, " byte"]:
        """The fitted estimator as bytes; none where nothing was fitted."""
        fitted = b"" if self.estimator is None else written_learner((self.estimator, self.classes))
        return torch.frombuffer(bytearray(fitted), dtype=torch.uint8) if fitted else torch.empty(0, dtype=torch.uint8)

    def set_extra_state(self, state: Any) -> None:
        """Take the fitted estimator from bytes.

        Raises:
            ValueError: If they are damaged, or hold types that are not to be trusted.
        """
        content = state.numpy().tobytes()
        self.estimator, self.classes = read_learner(content, self.trusted) if content else (None, self.classes)


@dataclass(frozen=True)
class LearnerStudent:
    """What one learner reads.

    Args:
        label: Name of the learner.
        base: The learner.
        student: What it reads.
    """

    label: str
    base: Base
    student: Student

    @property
    def reads(self) -> tuple[tuple[str, Extractor], ...]:
        """The modalities that are read, each with its extractor."""
        return self.student.reads

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that are read."""
        return self.student.modalities

    @property
    def name(self) -> str:
        """For example "forest of audio:identity"."""
        return f"{self.label} of {self.student.name}"


@dataclass(frozen=True)
class LearnerPlan:
    """Which learners there are.

    Args:
        spec: Shapes, outputs and task.
        students: What each of them reads.
        absent: "skip": a learner reads the samples that have all its modalities. "zero": it reads every sample that
            has at least one of them, with zeros in place of the absent ones.
        rhos: Strengths of mutual learning among heads in closed form, to choose from.
    """

    spec: DataSpec
    students: tuple[LearnerStudent, ...]
    absent: Literal["skip", "zero"] = "skip"
    rhos: tuple[float, ...] = (0.0,)


def plan_learners(
    spec: DataSpec,
    bases: Sequence[Base],
    reads: Sequence[Sequence[Student]],
    *,
    absent: Literal["skip", "zero"] = "skip",
    parameter: str = "base",
) -> LearnerPlan:
    """Every learner on each of several choices of what it reads.

    Args:
        spec: Shapes, outputs, task, and the user's encoders.
        bases: The learners.
        reads: For each learner the choices of what it reads side by side.
        absent: As in `LearnerPlan`.
        parameter: Name of the parameter, for the errors.

    Raises:
        ValueError: If a learner cannot learn the task, a modality has an encoder that is to be trained, or the name of
            a modality makes names of students alike.
        TypeError: If something is no estimator.
    """
    for base in bases:
        check_base(base, spec.task, parameter)
    given = {name for each in reads for student in each for name, one in student.reads if isinstance(one, Module)}
    trained = [name for name in given if not is_frozen(spec.encoders[name])]
    if trained:
        raise ValueError(
            f"The encoder of modality '{min(trained)}' is trained, which takes a network; learners of scikit-learn "
            f"(parameter {parameter}) cannot. Freeze it, module.requires_grad_(False), or leave it out."
        )
    labels = learner_labels(tuple(bases))
    alike = [name for name in spec.names if name.startswith(tuple(f"{label} of " for label in labels))]
    if alike:
        raise ValueError(f"A modality called {alike[0]!r} makes names of students alike; rename it.")
    labelled = zip(labels, bases, reads, strict=True)
    students = (LearnerStudent(label, base, student) for label, base, each in labelled for student in each)
    return LearnerPlan(spec, tuple(students), absent)


class Learners(nn.Module):
    """Learners side by side, each on what it reads: scikit-learn's, and heads in closed form.

    Args:
        plan: Who they are.
    """

    reads: Tensor

    def __init__(self, plan: LearnerPlan) -> None:
        super().__init__()
        self.plan, self.count = plan, len(plan.students)
        self.learners = nn.ModuleList(self._made(student) for student in plan.students)
        reads = torch.tensor([[name in one.modalities for name in plan.spec.names] for one in plan.students])
        self.register_buffer("reads", reads, persistent=False)

    def _made(self, student: LearnerStudent) -> nn.Module:
        base, spec = student.base, self.plan.spec
        return ClosedHead(base, spec, student.student.width(spec)) if is_closed(base) else Learner(base, spec)

    def values(self, place: int, features: Features) -> Float[Tensor, "batch width"]:
        """What one learner reads of cached representations (named "modality/source"), side by side."""
        reads = self.plan.students[place].reads
        return torch.cat([one.first(features[f"{name}/{one.source}"].flatten(1)) for name, one in reads], 1)

    def forward(self, features: Features, present: Present) -> Float[Tensor, "student batch out"]:
        """Outputs of all learners for cached representations."""
        return torch.stack([learner(self.values(place, features)) for place, learner in enumerate(self.learners)])

    def readable(self, present: Present) -> Bool[Tensor, "student batch"] | None:
        """Which samples each learner can read; None is all of them."""
        if bool(present.all()):
            return None
        if self.plan.absent == "zero":
            return (self.reads[:, None] & present).any(-1)
        return ~(self.reads[:, None] & ~present).any(-1)


@dataclass(frozen=True)
class JoinedPlan:
    """Who is in a cohort of networks and learners.

    Args:
        spec: Shapes, outputs and task.
        students: The networks, then the learners.
    """

    spec: DataSpec
    students: tuple[Student | LearnerStudent, ...]


class Joined(nn.Module):
    """Networks and learners as one cohort: every copy of the networks stands beside the same learners.

    Args:
        networks: The networks, at one rho.
        learners: The learners.
    """

    def __init__(self, networks: Cohort, learners: Learners) -> None:
        super().__init__()
        self.networks, self.learners = networks, learners
        self.count = networks.count + learners.count
        self.plan = JoinedPlan(networks.plan.spec, networks.plan.students + learners.plan.students)

    def forward(self, features: Features, present: Present) -> Float[Tensor, "unit batch out"]:
        """Outputs of every copy: of its networks, then of the learners."""
        outputs = self.networks(features, present).unflatten(0, (-1, self.networks.count))
        others = self.learners(features, present).to(outputs)
        return torch.cat([outputs, others.expand(len(outputs), *others.shape)], 1).flatten(0, 1)

    def readable(self, present: Present) -> Bool[Tensor, "student batch"] | None:
        """Which samples each can read; None is all of them."""
        networks, learners = self.networks.readable(present), self.learners.readable(present)
        return None if networks is None or learners is None else torch.cat([networks, learners])


def trust(module: nn.Module, types: Collection[str]) -> None:
    """Let all learners of a module load states that hold these types beside scikit-learn's own."""
    for part in module.modules():
        if isinstance(part, Learner):
            part.trusted = tuple(types)


def _array(values: Float[Tensor, "batch width"]) -> Float[ndarray, "batch width"]:
    return values.detach().cpu().double().numpy()
