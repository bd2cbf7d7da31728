"""The table of a comparison for other documents: Markdown, LaTeX, and tidy CSV."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from plait.compare.layout import Cell, Group, metric_title, metrics_of, shown_seconds, wide_table
from plait.data.whole_files import whole_file
from plait.drawing.numbers import shown

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "²": r"\textsuperscript{2}",
    "…": r"\ldots{}",
} | {letter: f"\\{letter}" for letter in "&%$#_{}"}
_INTERVALS = "Mean with 95 % interval; the best single modality or fusion of each column is bold."


def to_markdown(scores: pd.DataFrame, metrics: Sequence[str] | None = None, protocol: str = "") -> str:
    """The table of scores as Markdown (pipe tables), a row a method, kinds in groups.

    Args:
        scores: The table of scores, tidy.
        metrics: Which metrics, in this order; None is all.
        protocol: In words what the numbers are of; stands below the table.

    Raises:
        ValueError: If there is no score, or not of one of the metrics.
    """
    metrics = metrics_of(scores, metrics)
    lines = [["method", *map(metric_title, metrics), "seconds"], ["---", *["---:"] * (len(metrics) + 1)]]
    for group in wide_table(scores, metrics):
        lines.append([f"*{group.heading}*", *[""] * (len(metrics) + 1)])
        lines += [_markdown_row(group, place) for place in range(len(group.rows))]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{table}\n\n{_markdown(_note(protocol))}\n"


def to_latex(
    scores: pd.DataFrame, metrics: Sequence[str] | None = None, caption: str = "", label: str = "", protocol: str = ""
) -> str:
    r"""The table of scores as a LaTeX table for the package booktabs, a row a method, kinds in groups.

    Args:
        scores: The table of scores, tidy.
        metrics: Which metrics, in this order; None is all.
        caption: What stands before the note on intervals and protocol, as plain text.
        label: Name for `\ref`, for example "tab:scores"; "" leaves it out.
        protocol: In words what the numbers are of.

    Raises:
        ValueError: If there is no score, or not of one of the metrics.
    """
    metrics = metrics_of(scores, metrics)
    said = " ".join(part for part in (_latex(caption), _latex(_note(protocol))) if part)
    head = " & ".join(["Method", *(_latex(metric_title(name)) for name in metrics), "Seconds"])
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{said}}}"]
    lines += [rf"\label{{{label}}}"] if label else []
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(metrics) + 1)}}}", r"\toprule", rf"{head} \\"]
    for group in wide_table(scores, metrics):
        lines += [r"\midrule", rf"\multicolumn{{{len(metrics) + 2}}}{{l}}{{\emph{{{_latex(group.heading)}}}}} \\"]
        lines += [_latex_row(group, place) for place in range(len(group.rows))]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def to_csv(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a tidy table (scores, pairs, ledger, ...) as CSV, with full precision, at once.

    Args:
        frame: The table; a named index becomes the first column.
        path: Name of the file; one that is there is replaced.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    with whole_file(path) as part:
        frame.to_csv(part, index=frame.index.name is not None)
    return Path(path)


def _markdown_row(group: Group, place: int) -> list[str]:
    row = group.rows[place]
    if row.failure:
        return [_markdown(row.method), f"failed: {_markdown(row.failure)}", *[""] * len(row.cells)]
    return [_markdown(row.method), *(_cell(cell, "**{}**") for cell in row.cells), shown_seconds(row.seconds)]


def _latex_row(group: Group, place: int) -> str:
    row = group.rows[place]
    name = _latex(row.method)
    if row.failure:
        return rf"{name} & \multicolumn{{{len(row.cells) + 1}}}{{l}}{{failed: {_latex(row.failure)}}} \\"
    cells = [_cell(cell, r"\textbf{{{}}}").translate(_IN_CELLS) for cell in row.cells]
    return rf"{' & '.join([name, *cells, _latex(shown_seconds(row.seconds))])} \\"


_IN_CELLS = {ord(letter): _LATEX[letter] for letter in "\N{MINUS SIGN}\N{EN DASH}"}


def _cell(cell: Cell, best: str) -> str:
    mean = best.format(shown(cell.mean)) if cell.best else shown(cell.mean)
    return f"{mean} {cell.interval}".strip()


def _note(protocol: str) -> str:
    return f"{_INTERVALS} {protocol.rstrip('.')}." if protocol else _INTERVALS


def _markdown(text: str) -> str:
    """Letters that Markdown or HTML would read as marks, as themselves."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(text.split()))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in " ".join(text.split()))
