"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from plait.compare.layout import metrics_of


@runtime_checkable
class Answer(Protocol):
    """Whether fusion is worth it, in words."""

    @property
    def supported(self) -> bool:
        """Whether the data support fusion."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Why, in plain words; the first says it all."""


@dataclass(frozen=True)
class ReportInput:
    """Everything that a report shows. A section whose table is None or empty is left out.

    Args:
        scores: The table of scores, tidy, one row a method and metric.
        title: Heading of the page.
        protocol: In words what every number is of: folds x repeats x seeds, and what the intervals are.
        verdict: Whether fusion is worth it.
        metric: The metric of verdict and pairs; "" is the first of the scores.
        data: The data in words: samples, modalities, groups, classes, by heading.
        pairs: Paired differences between all methods, of that metric.
        ledger: What each modality is worth, for one or more metrics.
        ledger_note: Which refits the ledger is from.
        redundancy: Linear CKA between modalities.
        calibration: ECE, Brier score and log loss of each method.
        reliability: Bins of the reliability curves.
        confusion: Counts, true classes by predicted classes.
        confusion_of: The method whose confusion matrix it is.
        cohorts: Tables `cohort_` by label.
        rhos: Paths of rho by label.
        presence: Which modalities the samples have: a boolean column a modality.
        learning_curve: Scores by number of training samples.
        published: Numbers of others: columns method, metric, value, sd, protocol and source.
        settings: Parameters of every method (a mapping or text), by label.
        versions: Versions of the packages that matter, by name.
        fingerprint: Fingerprint of the data.
        seeds: Seeds of the models.
        command: How the comparison was called.
        failures: Why a method has no scores, by label.
        warnings: What the reader should know about the data or the runs.
        created: When, or by which version; "" leaves it out.
    """

    scores: pd.DataFrame
    title: str = "Is fusion worth it?"
    protocol: str = ""
    verdict: Answer | None = None
    metric: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    pairs: pd.DataFrame | None = None
    ledger: pd.DataFrame | None = None
    ledger_note: str = ""
    redundancy: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None
    reliability: pd.DataFrame | None = None
    confusion: pd.DataFrame | None = None
    confusion_of: str = ""
    cohorts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    rhos: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    presence: pd.DataFrame | None = None
    learning_curve: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    seeds: Sequence[int] = ()
    command: str = ""
    failures: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    created: str = ""

    @property
    def main_metric(self) -> str:
        """The metric of verdict and pairs."""
        return self.metric or metrics_of(self.scores)[0]

    def has(self, name: str) -> bool:
        """Whether there is something to show in a section."""
        table = getattr(self, name)
        return table is not None and len(table) > 0
