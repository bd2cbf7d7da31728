"""The wide table of a comparison: a row a method, grouped by kind, a cell a metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from plait.drawing.numbers import shown
from plait.statistics.metrics import METRICS, Metric

GROUPS = {"baseline": "Baseline", "single": "Single modalities", "fusion": "Fusion", "control": "Negative controls"}
"""Headings of the kinds, in the order of the table."""

_JUDGED = ("single", "fusion")
"""Kinds that can be the best: a baseline that always says the same is perfectly calibrated, and of no use."""

_METRICS: dict[str, Metric] = {name: metric for known in METRICS.values() for name, metric in known.items()}


@dataclass(frozen=True)
class Cell:
    """One number with its 95 % interval, in units of its metric; NaN where there is none.

    Args:
        mean: The score.
        low: Lower end of its interval.
        high: Upper end.
        best: Whether it is the best of its metric among single modalities and fusions.
    """

    mean: float
    low: float
    high: float
    best: bool = False

    @property
    def interval(self) -> str:
        """The ends, "[0.925, 0.951]"; "" where they are not known."""
        return "" if math.isnan(self.low + self.high) else f"[{shown(self.low)}, {shown(self.high)}]"


@dataclass(frozen=True)
class Row:
    """A method in the wide table.

    Args:
        method: Its label.
        cells: One a metric, in the order of the table.
        seconds: Seconds of a fit; NaN where not known.
        failure: Why it has no scores; "" if it has.
    """

    method: str
    cells: tuple[Cell, ...]
    seconds: float
    failure: str = ""


@dataclass(frozen=True)
class Group:
    """Methods of one kind.

    Args:
        heading: What the kind is called.
        rows: Its methods, in the order of the scores.
    """

    heading: str
    rows: tuple[Row, ...]


def wide_table(scores: pd.DataFrame, metrics: Sequence[str] | None = None) -> list[Group]:
    """Lay out a tidy table of scores.

    Args:
        scores: Columns method, kind, metric, mean, low, high and seconds; perhaps failure.
        metrics: Which metrics, in this order; None is all, in the order of the scores.

    Raises:
        ValueError: If there is no row or a metric is not there.
    """
    metrics = metrics_of(scores, metrics)
    return [
        Group(heading, tuple(_row(scores, method, metrics) for method in _methods(scores, kind)))
        for kind, heading in GROUPS.items()
        if len(_methods(scores, kind))
    ]


def metrics_of(scores: pd.DataFrame, metrics: Sequence[str] | None = None) -> list[str]:
    """The metrics of a table of scores; those asked for, if they are there.

    Raises:
        ValueError: If there is none, or not the one that was asked for.
    """
    known = scores["metric"].dropna().unique().tolist() if "metric" in scores else []
    lacking = [name for name in metrics or () if name not in known]
    if lacking or not known:
        raise ValueError(
            f"Expected a table of scores with the metrics {', '.join(lacking) or 'that it scores'}; it has "
            f"{', '.join(known) or 'none'}."
        )
    return known if metrics is None else list(metrics)


def metric_title(name: str) -> str:
    """What a metric is called in tables and pictures, with its unit; an unknown one keeps its name."""
    return _METRICS[name].title if name in _METRICS else name


def smaller_is_better(name: str) -> bool:
    """Whether a lower value of a metric is better; of an unknown one a greater value is."""
    return name in _METRICS and not _METRICS[name].greater_is_better


def shown_seconds(value: float) -> str:
    """Seconds as tables show them: a decimal below ten."""
    if math.isnan(value):
        return "–"  # noqa: RUF001
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _methods(scores: pd.DataFrame, kind: str) -> list[str]:
    return [str(method) for method in scores.loc[scores["kind"] == kind, "method"].unique()]


def _row(scores: pd.DataFrame, method: str, metrics: Sequence[str]) -> Row:
    own = scores[scores["method"] == method]
    by_metric = own.drop_duplicates("metric").set_index("metric")
    judged = bool(own["kind"].isin(_JUDGED).all())
    cells = tuple(_cell(by_metric, name, _best(scores, name) if judged else float("nan")) for name in metrics)
    seconds = float(own["seconds"].iloc[0]) if "seconds" in own else float("nan")
    return Row(method, cells, seconds, _failure(own))


def _cell(by_metric: pd.DataFrame, name: str, best: float) -> Cell:
    if name not in by_metric.index:
        return Cell(float("nan"), float("nan"), float("nan"))
    mean, low, high = (float(value) for value in by_metric.loc[name, ["mean", "low", "high"]].to_numpy(float))
    return Cell(mean, low, high, mean == best)


def _best(scores: pd.DataFrame, metric: str) -> float:
    values: pd.Series[Any] = scores.loc[scores["kind"].isin(_JUDGED) & (scores["metric"] == metric), "mean"]
    return float(values.min() if smaller_is_better(metric) else values.max())


def _failure(own: pd.DataFrame) -> str:
    reasons = own["failure"].dropna().astype(str) if "failure" in own else pd.Series(dtype=str)
    reasons = reasons[reasons != ""]
    return reasons.iloc[0] if len(reasons) else ""
