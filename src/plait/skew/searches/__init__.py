"""Searches of pairs by training: all heads at once, halving, Gumbel, gates as a shortlist, descent, elimination."""

from plait.skew.searches.descent import coordinate_descent
from plait.skew.searches.elimination import backward_elimination
from plait.skew.searches.gate_search import Gates, gate_shortlist, gated_elimination
from plait.skew.searches.gumbel import Gumbel, gumbel_selection
from plait.skew.searches.halving import successive_halving
from plait.skew.searches.scalar_mix import Mixing, scalar_mix
from plait.skew.searches.stacked_scan import TrainedHeads, stacked_scan, stacked_taps
from plait.skew.searches.tried import Tried, closed_scan

__all__ = [
    "Gates",
    "Gumbel",
    "Mixing",
    "TrainedHeads",
    "Tried",
    "backward_elimination",
    "closed_scan",
    "coordinate_descent",
    "gate_shortlist",
    "gated_elimination",
    "gumbel_selection",
    "scalar_mix",
    "stacked_scan",
    "stacked_taps",
    "successive_halving",
]
