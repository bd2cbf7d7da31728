"""The options of a step block, checked before anything is built."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from plait.data.settings import check_heads, check_one_of, check_real, check_whole

WORDS = {
    "schedule": ("alternate", "sequential", "parallel"),
    "variant": ("guided", "literal"),
    "zoom": ("exp", "linear"),
    "rotation": ("cayley", "dense", "none"),
    "shift": ("toward", "film"),
    "beta": ("scalar", "feature", "context"),
    "guides": ("uniform", "learned"),
    "joint": ("concat", "mean", "tokens"),
    "pool": ("mean", "attention"),
    "phi": ("gelu", "none"),
}


@dataclass(frozen=True)
class StepSettings:
    """What `StepFusionBlock` is told, except the modalities and the source of its weights; see there.

    Raises:
        ValueError: From `check`, if an option is out of its range or two do not fit.
    """

    width: int = 128
    steps: int | None = None
    schedule: str = "alternate"
    order: Sequence[str] | None = None
    variant: str = "guided"
    alpha: float = math.log(2)
    zoom: str = "exp"
    rotation: str = "cayley"
    local: bool = True
    heads: int = 4
    shift: str = "toward"
    beta: str = "scalar"
    beta_init: float = -0.4
    guides: str = "uniform"
    use_global: bool = True
    joint: str = "concat"
    pool: str = "mean"
    phi: str = "gelu"
    share_steps: bool = False
    share_modalities: bool = False
    dropout: float = 0.1
    init_scale: float = 0.0

    @property
    def context(self) -> int:
        """Size of the context of a step: half the width."""
        return max(1, self.width // 2)

    def check(self) -> None:
        """Raise ValueError for the first option that is out of its range."""
        for name, words in WORDS.items():
            check_one_of(name, getattr(self, name), words)
        check_whole("width", self.width, 2)  # the normalisation of one number is nothing
        check_whole("heads", self.heads, 1)
        if self.steps is not None:
            check_whole("steps", self.steps, 0)
        if self.local and self.variant == "guided":
            check_heads(self.width, self.heads)
        check_real("alpha", self.alpha)
        check_real("beta_init", self.beta_init, -math.inf)
        check_real("dropout", self.dropout, 0.0, 1.0)
        check_real("init_scale", self.init_scale)
