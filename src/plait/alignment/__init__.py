"""How alike modalities are, in features of the same samples and step by step."""

from plait.alignment.cka import linear_cka
from plait.alignment.correlations import cca, svcca
from plait.alignment.discrepancy import Discrepancy, mmd
from plait.alignment.figure import plot_alignment
from plait.alignment.gap import normalised_gap
from plait.alignment.movements import movements
from plait.alignment.probe import modality_probe
from plait.alignment.retrieving import retrieval
from plait.alignment.steps import MEASURES, alignment_steps
from plait.alignment.tracing import trace_of

__all__ = [
    "MEASURES",
    "Discrepancy",
    "alignment_steps",
    "cca",
    "linear_cka",
    "mmd",
    "modality_probe",
    "movements",
    "normalised_gap",
    "plot_alignment",
    "retrieval",
    "svcca",
    "trace_of",
]
