"""Which is better, and why: pictures of what was learned."""

from plait.compare.plots import plot_cohort

__all__ = ["plot_cohort"]
