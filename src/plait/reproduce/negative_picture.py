"""The picture of negative learning: the error of every student under every kind of teachers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from plait.drawing import grids, style
from plait.reproduce.meta_fusion_numbers import NEGATIVE, NEGATIVE_ARMS, NEGATIVE_TEACHERS

_REACH = 20.0  # percent, where the colours end
_WHO = {"independent": "none", "clustering": "best", "adversarial": "worst", "chosen": "best"}


def pictures(_results: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> Mapping[str, Figure]:
    """One picture, "students", where there are runs without teachers to compare with."""
    students = tables["students"]
    return {"students": plot_students(students)} if (students["arm"] == "independent").any() else {}


def plot_students(students: pd.DataFrame) -> Figure:
    """Draw test MSE by student and teachers, coloured by how far it is from that of the student alone.

    Numbers are means over the seeds, colours mean changes seed by seed; bold is who taught in every one of them. At the
    right stands the authors' saved run, if its seed was run; its colours are changes within that run.

    Args:
        students: Table of the runs: columns arm, seed, row (the student), column ("mse", "teaches"), value.

    Returns:
        The figure, which belongs to no window.
    """
    error, teaches, rho = (_by_seed(students, name) for name in ("mse", "teaches", "rho"))
    change = 100 * (error.div(error.xs("independent", level="arm"), axis=0) - 1)
    strength = rho.groupby("arm").mean().mean(axis=1).to_dict()
    seen = [str(arm) for arm in change[change.notna().any(axis=1)].index.unique("arm")]
    arms = sorted(seen, key=lambda arm: (list(_WHO).index(arm.partition("/")[0]), strength[arm]))
    known = {arm: NEGATIVE.of(arm) for arm in NEGATIVE_ARMS}
    beside = known["independent"].index.isin(students["seed"]).any()
    widths = [len(arms), len(NEGATIVE_ARMS)] if beside else [len(arms)]
    figure = Figure(figsize=(1.0 + 0.56 * sum(widths), 3.5), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    mean, least = error.groupby("arm").mean().loc[arms].T, teaches.groupby("arm").min().loc[arms].T
    mesh = _draw(panels[0], mean, change.groupby("arm").mean().loc[arms].T, least > 0, strength)
    panels[0].set_title(_seeds(students), size=style.FONT, color=style.INK, loc="left")
    if beside:
        theirs = pd.DataFrame({arm: table.iloc[0] for arm, table in known.items()})
        _draw(panels[1], theirs, 100 * (theirs.div(theirs["independent"], axis=0) - 1), _teachers(theirs), strength)
        panels[1].set_title("authors, seed 1", size=style.FONT, color=style.INK, loc="left")
        panels[1].set_yticks([])
    grids.add_key(panels[0], mesh, "change of the test MSE against learning alone, in percent", ends=True)
    return figure


def _teachers(theirs: pd.DataFrame) -> pd.DataFrame:
    """Who taught in the authors' run."""
    taught = {arm: theirs.index.isin(NEGATIVE_TEACHERS.get(str(arm), ())) for arm in theirs}
    return pd.DataFrame(taught, index=theirs.index)


def _by_seed(students: pd.DataFrame, column: str) -> pd.DataFrame:
    """A number by arm and seed (rows) and student (columns), in the order in which they come."""
    cells = students[students["column"] == column]
    wide = cells.pivot_table(index=["arm", "seed"], columns="row", values="value", sort=False)
    return wide[list(dict.fromkeys(cells["row"]))]


def _draw(
    ax: Axes, errors: pd.DataFrame, change: pd.DataFrame, bold: pd.DataFrame, strength: Mapping[Any, float]
) -> QuadMesh:
    """Cells with the errors."""
    values = errors.to_numpy(float)
    mesh = grids.draw_cells(ax, change.to_numpy(float), grids.steps("RdBu_r", 17), (-_REACH, _REACH))
    grids.name_cells(ax, list(errors.index), [""] * values.shape[1])
    ax.set_xticks(np.arange(values.shape[1]) + 0.5, [_heading(str(arm), strength) for arm in errors.columns])
    grids.write_cells(ax, mesh, lambda row, column: f"{values[row, column]:.1f}", 0.85 * style.FONT, bold.to_numpy())
    return mesh


def _heading(arm: str, strength: Mapping[Any, float]) -> str:
    """Who teaches, and at which rho."""
    rho = "chosen" if arm == "chosen" else f"{strength[arm]:g}" if strength.get(arm) else ""
    return f"{_WHO[arm.partition('/')[0]]}\n{rho}"


def _seeds(students: pd.DataFrame) -> str:
    seeds = sorted(set(students["seed"]))
    return f"who teaches, and rho; {'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"
