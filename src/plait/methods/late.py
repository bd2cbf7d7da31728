"""Late fusion: one network a modality, their predictions averaged."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from plait.data.settings import check_one_of, layer_widths
from plait.data.spec import DataSpec
from plait.methods.fixed import FixedCohort
from plait.nn.cohort import CohortPlan
from plait.nn.dictionary import whole_student


@dataclass(repr=False, eq=False)
class LateFusion(FixedCohort):
    """Every modality predicts alone; the predictions are averaged.

    The special case of a cohort whose students read one modality each and do not learn from each other. A sample
    with absent modalities is predicted by the others.

    Args:
        hidden: Widths of the hidden layers of every modality's network; () is linear.
        rule: Weights of the average: "simple" (equal), "weighted" (by 1 / validation loss), or "stacking"
            (non-negative ridge on the validation samples).
        average: What is averaged of classes: "probabilities" or "logits".
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    joins: ClassVar[str] = "predictions"

    hidden: tuple[int, ...] = (128, 64)
    rule: Literal["simple", "weighted", "stacking"] = "simple"
    average: Literal["probabilities", "logits"] = "probabilities"
    dropout: float = 0.2

    def plan(self, spec: DataSpec) -> CohortPlan:
        """One student a modality."""
        check_one_of("rule", self.rule, ("simple", "weighted", "stacking"))
        students = tuple(whole_student(spec, [name]) for name in spec.names)
        return CohortPlan(spec, students, layer_widths("hidden", self.hidden), dropout=self.dropout)
