"""Fusion strategies, one file each."""

from plait.methods.base import Fitted, Method
from plait.methods.early import EarlyFusion
from plait.methods.gated import GatedFusion
from plait.methods.intermediate import IntermediateFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.methods.single import SingleModality

__all__ = [
    "EarlyFusion",
    "Fitted",
    "GatedFusion",
    "IntermediateFusion",
    "LateFusion",
    "MetaFusion",
    "Method",
    "SingleModality",
]
