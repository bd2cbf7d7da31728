"""The tables of a report as rows of text."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plait.drawing.numbers import interval, shown, signed, signed_whole
from plait.drawing.page import Table
from plait.skew.findings import Findings
from plait.skew.report.facts import side_means

_TOP = 12
_NAMES = {"window": "window of one skewness", "greedy": "built pair by pair", "late": "late", "pairwise": "pairwise"}


def tables(findings: Findings) -> dict[str, list[Table]]:
    """All tables by section of the page."""
    return {
        "tested": [_compared(findings.tested, "The choice and its baselines on test samples")]
        if len(findings.tested)
        else [],
        "gain": [_top_pairs(findings), _sides(findings)],
        "certainty": [_sets(findings)],
        "layers": [_taps(findings)],
        "baselines": [_compared(findings.baselines, "The choice and its baselines on the samples that chose")],
    }


def _compared(frame: pd.DataFrame, caption: str) -> Table:
    rows = [
        (
            str(row["name"]), _score(row), "" if row["name"] == "chosen" else _with(row, "difference", "difference_"),
            str(row["what"]),
        )
        for row in frame.to_dict("records")
    ]  # fmt: skip
    chosen_first = sorted(rows, key=lambda row: row[0] != "chosen")
    return Table(caption, ("name", "score", "the choice minus this", "what it is"), chosen_first, ("what it is",))


def _top_pairs(findings: Findings) -> Table:
    columns = (
        "pair", "operator", "d", "score", "gain", "simultaneous", "over its own taps", "over the last taps",
        "best in draws", "not told apart",
    )  # fmt: skip
    best = findings.pairs.sort_values("score", ascending=False, kind="stable").head(_TOP)
    rows = [
        (
            f"{row['pair']}{' (chosen)' if row['chosen'] else ''}", str(row["operator"]), signed_whole(row["skewness"]),
            shown(row["score"]), signed(row["gain"]), interval(row["gain_low"], row["gain_high"]),
            signed(row["gain_own"]), signed(row["gain_late"]), f"{100 * row['frequency']:.1f} %",
            "yes" if row["in_confidence_set"] else "no",
        )
        for row in best.to_dict("records")
    ]  # fmt: skip
    return Table(f"The {len(rows)} best pairs by score", columns, rows)


def _sides(findings: Findings) -> Table:
    """Mean gain on either side of equal depth."""
    rows = []
    for (operator, first, second), own in findings.pairs.groupby(["operator", "first", "second"], sort=False):
        means = side_means(own["skewness"].to_numpy(int), own["gain"].to_numpy(float))
        said = [f"{signed(mean)} ({count})" for mean, count in zip(means["mean"], means["pairs"], strict=True)]
        rows.append((f"{first}, {second}", str(operator), *said))
    columns = ("modalities", "operator", "second deeper, d < 0", "equal depth, d = 0", "first deeper, d > 0")
    return Table("Mean gain by side of equal depth (number of pairs)", columns, rows)


def _sets(findings: Findings) -> Table:
    rows = [
        (
            f"{_NAMES.get(row['kind'], row['kind'])}{' (chosen)' if row['chosen'] else ''}", str(row["operator"]),
            str(row["size"]), shown(row["density"]), _score(row), _with(row, "gain", "gain_"), str(row["pairs"]),
        )
        for row in findings.sets.to_dict("records")
    ]  # fmt: skip
    columns = ("set", "operator", "pairs", "density", "score", "gain", "which pairs")
    return Table("Sets of pairs", columns, rows, ("which pairs",), folded=True)


def _taps(findings: Findings) -> Table:
    rows = [(f"{row['modality']}@{row['tap']}", _score(row)) for row in findings.taps.to_dict("records")]
    return Table("Every tap alone", ("tap", "score"), rows, folded=True)


def _score(row: Mapping[Any, Any]) -> str:
    return f"{shown(row['score'])} {interval(row['low'], row['high'])}".strip()


def _with(row: Mapping[Any, Any], name: str, prefix: str) -> str:
    return f"{signed(row[name])} {interval(row[f'{prefix}low'], row[f'{prefix}high'])}".strip()
