"""Fusion strategies, one file each."""

from plait.methods.base import Fitted, Method
from plait.methods.baseline import Baseline
from plait.methods.bottleneck import BottleneckFusion
from plait.methods.cooperative import CooperativeFusion
from plait.methods.cooperative_lasso import CooperativeLasso
from plait.methods.correlation import CorrelationFusion
from plait.methods.cross_attention import CrossAttentionFusion
from plait.methods.early import EarlyFusion
from plait.methods.embrace import EmbraceFusion
from plait.methods.gated import GatedFusion
from plait.methods.intermediate import IntermediateFusion
from plait.methods.late import LateFusion
from plait.methods.low_rank import LowRankFusion
from plait.methods.meta import MetaFusion
from plait.methods.single import SingleModality
from plait.methods.skew_pair import SkewPairFusion
from plait.methods.step import StepFusion
from plait.methods.tensor import TensorFusion

__all__ = [
    "Baseline",
    "BottleneckFusion",
    "CooperativeFusion",
    "CooperativeLasso",
    "CorrelationFusion",
    "CrossAttentionFusion",
    "EarlyFusion",
    "EmbraceFusion",
    "Fitted",
    "GatedFusion",
    "IntermediateFusion",
    "LateFusion",
    "LowRankFusion",
    "MetaFusion",
    "Method",
    "SingleModality",
    "SkewPairFusion",
    "StepFusion",
    "TensorFusion",
]
