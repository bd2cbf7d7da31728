"""The tables of a report as rows of text, numbers already in the form in which they are shown."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plait.compare.layout import metric_title, metrics_of, smaller_is_better
from plait.compare.report.content import ReportInput
from plait.drawing.numbers import shown
from plait.drawing.page import Table

_OURS, _HERE = 3, "this comparison"


def tables(report: ReportInput) -> dict[str, list[Table]]:
    """All tables but the first one, by section."""
    makers = {
        "spread": _spread,
        "pairs": _pairs,
        "modalities": _modalities,
        "calibration": _calibration,
        "published": _published,
    }
    return {section: make(report) for section, make in makers.items()}


def _spread(report: ReportInput) -> list[Table]:
    scores = report.scores
    if not {"sd_folds", "sd_seeds", "runs"} <= set(scores):
        return []
    rows = [
        (str(method), metric_title(str(metric)), shown(folds), shown(seeds), f"{runs:.0f}")
        for method, metric, folds, seeds, runs in zip(
            *(scores[name] for name in ("method", "metric", "sd_folds", "sd_seeds", "runs")), strict=True
        )
        if pd.notna(folds)
    ]
    columns = ("method", "metric", "sd over folds", "sd over seeds", "runs")
    return [Table("Spread of the scores over folds and over seeds", columns, rows, columns[:2], folded=True)]


def _pairs(report: ReportInput) -> list[Table]:
    pairs = report.pairs
    if pairs is None or not len(pairs):
        return []
    title = metric_title(report.main_metric)
    columns = (
        "a",
        "b",
        "difference",
        "95 % interval",
        "p",
        "p (Holm)",
        "P(a better)",
        "P(equal)",
        "P(b better)",
        "test",
    )
    rows = [
        (
            str(row["a"]), str(row["b"]), _signed(row["difference"]), _interval(row, ""), _chance(row["p"]),
            _chance(row["p_holm"]), _chance(row["p_better"]), _chance(row["p_equal"]), _chance(row["p_worse"]),
            str(row.get("test", "")),
        )
        for row in pairs.sort_values("p_holm", kind="stable").to_dict("records")
    ]  # fmt: skip
    return [
        Table(
            f"All pairs, difference in {title} (above 0: a is better)", columns, rows, ("a", "b", "test"), folded=True
        )
    ]


def _modalities(report: ReportInput) -> list[Table]:
    found = []
    if report.ledger is not None and len(report.ledger):
        names = {"alone": "alone", "gain": "gain when added last", "shapley": "Shapley value"}
        rows = [
            (str(row["modality"]), metric_title(str(row["metric"])), *(_with_interval(row, name) for name in names))
            for row in report.ledger.to_dict("records")
        ]
        columns = ("modality", "metric", *names.values())
        found.append(Table(f"Modality ledger. {report.ledger_note}".strip(), columns, rows, columns[:2]))
    if report.redundancy is not None and len(report.redundancy):
        rows = [
            (f"{row['a']}, {row['b']}", f"{shown(row['cka'])} {_interval(row, '')}")
            for row in report.redundancy.to_dict("records")
        ]
        found.append(Table("Redundancy of modalities", ("modalities", "linear CKA"), rows, folded=True))
    return found


def _calibration(report: ReportInput) -> list[Table]:
    frame = report.calibration
    if frame is None or not len(frame):
        return []
    frame = frame.dropna(axis=1, how="all")
    names = [str(name) for name in frame if name != "method" and not str(name).endswith(("_low", "_high"))]
    columns = ("method", *map(metric_title, names))
    rows = [(str(row["method"]), *(_with_interval(row, name) for name in names)) for row in frame.to_dict("records")]
    return [Table("Calibration of the probabilities; smaller errors are better", columns, rows)]


def _published(report: ReportInput) -> list[Table]:
    frame = report.published
    if frame is None or not len(frame):
        return []
    return [_published_table(report, str(metric), rows) for metric, rows in frame.groupby("metric", sort=False)]


def _published_table(report: ReportInput, metric: str, frame: pd.DataFrame) -> Table:
    rows = [
        (row["value"], (str(row["method"]), _with_sd(row), str(row["protocol"]), str(row["source"])))
        for row in frame.to_dict("records")
    ]
    ordered = sorted([*rows, *_ours(report, metric)], key=lambda row: row[0], reverse=not smaller_is_better(metric))
    title = metric_title(metric)
    return Table(
        caption=f"Numbers of others beside ours: {title}",
        columns=("method", title, "protocol", "source"),
        rows=[text for _, text in ordered],
        words=("protocol", "source"),
        protocol=False,
    )


def _ours(report: ReportInput, metric: str) -> list[tuple[float, tuple[str, ...]]]:
    """The best of each kind of this comparison, three of the fusions."""
    if metric not in metrics_of(report.scores):
        return []
    own = report.scores[(report.scores["metric"] == metric) & report.scores["mean"].notna()]
    own = own.sort_values("mean", ascending=smaller_is_better(metric), kind="stable")
    kept = [own[own["kind"] == kind].head(count) for kind, count in (("fusion", _OURS), ("single", 1), ("baseline", 1))]
    return [
        (row["mean"], (str(row["method"]), f"{shown(row['mean'])} {_interval(row, '')}", report.protocol, _HERE))
        for row in pd.concat(kept).to_dict("records")
    ]


def _with_sd(row: Mapping[Any, Any]) -> str:
    return shown(row["value"]) if pd.isna(row["sd"]) else f"{shown(row['value'])} ± {shown(row['sd'])}"


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    return f"{shown(row[name])} {_interval(row, f'{name}_')}".strip()


def _interval(row: Mapping[Any, Any], prefix: str) -> str:
    low, high = row.get(f"{prefix}low", float("nan")), row.get(f"{prefix}high", float("nan"))
    return "" if pd.isna(low) or pd.isna(high) else f"[{shown(low)}, {shown(high)}]"


def _signed(value: float) -> str:
    return shown(value) if pd.isna(value) else f"{'+' if value > 0 else ''}{shown(value)}"


def _chance(value: float) -> str:
    return "< 0.001" if value < 0.001 else shown(value)
