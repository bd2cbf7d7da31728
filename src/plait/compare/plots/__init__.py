"""Pictures of a comparison, one file each: every function takes a table and returns the Axes."""

from plait.compare.plots.cohort import plot_cohort
from plait.compare.plots.confusion import plot_confusion
from plait.compare.plots.learning import plot_learning_curve
from plait.compare.plots.ledger import plot_ledger
from plait.compare.plots.missingness import plot_missingness
from plait.compare.plots.pairs import plot_pairs
from plait.compare.plots.ranks import plot_critical_difference
from plait.compare.plots.redundancy import plot_redundancy
from plait.compare.plots.rejection import plot_rejection
from plait.compare.plots.reliability import plot_reliability
from plait.compare.plots.rho import plot_rho
from plait.compare.plots.scores import plot_scores
from plait.drawing.vector import svg

__all__ = [
    "plot_cohort",
    "plot_confusion",
    "plot_critical_difference",
    "plot_learning_curve",
    "plot_ledger",
    "plot_missingness",
    "plot_pairs",
    "plot_redundancy",
    "plot_rejection",
    "plot_reliability",
    "plot_rho",
    "plot_scores",
    "svg",
]
