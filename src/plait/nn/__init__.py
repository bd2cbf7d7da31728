"""Parts that two methods share."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.nn.step_fusion.block import StepFusionBlock
    from plait.nn.step_fusion.output import StepFusionOutput

_HOMES = {"StepFusionBlock": "plait.nn.step_fusion.block", "StepFusionOutput": "plait.nn.step_fusion.output"}

__all__ = ["StepFusionBlock", "StepFusionOutput"]


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: the other parts need none of it."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'plait.nn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
