"""Learn from several modalities at once, and find out whether, how and which of them are worth fusing."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.data.forecast import Forecast
    from plait.data.modalities import Modalities
    from plait.data.spec import DataSpec
    from plait.estimators import FusionClassifier, FusionRegressor
    from plait.methods import (
        Baseline,
        BottleneckFusion,
        CooperativeFusion,
        CooperativeLasso,
        CorrelationFusion,
        CrossAttentionFusion,
        EarlyFusion,
        EmbraceFusion,
        GatedFusion,
        IntermediateFusion,
        LateFusion,
        LowRankFusion,
        MetaFusion,
        SingleModality,
        SkewPairFusion,
        StepFusion,
        TensorFusion,
    )
    from plait.persistence import load, save
    from plait.training.trainer import Trainer

_HOMES = {
    "Baseline": "plait.methods",
    "BottleneckFusion": "plait.methods",
    "CooperativeFusion": "plait.methods",
    "CooperativeLasso": "plait.methods",
    "CorrelationFusion": "plait.methods",
    "CrossAttentionFusion": "plait.methods",
    "DataSpec": "plait.data.spec",
    "EarlyFusion": "plait.methods",
    "EmbraceFusion": "plait.methods",
    "Forecast": "plait.data.forecast",
    "FusionClassifier": "plait.estimators",
    "FusionRegressor": "plait.estimators",
    "GatedFusion": "plait.methods",
    "IntermediateFusion": "plait.methods",
    "LateFusion": "plait.methods",
    "LowRankFusion": "plait.methods",
    "MetaFusion": "plait.methods",
    "Modalities": "plait.data.modalities",
    "SingleModality": "plait.methods",
    "SkewPairFusion": "plait.methods",
    "StepFusion": "plait.methods",
    "TensorFusion": "plait.methods",
    "Trainer": "plait.training.trainer",
    "load": "plait.persistence",
    "save": "plait.persistence",
}

__version__ = version("plait")
__all__ = [
    "Baseline",
    "BottleneckFusion",
    "CooperativeFusion",
    "CooperativeLasso",
    "CorrelationFusion",
    "CrossAttentionFusion",
    "DataSpec",
    "EarlyFusion",
    "EmbraceFusion",
    "Forecast",
    "FusionClassifier",
    "FusionRegressor",
    "GatedFusion",
    "IntermediateFusion",
    "LateFusion",
    "LowRankFusion",
    "MetaFusion",
    "Modalities",
    "SingleModality",
    "SkewPairFusion",
    "StepFusion",
    "TensorFusion",
    "Trainer",
    "load",
    "save",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: `import plait` alone loads neither torch nor scikit-learn."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'plait' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
