"""What methods with a fixed set of students, trained independently, have in common."""

from abc import abstractmethod

from plait.data.spec import DataSpec
from plait.methods.base import Fitted, Method
from plait.nn.averaging import averaging_for
from plait.nn.cohort import CohortPlan
from plait.nn.dictionary import whole_student
from plait.nn.ensemble_net import EnsembleNet
from plait.nn.learner_kinds import Base
from plait.nn.learners import LearnerPlan, plan_learners
from plait.training.course import Course
from plait.training.ensembling import build_ensemble, build_learners, learn_ensemble, learn_learners
from plait.training.findings import cohort_table
from plait.training.mutual_learning import MutualLearning


class FixedCohort(Method):
    """A cohort without a search: its students are given, train alone, and predict by a given rule.

    The conventional strategies are such cohorts: early fusion is the one student that reads everything, late fusion
    one student a modality. Students are networks, or copies of an estimator of scikit-learn.
    """

    base: Base | None = None

    @property
    def folds_allowed(self) -> bool:
        """There is a copy of every student for every fold."""
        return True

    @abstractmethod
    def plan(self, spec: DataSpec) -> CohortPlan:
        """The students."""

    def combination(self, spec: DataSpec) -> tuple[str, str]:
        """The rule of the weights, and the space in which predictions are averaged."""
        return "simple", "probabilities"

    def build(self, spec: DataSpec) -> EnsembleNet:
        """The students with fresh weights (not fitted, where they are scikit-learn's)."""
        plan, averaging = self.plan(spec), averaging_for(spec, self.combination(spec)[1])
        return build_ensemble(plan, averaging) if self.base is None else build_learners(self._learners(plan), averaging)

    def fit(self, course: Course) -> Fitted:
        """Train every student alone."""
        spec = course.data.spec
        plan, (rule, average) = self.plan(spec), self.combination(spec)
        averaging = averaging_for(spec, average)
        if self.base is None:
            learned = learn_ensemble(plan, MutualLearning(rhos=(0.0,)), rule, averaging, course)
        else:
            learned = learn_learners(self._learners(plan), rule, averaging, course)
        return Fitted(self, learned.net, learned.history, {"cohort": cohort_table(learned)}, learned.outputs)

    def _learners(self, plan: CohortPlan) -> LearnerPlan:
        """Copies of the base that read what the students read."""
        bases = () if self.base is None else (self.base,)
        read = [whole_student(plan.spec, student.modalities) for student in plan.students]
        return plan_learners(plan.spec, bases, [read] * len(bases), absent=plan.absent)
