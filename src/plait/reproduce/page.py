"""The summary to read, in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

import plait
from plait.reproduce.outcome import Outcome
from plait.reproduce.tables import ONE_SEED

Row = Mapping[str, Any]
_SHOWN = 40
"""Rows of an overview that are shown on the page, at most."""
_SPREAD = (
    "Mean ± standard deviation over the seeds, which change initial weights, dropout and the order of samples, and "
    "nothing else unless it is said above. Rows marked published are other people's numbers, each with its source and "
    "protocol."
)
_PAIRED = (
    "Differences are taken seed by seed and averaged; brackets hold the 95 % Student-t interval of one comparison by "
    "itself (of twenty, one is expected to miss). They are about other seeds on these data, not about other data."
)


def page(outcome: Outcome) -> str:
    """What all runs say together, then a table a group, public numbers below ours, differences; settings at the end."""
    summary, differences = outcome.summary, outcome.differences
    parts = [f"# {outcome.study.name}", outcome.study.note, *_overviews(outcome), _SPREAD]
    for group in dict.fromkeys(summary["group"][summary["kind"] == "here"]):
        parts += [f"## {group}", *_tables(outcome, summary[summary["group"] == group])]
        pairs = differences[differences["group"] == group]
        parts += [_PAIRED, _pairs(pairs)] if len(pairs) else []
    return "\n\n".join([*parts, "## Settings", _settings(outcome)]) + "\n"


def _overviews(outcome: Outcome) -> Iterable[str]:
    """Short tables of all runs together; of long ones where they are."""
    for name, table in outcome.overviews.items():
        yield f"## {name}"
        lines = [[_text(value) for value in row.values()] for row in _records(table)]
        yield _markdown([*table], lines) if len(lines) <= _SHOWN else f"{len(lines)} rows, in {name}.csv."


def _tables(outcome: Outcome, rows: pd.DataFrame) -> Iterable[str]:
    """The metrics of the study side by side; public numbers of other metrics in a list of their own."""
    told = rows["metric"].isin([*outcome.study.metrics])
    labels = [name for name in outcome.study.runs[0].labels if name != "group"]
    metrics = [name for name in outcome.study.metrics if (rows["metric"] == name).any()]
    keys = ["kind", *labels, "source"]
    named = rows[told].assign(**{key: [_text(value) for value in rows[told][key]] for key in keys})
    lines = [_line(cells, labels, metrics) for _, cells in named.groupby(keys, sort=False)]
    yield _markdown(["", *labels, *metrics, "seeds"], lines)
    others = rows[~told & (rows["kind"] == "published")]
    if len(others):
        columns = ["method", "metric", "mean", "protocol", "source"]
        yield "Also published, in other metrics:"
        yield _markdown(columns, [[_text(one[name]) for name in columns] for one in _records(others)])


def _line(cells: pd.DataFrame, labels: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """An arm, or a public source, with all its metrics."""
    found = {one["metric"]: one for one in _records(cells)}
    first = next(iter(found.values()))
    here = first["kind"] == "here"
    kind = "here" if here else f"published: {first['source']}"
    numbers = [_shown(found[name]) if name in found else "" for name in metrics]
    return [kind, *(first[name] for name in labels), *numbers, str(first["seeds"]) if here else ""]


def _pairs(differences: pd.DataFrame) -> str:
    lines = [
        [one["arm"], _minus(one), one["metric"], f"{one['difference']:+.4f}", _interval(one), str(one["seeds"])]
        for one in _records(differences)
    ]
    return _markdown(["difference of", "minus", "metric", "difference", "95 % interval", "seeds"], lines)


def _minus(one: Row) -> str:
    return f"{one['minus']} ({one['note']})" if one["note"] else str(one["minus"])


def _interval(one: Row) -> str:
    reading = str(one["reading"])
    return reading if reading == ONE_SEED else f"[{one['low']:+.4f}, {one['high']:+.4f}] {reading}"


def _settings(outcome: Outcome) -> str:
    lines = [f"- {name}: {value}" for name, value in outcome.study.settings.items()]
    lines.append(f"- plait {plait.__version__}")
    if outcome.states > 1:
        lines.append(f"- The runs come from {outcome.states} states of the code (column `code` of results.csv).")
    if outcome.others:
        lines.append(f"- {outcome.others} runs of other settings or versions lie in the same folder and are left out.")
    return "\n".join(lines)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _shown(one: Row) -> str:
    return _text(one["mean"]) + (f" ± {one['sd']:.4f}" if pd.notna(one["sd"]) else "")


def _text(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if pd.notna(value) else ""


def _markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; bars within cells are escaped."""
    rows = [list(head), ["---"] * len(head), *map(list, lines)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
