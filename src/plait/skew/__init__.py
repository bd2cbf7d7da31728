"""SKEW PAIRS: which layer of one encoder to join with which layer of another."""

from plait.skew.judge import HeadSettings, TapData
from plait.skew.search import ClosedForm, Search
from plait.skew.selection import Selection
from plait.skew.space import Pair, TapSpace
from plait.skew.stability import Stability, stability_selection
from plait.skew.uncertainty import Scored, confidence_set, scored, selection_frequency, simultaneous

__all__ = [
    "ClosedForm",
    "HeadSettings",
    "Pair",
    "Scored",
    "Search",
    "Selection",
    "Stability",
    "TapData",
    "TapSpace",
    "confidence_set",
    "scored",
    "selection_frequency",
    "simultaneous",
    "stability_selection",
]
