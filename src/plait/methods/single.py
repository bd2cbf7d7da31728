"""One modality alone: the baseline that fusion has to beat."""

from dataclasses import dataclass
from typing import ClassVar

from plait.data.settings import layer_widths
from plait.data.spec import DataSpec
from plait.methods.fixed import FixedCohort
from plait.nn.cohort import CohortPlan
from plait.nn.dictionary import encoded_student, whole_student
from plait.nn.learner_kinds import Base


@dataclass(repr=False, eq=False)
class SingleModality(FixedCohort):
    """One network reads one modality; the others are ignored.

    A series or an image is read through a convolution (`plait.nn.encoders`) unless the user gives a module.

    A sample that lacks the modality is predicted by the prior: the class frequencies, or the mean target.

    Args:
        modality: Name of the modality that is read; None is the only one there is.
        hidden: Widths of the hidden layers; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
        base: An estimator of scikit-learn, or "linear", "forest", "boosting", "ridge", "quadratic" or "logistic", that
            takes the place of the network, as in `LateFusion`. None: our network.
    """

    joins: ClassVar[str] = "nothing"

    modality: str | None = None
    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.2
    base: Base | None = None

    def plan(self, spec: DataSpec) -> CohortPlan:
        """The one student.

        Raises:
            ValueError: If the modality is not there, or none is named and there are several.
        """
        name = spec.names[0] if self.modality is None and len(spec.names) == 1 else self.modality
        if name not in spec.names:
            raise ValueError(
                f"SingleModality(modality={self.modality!r}) names none of the modalities {list(spec.names)}. Name one."
            )
        read = encoded_student if self.base is None else whole_student
        return CohortPlan(spec, (read(spec, [name]),), layer_widths("hidden", self.hidden), dropout=self.dropout)
