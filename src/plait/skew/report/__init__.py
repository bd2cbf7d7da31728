"""REPORT: pictures of what a search of pairs came to, and one HTML file that has them all."""

from plait.skew.report.baselines import plot_baselines
from plait.skew.report.density_ladder import plot_density_ladder
from plait.skew.report.frequency import plot_frequency
from plait.skew.report.gain_map import plot_gain_map
from plait.skew.report.page import render, write_report
from plait.skew.report.similarity import plot_similarity
from plait.skew.report.skew_profile import plot_skew_profile

__all__ = [
    "plot_baselines",
    "plot_density_ladder",
    "plot_frequency",
    "plot_gain_map",
    "plot_similarity",
    "plot_skew_profile",
    "render",
    "write_report",
]
