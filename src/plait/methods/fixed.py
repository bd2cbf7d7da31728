"""What methods with a fixed set of students, trained independently, have in common."""

from abc import abstractmethod

from plait.data.spec import DataSpec
from plait.methods.base import Fitted, Method
from plait.nn.averaging import averaging_for
from plait.nn.cohort import CohortPlan
from plait.nn.ensemble_net import EnsembleNet
from plait.training.course import Course
from plait.training.ensembling import build_ensemble, learn_ensemble
from plait.training.findings import cohort_table
from plait.training.mutual_learning import MutualLearning


class FixedCohort(Method):
    """A cohort without a search: its students are given, train alone, and predict by a given rule.

    The conventional strategies are such cohorts: early fusion is the one student that reads everything, late fusion
    one student a modality.
    """

    rule = "simple"
    average = "probabilities"

    @property
    def folds_allowed(self) -> bool:
        """There is a copy of every student for every fold."""
        return True

    @abstractmethod
    def plan(self, spec: DataSpec) -> CohortPlan:
        """The students."""

    def build(self, spec: DataSpec) -> EnsembleNet:
        """The students with fresh weights."""
        return build_ensemble(self.plan(spec), averaging_for(spec, self.average))

    def fit(self, course: Course) -> Fitted:
        """Train every student alone."""
        spec = course.data.spec
        averaging = averaging_for(spec, self.average)
        learned = learn_ensemble(self.plan(spec), MutualLearning(rhos=(0.0,)), self.rule, averaging, course)
        tables = {"cohort": cohort_table(learned)}
        return Fitted(self, learned.net, learned.cohort.history, tables, learned.outputs)
