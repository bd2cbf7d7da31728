"""From what a report is made of to one HTML file."""

import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from plait.compare.layout import metric_title, metrics_of, shown, shown_seconds, smaller_is_better, wide_table
from plait.compare.plots import svg
from plait.compare.report.content import ReportInput
from plait.compare.report.pictures import Picture, pictures
from plait.compare.report.tables import tables
from plait.data.whole_files import whole_file

Drawn = tuple[Picture, Markup]
"""A picture with its element of the page."""


def render(report: ReportInput) -> str:
    """The report as one HTML page that needs nothing else: no network, no script.

    The same input gives the same text.

    Args:
        report: What it shows.

    Raises:
        ValueError: If there are no scores, or a table lacks columns.
    """
    environment = Environment(
        loader=PackageLoader("plait.compare"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "seconds": shown_seconds, "title_of": metric_title, "settings": _settings}
    metrics = metrics_of(report.scores)
    return environment.get_template("report.html").render(
        report=report,
        metrics=metrics,
        smaller={name: smaller_is_better(name) for name in metrics},
        groups=wide_table(report.scores),
        pictures=_by_section(report),
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


def _by_section(report: ReportInput) -> dict[str, tuple[list[Drawn], list[Drawn]]]:
    """By section the pictures that are open, and those that are folded."""
    found: dict[str, tuple[list[Drawn], list[Drawn]]] = {}
    for place, picture in enumerate(pictures(report), 1):
        element = Markup(svg(picture.ax, f"picture{place}", picture.caption))  # noqa: S704 (svg escapes)
        found.setdefault(picture.section, ([], []))[int(picture.folded)].append((picture, element))
    return found


def _settings(value: Any) -> str:
    """Parameters as lines `name = value`."""
    if hasattr(value, "items"):
        return "\n".join(f"{name} = {entry!r}" for name, entry in value.items())
    return str(value)
