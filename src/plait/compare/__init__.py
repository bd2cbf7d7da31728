"""Which is better, by how much, and how sure that is: comparisons of methods, their tables, pictures and reports."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.compare.comparison import Comparison
    from plait.compare.front import compare
    from plait.compare.plots import (
        plot_cohort,
        plot_confusion,
        plot_critical_difference,
        plot_learning_curve,
        plot_ledger,
        plot_missingness,
        plot_pairs,
        plot_redundancy,
        plot_rejection,
        plot_reliability,
        plot_rho,
        plot_scores,
    )
    from plait.compare.statistics.multiple import critical_difference
    from plait.statistics.rejection import rejection_curves, rejection_table

_HOMES = {
    "Comparison": "plait.compare.comparison",
    "compare": "plait.compare.front",
    "critical_difference": "plait.compare.statistics.multiple",
    "plot_cohort": "plait.compare.plots",
    "plot_confusion": "plait.compare.plots",
    "plot_critical_difference": "plait.compare.plots",
    "plot_learning_curve": "plait.compare.plots",
    "plot_ledger": "plait.compare.plots",
    "plot_missingness": "plait.compare.plots",
    "plot_pairs": "plait.compare.plots",
    "plot_redundancy": "plait.compare.plots",
    "plot_rejection": "plait.compare.plots",
    "plot_reliability": "plait.compare.plots",
    "plot_rho": "plait.compare.plots",
    "plot_scores": "plait.compare.plots",
    "rejection_curves": "plait.statistics.rejection",
    "rejection_table": "plait.statistics.rejection",
}

__all__ = [
    "Comparison",
    "compare",
    "critical_difference",
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
    "rejection_curves",
    "rejection_table",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: workers load neither pictures nor report."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'plait.compare' has no attribute {name!r}")
