"""Images of series: angular fields, Markov transitions, recurrence plots and folds, as arrays and as modalities."""

from plait.transforms.aggregation import piecewise_aggregate
from plait.transforms.folding import PeriodicFold, dominant_period, periodic_fold
from plait.transforms.gramian import GramianAngularField, gadf, gasf
from plait.transforms.markov import MarkovTransitionField, mtf, transition_matrix
from plait.transforms.recurrence_plot import RecurrencePlot, recurrence
from plait.transforms.with_image import WithImage

__all__ = [
    "GramianAngularField",
    "MarkovTransitionField",
    "PeriodicFold",
    "RecurrencePlot",
    "WithImage",
    "dominant_period",
    "gadf",
    "gasf",
    "mtf",
    "periodic_fold",
    "piecewise_aggregate",
    "recurrence",
    "transition_matrix",
]
