"""Students of Meta Fusion that are trained once and then predict together in several ways."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeVar, cast

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray

from plait.data.spec import DataSpec
from plait.estimators import FusionEstimator
from plait.methods.base import Fitted, Method
from plait.methods.meta import MetaFusion
from plait.nn.ensemble_net import EnsembleNet
from plait.nn.ensembles import ensemble_weights
from plait.nn.learners import LearnerStudent
from plait.training.course import Course
from plait.training.ensembling import LearnedEnsemble, Students
from plait.training.findings import cohort_table

ENSEMBLES = "ensembles"
"""Table of the weights: one row a student, one column a choice."""
_Estimator = TypeVar("_Estimator", bound=FusionEstimator)


@dataclass(frozen=True)
class Choice:
    """How trained students predict together.

    Args:
        ensemble: Rule, as in `MetaFusion(ensemble=...)`; None is the method's own.
        kinds: Who may take part: "all", or "learners", all but networks.
    """

    ensemble: str | None = None
    kinds: Literal["all", "learners"] = "all"

    def weights(self, learned: LearnedEnsemble, own: str) -> Float[ndarray, " student"]:
        """Weights of the students, chosen on the samples that the method's own ensemble was chosen on.

        Args:
            learned: The students.
            own: The method's own rule.
        """
        able = _KINDS[self.kinds](learned.students)
        losses = np.where(able, learned.validation.losses, np.inf)
        return ensemble_weights(self.ensemble or own, replace(learned.validation, losses=losses))


_KINDS: Mapping[str, Callable[[Students], list[bool]]] = {
    "all": lambda students: [True for _ in students],
    "learners": lambda students: [isinstance(student, LearnerStudent) for student in students],
}


@dataclass(repr=False, eq=False)
class Reselecting(Method):
    """Meta Fusion, and the weights that other choices of an ensemble give the same trained students.

    Its fit is that of the method, without the modalities' values; the weights are a further table, `ENSEMBLES`.

    Args:
        method: What is trained.
        choices: The other choices, by name.
    """

    joins: ClassVar[str] = MetaFusion.joins
    folds_below: ClassVar[int] = MetaFusion.folds_below

    method: MetaFusion
    choices: Mapping[str, Choice]

    @property
    def folds_allowed(self) -> bool:
        """As of the method."""
        return self.method.folds_allowed

    def build(self, spec: DataSpec) -> EnsembleNet:
        """The method's module."""
        return self.method.build(spec)

    def fit(self, course: Course) -> Fitted:
        """Train the method's students, and choose among them in every way."""
        learned, found = self.method.learn(course)
        own = cast("str", self.method.ensemble)
        weights = {name: choice.weights(learned, own) for name, choice in self.choices.items()}
        names = pd.Index([student.name for student in learned.students], name="student")
        tables = {"cohort": cohort_table(learned), ENSEMBLES: pd.DataFrame(weights, index=names)}
        return Fitted(found, learned.net, learned.history, tables, learned.outputs)


def rechosen(model: _Estimator, choice: str) -> _Estimator:
    """A copy of a fitted model of `Reselecting` whose students predict together in another way.

    Args:
        model: The model.
        choice: Name of the choice.
    """
    found = copy.deepcopy(model)
    weights = found.tables_[ENSEMBLES][choice].to_numpy(float, copy=True)
    cast("EnsembleNet", found.module_).weights.copy_(torch.from_numpy(weights))
    return found
