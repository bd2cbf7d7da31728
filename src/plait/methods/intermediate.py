"""Intermediate fusion: an encoder a modality, one network on their outputs, trained together."""

from dataclasses import dataclass

from plait.data.settings import check_whole, layer_widths
from plait.data.spec import DataSpec
from plait.methods.fixed import FixedCohort
from plait.nn.cohort import CohortPlan
from plait.nn.extractors import Encoder, Module
from plait.nn.students import Student


@dataclass(repr=False, eq=False)
class IntermediateFusion(FixedCohort):
    """Every modality is encoded, and one network reads the encodings side by side.

    The special case of a cohort with one student that reads a trained encoder of every modality. Encodings of
    absent modalities are zeros.

    Args:
        width: Size of each modality's encoding, at least 1; not used where the user gives an encoder.
        encoder_hidden: Widths of the hidden layers of the encoders; () is a linear projection.
        hidden: Widths of the hidden layers of the network on the encodings; () is linear.
        dropout: Share of hidden units of that network dropped in training, in [0, 1).
    """

    width: int = 64
    encoder_hidden: tuple[int, ...] = (128,)
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.2

    def plan(self, spec: DataSpec) -> CohortPlan:
        """The one student."""
        check_whole("width", self.width, 1)
        reads = ((name, Module() if name in spec.encoders else Encoder(self.width)) for name in spec.names)
        students = (Student(tuple(reads)),)
        hidden = (layer_widths("hidden", self.hidden), layer_widths("encoder_hidden", self.encoder_hidden))
        return CohortPlan(spec, students, *hidden, dropout=self.dropout, absent="zero")
