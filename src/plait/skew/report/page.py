"""From findings to one HTML file."""

import os
from pathlib import Path

from plait.data.whole_files import whole_file
from plait.drawing.page import by_section, templates
from plait.skew.findings import Findings
from plait.skew.report import captions, reading
from plait.skew.report.choice import choice_facts
from plait.skew.report.pictures import pictures
from plait.skew.report.tables import tables


def render(findings: Findings) -> str:
    """The report as one HTML page that needs nothing else: no network, no script.

    The same findings give the same text. Everything that was measured on the samples that chose is called descriptive;
    scores on test samples, if there are any, stand by themselves.

    Args:
        findings: What a search came to.
    """
    return templates("plait.skew.report").get_template("skew_report.html").render(
        title=captions.title(findings),
        answer=captions.answer(findings),
        supported=reading.has_choice(findings),
        sentence=findings.sentence,
        conditions=captions.conditions(findings),
        facts=choice_facts(findings),
        trail=str(reading.fact(findings, "trail")).splitlines(),
        resolution=captions.resolution(findings),
        tested=f"{captions.ONCE} {captions.of_tested(findings)}",
        descriptive=f"{captions.DESCRIPTIVE} {captions.conditions(findings)}",
        pictures=by_section(pictures(findings)),
        tables=tables(findings),
    )  # fmt: skip


def write_report(findings: Findings, path: str | os.PathLike[str]) -> Path:
    """Write the report into a file, at once: no reader ever sees half of it.

    Args:
        findings: What a search came to.
        path: Name of the HTML file; one that is there is replaced.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    with whole_file(path) as part:
        part.write_text(render(findings), encoding="utf-8")
    return Path(path)
