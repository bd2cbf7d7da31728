"""The files of a reproduction: tables as CSV, pictures, and the page."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plait.compare.export import to_csv
from plait.compare.plots import plot_confusion
from plait.data.whole_files import write_text
from plait.drawing.vector import svg
from plait.reproduce.outcome import Outcome
from plait.reproduce.page import page

PAGE = "summary.md"
_PICTURES: Mapping[str, Callable[[pd.DataFrame], Axes]] = {"confusion": plot_confusion}


def write_all(outcome: Outcome, folder: Path) -> None:
    """Write results.csv, summary.csv, differences.csv, the runs' tables with their pictures, and summary.md.

    checks.csv as well, where the study has thresholds, its overviews and its pictures, where it has some.

    Raises:
        OSError: If a file cannot be written.
    """
    outcome.write_results(folder)
    to_csv(outcome.summary, folder / "summary.csv")
    to_csv(outcome.differences, folder / "differences.csv")
    if outcome.study.checks is not None:
        to_csv(outcome.checks, folder / "checks.csv")
    for name, table in outcome.overviews.items():
        to_csv(table, folder / f"{name}.csv")
    for name, table in outcome.tables.items():
        to_csv(table, folder / f"{name}.csv")
        if name in _PICTURES:
            _draw(name, table, folder)
    for name, figure in outcome.pictures.items():
        _save(figure, folder / f"{name}.svg")
    write_text(folder / PAGE, page(outcome))


def _draw(name: str, table: pd.DataFrame, folder: Path) -> None:
    """A picture of every arm's table, the mean over the seeds."""
    for arm, cells in table.groupby("arm", sort=False):
        rows, columns = (list(dict.fromkeys(cells[axis])) for axis in ("row", "column"))
        wide = cells.pivot_table(index="row", columns="column", values="value", aggfunc="mean")
        ax = _PICTURES[name](wide.loc[rows, columns])
        _save(cast("Figure", ax.figure), folder / f"{name}-{str(arm).replace('/', '_')}.svg")


def _save(figure: Figure, path: Path) -> None:
    write_text(path, svg(figure, path.stem) + "\n")
