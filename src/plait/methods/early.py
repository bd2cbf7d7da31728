"""Early fusion: one network on the concatenated features of all modalities."""

from dataclasses import dataclass
from typing import ClassVar

from plait.data.settings import layer_widths
from plait.data.spec import DataSpec
from plait.methods.fixed import FixedCohort
from plait.nn.cohort import CohortPlan
from plait.nn.dictionary import whole_student
from plait.nn.learner_kinds import Base


@dataclass(repr=False, eq=False)
class EarlyFusion(FixedCohort):
    """One network reads the features of all modalities side by side.

    The special case of a cohort with the one student that reads everything. Absent modalities are read as zeros
    (the training mean, where the estimator scales).

    Args:
        hidden: Widths of the hidden layers; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
        base: An estimator of scikit-learn, or "linear", "forest", "boosting", "ridge", "quadratic" or "logistic", that
            takes the place of the network, as in `LateFusion`. None: our network.
    """

    joins: ClassVar[str] = "features"

    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.2
    base: Base | None = None

    def plan(self, spec: DataSpec) -> CohortPlan:
        """The one student."""
        students = (whole_student(spec, spec.names),)
        return CohortPlan(spec, students, layer_widths("hidden", self.hidden), dropout=self.dropout, absent="zero")
