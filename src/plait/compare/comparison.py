"""A finished comparison: its tables, its verdict, its files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from plait.compare import reading, writing
from plait.compare.export import to_latex, to_markdown
from plait.compare.layout import metrics_of
from plait.compare.learning import learning_curve
from plait.compare.outcomes import Outcomes
from plait.compare.report import write_report
from plait.compare.runs.executed import Executed
from plait.compare.runs.plan import Plan
from plait.compare.statistics.calibration import calibration_table, reliability_table
from plait.compare.statistics.ledger import ledger_table
from plait.compare.statistics.redundancy import redundancy_table
from plait.compare.statistics.scores import score_table
from plait.compare.verdict.decision import Verdict, decide
from plait.statistics.metrics import primary


@dataclass(frozen=True)
class Reading:
    """How outcomes are read.

    Args:
        metric: What decides; "" is accuracy or r2.
        margin: Differences up to this size count as none, in units of the metric.
        probe: Label of the method that was refitted for ledger and controls.
        random_state: Seed of the intervals.
        published: Numbers of others: method, metric, value, sd, protocol, source.
        title: What was compared on, in words.
        command: How the comparison was called.
        curve: A learning curve.
        store: Folder of the runs.
    """

    metric: str = ""
    margin: float = 0.01
    probe: str = ""
    random_state: int = 0
    published: pd.DataFrame | None = None
    title: str = ""
    command: str = ""
    curve: pd.DataFrame | None = None
    store: str | os.PathLike[str] | None = None


class Comparison:
    """What `compare` found.

    Args:
        plan: What was run.
        executed: What it gave.
        how: How it is read.

    Attributes:
        plan: Methods, splits, seeds and data.
        executed: Held-out predictions, findings of every fit, and which runs were computed or read.
        metric: The metric that decides.
    """

    def __init__(self, plan: Plan, executed: Executed, how: Reading) -> None:
        self.plan, self.executed, self.how = plan, executed, how
        self.metric = how.metric or primary(plan.task).name

    def __repr__(self) -> str:
        count = len(self.outcomes.contenders)
        return f"Comparison({count} contenders, {self.protocol}, metric={self.metric!r})"

    def annotated(
        self,
        title: str = "",
        command: str = "",
        published: pd.DataFrame | None = None,
        curve: pd.DataFrame | None = None,
    ) -> "Comparison":
        """The same comparison with more to tell in its report.

        Args:
            title: What was compared on, in words.
            command: How the comparison was called.
            published: Numbers of others: method, metric, value, sd, protocol, source.
            curve: What `learning_curve` gave.
        """
        how = replace(self.how, title=title, command=command, published=published, curve=curve)
        return Comparison(self.plan, self.executed, how)

    @property
    def outcomes(self) -> Outcomes:
        """Held-out predictions of all contenders."""
        return self.executed.outcomes

    @property
    def failures(self) -> dict[str, str]:
        """Why a contender has no numbers, by label."""
        return dict(self.executed.failures)

    @property
    def protocol(self) -> str:
        """In words: splits and seeds."""
        seeds = self.plan.seeds
        told = f"{len(seeds)} seeds" if len(seeds) > 1 else "1 seed"
        return f"{self.plan.splits.protocol}, {told} of every model"

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Every contender by every metric, tidy: mean, 95 % interval, deviations over folds and seeds, seconds.

        Kinds as they were run, within a kind the best first by the metric that decides.
        """
        scores = score_table(self.outcomes, random_state=self.how.random_state)
        return reading.best_first(scores, self.metric)

    def table(self, metrics: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Baseline, single modalities and methods, one row each, best method first within its kind.

        Args:
            metrics: One name or several; None is all.

        Returns:
            By method: `kind`, then for each metric its mean, `METRIC_low` and `METRIC_high` (95 %), and `seconds` of
            one fit.

        Raises:
            ValueError: If the task has no metric of one of the names.
        """
        names = [metrics] if isinstance(metrics, str) else metrics
        return reading.wide(self._shown, metrics_of(self._shown, names))

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Every pair of baseline, single modalities and methods: difference, interval, p, Holm's p, probabilities."""
        return self.verdict.evidence

    @cached_property
    def verdict(self) -> Verdict:
        """Whether fusion is worth it, which kind, and what carries it."""
        how = self.how
        return decide(self.outcomes, self.metric, how.margin, probe=how.probe, random_state=how.random_state)

    def ledger(self, metric: str | None = None) -> pd.DataFrame:
        """What each modality is worth: alone, added to the others, and its Shapley value, with 95 % intervals.

        Args:
            metric: Name of a metric; None is the one that decides.

        Returns:
            One row a modality; empty where there were no refits, or the probe failed.
        """
        return ledger_table(self.outcomes, self.how.probe, metric or self.metric, random_state=self.how.random_state)

    @cached_property
    def redundancy(self) -> pd.DataFrame:
        """Linear CKA between modalities: 1 where one is a rotation of the other, about 0 where they are unrelated."""
        return redundancy_table(self.plan.modalities, self.plan.groups, random_state=self.how.random_state)

    @cached_property
    def calibration(self) -> pd.DataFrame:
        """ECE, Brier score and log loss of each method; empty in a regression."""
        return calibration_table(self._contending, random_state=self.how.random_state)

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """Bins of the reliability curve of each method; empty in a regression."""
        return reliability_table(self._contending)

    def confusion(self, method: str | None = None) -> pd.DataFrame:
        """Counts of true classes (rows) by predicted ones, mean over repeats and seeds.

        Args:
            method: Label of a contender; None is the best method.

        Raises:
            ValueError: If the task is a regression, or there is no such contender.
        """
        return reading.confusion(self.outcomes, method or self.best)

    def learning_curve(
        self,
        methods: Sequence[str] | None = None,
        shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
        *,
        store: str | os.PathLike[str] | None = None,
        jobs: int | None = None,
        verbose: int = 1,
    ) -> pd.DataFrame:
        """How good methods are by number of training samples: further fits on the same splits, seeds and settings.

        Args:
            methods: Labels; None is the best fusion and the best single modality.
            shares: Shares of the training samples, each above 0 and at most 1.
            store: Folder in which every run is kept; None is that of the comparison.
            jobs: Processes, as in `compare`.
            verbose: 1 shows progress bars.

        Returns:
            Columns method, train, mean, low, high, for `plot_learning_curve`.

        Raises:
            ValueError: If a label or a share is none, or so few samples cannot be divided.
        """
        labels = [self.best, self.verdict.best_single or "baseline"] if methods is None else list(methods)
        return learning_curve(self.plan, labels, self.metric, shares, store or self.how.store, jobs, verbose)

    @property
    def best(self) -> str:
        """Label of the fusion with the best mean; of the best single modality or the baseline where there is none."""
        table = self.table([self.metric]).dropna(subset=[self.metric])
        kinds = ("fusion", "single", "baseline")
        return next((str(label) for kind in kinds for label in table.index[table["kind"] == kind]), "")

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write everything into one HTML file, which needs no network.

        Args:
            path: The file; one that is there is replaced, whole or not at all.

        Raises:
            OSError: If it cannot be written.
        """
        return write_report(writing.report_input(self), path)

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write report.html, verdict.txt, table.md, table.tex and the tables as csv into a folder.

        Args:
            folder: The folder; made where it is not there.

        Raises:
            OSError: If it cannot be written.
        """
        return writing.write_all(self, Path(folder))

    def to_markdown(self, metrics: Sequence[str] | None = None) -> str:
        """The table as Markdown, with 95 % intervals."""
        return to_markdown(self._shown, metrics, self.protocol)

    def to_latex(self, metrics: Sequence[str] | None = None, caption: str = "", label: str = "") -> str:
        """The table as LaTeX (booktabs), with 95 % intervals."""
        return to_latex(self._shown, metrics, caption or self.how.title, label, self.protocol)

    @property
    def _contending(self) -> Outcomes:
        return self.outcomes.of_kind("baseline", "single", "fusion")

    @property
    def _shown(self) -> pd.DataFrame:
        """The scores of what is compared: no controls, no refits for the ledger."""
        return self.scores[self.scores["kind"].isin(["baseline", "single", "fusion"])]
