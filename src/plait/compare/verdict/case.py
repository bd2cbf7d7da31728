"""What a verdict is drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from plait.compare.outcomes import Kind, Outcomes, Predicted
from plait.compare.statistics.paired import Paired
from plait.statistics.metrics import Metric

FAMILIES: Mapping[str, frozenset[str]] = {
    "joint": frozenset({"features", "representations"}),
    "late": frozenset({"predictions"}),
}
"""Kinds of fusion by where the modalities meet; a cohort ("all") is of neither kind."""

LINEAR = ("'linear'", "LogisticRegression", "Ridge")
"""Words by which a linear learner is known."""


@dataclass(frozen=True)
class Case:
    """What a verdict is drawn from.

    Args:
        outcomes: Baselines, single modalities and fusions that did not fail.
        metric: What decides.
        margin: Differences up to this count as none.
        alpha: Level of every statement.
        paired: All pairs of them.
        evidence: The same as a table.
    """

    outcomes: Outcomes
    metric: Metric
    margin: float
    alpha: float
    paired: Paired
    evidence: pd.DataFrame

    def labels(self, *kinds: Kind) -> list[str]:
        """Contenders of some kinds."""
        return [label for label, one in self.outcomes.contenders.items() if one.kind in kinds]

    def family(self, name: str) -> list[str]:
        """Fusions of the kind "joint" or "late", with learners that both kinds have (all, where they share none)."""
        each = {kind: [one for one in self._fusions() if one.joins in joins] for kind, joins in FAMILIES.items()}
        shared = set.intersection(*({one.learner for one in several} for several in each.values()))
        return [one.label for one in each[name] if not shared or one.learner in shared]

    def _fusions(self) -> list[Predicted]:
        return [self.outcomes[label] for label in self.labels("fusion")]

    @property
    def simple(self) -> list[str]:
        """Fusions of linear learners, which are quick to fit and easy to explain."""
        return [one.label for one in self._fusions() if any(word in one.learner for word in LINEAR)]

    @property
    def modalities(self) -> set[str]:
        """What the fusions read; all that is read, where there is none."""
        asked = self._fusions() or list(self.outcomes.contenders.values())
        return {name for one in asked for name in one.reads}

    def best(self, labels: Sequence[str]) -> str | None:
        """The one with the best mean; the first of equals; None of none."""
        return max(labels, key=lambda label: self.metric.sign * self.paired.means[label], default=None)
