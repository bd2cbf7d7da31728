"""What is taken away from Meta Fusion's default, one piece at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from plait.methods.meta import MetaFusion
from plait.reproduce.ablation_students import Choice

_RHO = 0.99


@dataclass(frozen=True)
class Arm:
    """The default with one piece changed.

    Args:
        piece: What is asked about, in a word or two.
        instead: What stands in its place, in words.
        changes: Settings of `MetaFusion` that differ from the default; with these it is trained.
        choice: How its students predict together; None is as the method says.
    """

    piece: str
    instead: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    choice: Choice | None = None

    @property
    def method(self) -> MetaFusion:
        """What is trained."""
        return replace(MetaFusion(), **self.changes)

    @property
    def says(self) -> str:
        """What it is, with its settings."""
        changed = ", ".join(f"{name}={value!r}" for name, value in self.changes.items())
        return f"{self.instead} ({changed or 'the students of the default'})"


ARMS: Mapping[str, Arm] = {
    "identity-alone": Arm("dictionary", "features alone", {"extractors": ("identity", "null")}),
    "networks-alone": Arm("other students", "networks alone", {"learners": ()}),
    "no-networks": Arm("networks", "all other students", choice=Choice(kinds="learners")),
    "no-mutual-learning": Arm("mutual learning", "none", {"rhos": (0.0,), "learner_rhos": (0.0,)}),
    "always-mutual-learning": Arm("choice of rho", f"always {_RHO}", {"rhos": (_RHO,), "learner_rhos": (_RHO,)}),
    "clusters": Arm("screening", "the best cluster of losses", {"screening": "exact"}),
    "no-halving": Arm("halving", "all train to the end", {"halvings": 0}),
    "same-rows": Arm("cross-fitting", "judged on the rows that stop", {"stopping": "same-rows"}),
    "greedy-replacement": Arm("ensemble", "one greedy with replacement", choice=Choice("greedy-replacement")),
    "greedy": Arm("ensemble", "greedy, each at most once", choice=Choice("greedy")),
    "best": Arm("ensemble", "the best by validation", choice=Choice("best")),
    "simple": Arm("ensemble", "all equally", choice=Choice("simple")),
}
"""By name, in the order in which they are told."""
CHOICES: Mapping[str, Choice] = {name: arm.choice for name, arm in ARMS.items() if arm.choice is not None}
"""How the default's students predict together in the arms that they serve."""
TRAINED = tuple(name for name in ARMS if name not in CHOICES)
"""The arms that need a training of their own."""
