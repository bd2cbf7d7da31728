"""From what a report is made of to one HTML file."""

import os
from pathlib import Path
from typing import Any

from plait.compare.layout import metric_title, metrics_of, shown_seconds, smaller_is_better, wide_table
from plait.compare.report.content import ReportInput
from plait.compare.report.pictures import pictures
from plait.compare.report.tables import tables
from plait.data.whole_files import whole_file
from plait.drawing.numbers import shown
from plait.drawing.page import by_section, templates


def render(report: ReportInput) -> str:
    """The report as one HTML page that needs nothing else: no network, no script.

    The same input gives the same text.

    Args:
        report: What it shows.

    Raises:
        ValueError: If there are no scores, or a table lacks columns.
    """
    environment = templates("plait.compare")
    environment.filters |= {"shown": shown, "seconds": shown_seconds, "title_of": metric_title, "settings": _settings}
    metrics = metrics_of(report.scores)
    return environment.get_template("report.html").render(
        report=report,
        metrics=metrics,
        smaller={name: smaller_is_better(name) for name in metrics},
        groups=wide_table(report.scores),
        pictures=by_section(pictures(report)),
        tables=tables(report),
    )


def write_report(report: ReportInput, path: str | os.PathLike[str]) -> Path:
    """Write the report into a file, at once: no reader ever sees half of it.

    Args:
        report: What it shows.
        path: Name of the HTML file; one that is there is replaced.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there are no scores, or a table lacks columns.
    """
    with whole_file(path) as part:
        part.write_text(render(report), encoding="utf-8")
    return Path(path)


def _settings(value: Any) -> str:
    """Parameters as lines `name = value`."""
    if hasattr(value, "items"):
        return "\n".join(f"{name} = {entry!r}" for name, entry in value.items())
    return str(value)
