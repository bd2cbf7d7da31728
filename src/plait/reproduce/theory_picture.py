"""The picture of the theory: a panel a statement, measured points with intervals, formulas as lines."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from plait.drawing import style

_TICKS = (0.0, 0.5, 1.0, 3.0, 10.0)
_SIZE = (7.6, 5.4)
_TITLE = "Mutual learning of least-squares students: measured (dots, 95 % intervals) beside the formulas (lines)"
_NORMAL = 1.96
_TANGENT = 0.3  # share at which a drawn tangent ends
NAMES: Mapping[str, str] = {
    "redundant, student 1": "redundant, one",
    "redundant, student 3": "redundant, both",
    "complementary, student 1": "complementary, one",
    "complementary, student 3": "complementary, both",
    "unequal, student 2": "strong, weak peer",
}
"""What is drawn of new samples, and what it is called."""


def pictures(_results: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> Mapping[str, Figure]:
    """One picture, "theory", of the statements that have runs."""
    return {"theory": plot_theory(points_of(tables["curves"]))}


def points_of(curves: pd.DataFrame) -> pd.DataFrame:
    """Means over the runs of all points, in the order of rho.

    Columns arm, curve, rho, share (rho / (1 + rho), the scale of the picture), measured, error, formula, tangent,
    reference. Runs are independent repetitions of equal size, and the error is that of all of them together.
    """
    wide = curves.set_index(["arm", "run", "row", "column"])["value"].unstack("column")
    wide = wide.loc[pd.MultiIndex.from_frame(curves[["arm", "run", "row"]].drop_duplicates())].reset_index()
    wide["curve"] = wide["row"].str.replace(r" (at|along) [^ ]+$", "", regex=True)
    wide["error"] = wide["error"] ** 2
    known = ["rho", "measured", "formula", "tangent", "reference"]
    grouped = wide.groupby(["arm", "curve", "row"], sort=False)
    found = grouped[[*known, "error"]].mean()
    found["error"] = (found["error"] / grouped.size()) ** 0.5
    found["share"] = found["rho"] / (1 + found["rho"])
    return found.reset_index().sort_values("rho", kind="stable")


def plot_theory(points: pd.DataFrame) -> Figure:
    """Draw the statements side by side: dots are measured, with 95 % intervals; lines are formulas.

    The horizontal axis is rho, spaced by rho / (1 + rho), the weight of the teachers' mean in what a student fits.

    Args:
        points: As `points_of` gives them.

    Returns:
        The figure, which belongs to no window; a statement without runs has an empty panel.
    """
    figure = Figure(figsize=_SIZE, dpi=150, layout="constrained")
    figure.suptitle(_TITLE, size=1.1 * style.FONT, color=style.INK, x=0.01, ha="left")
    panels = figure.subplots(2, 3).ravel()
    for ax, (arm, (title, label, draw)) in zip(panels, _PANELS.items(), strict=True):
        rows = points[points["arm"] == arm]
        ax.set_title(title, size=style.FONT, color=style.INK, loc="left")
        ax.set_ylabel(label)
        if len(rows):
            draw(ax, rows)
        _axis(ax)
        style.quiet(ax, "both", 0.9 * style.FONT)
    return figure


def _axis(ax: Axes) -> None:
    ax.set_xticks([rho / (1 + rho) for rho in _TICKS], [f"{rho:g}" for rho in _TICKS])
    ax.set_xlim(-0.03, 1.0)
    ax.set_xlabel("rho")


def _curves(ax: Axes, rows: pd.DataFrame) -> None:
    """Dots with whiskers and lines, a colour a curve."""
    for place, (name, curve) in enumerate(rows.groupby("curve", sort=False)):
        colour = style.curve_style(place)["color"]
        ax.plot(curve["share"], curve["formula"], color=colour, linewidth=1.1)
        _dots(ax, curve[curve["measured"].notna()], colour, str(name))


def _dots(ax: Axes, points: pd.DataFrame, colour: str, name: str, unit: float = 1.0) -> None:
    """Measured points with whiskers, in some unit."""
    reach = _NORMAL * np.nan_to_num(points["error"].to_numpy(float)) / unit
    look: dict[str, Any] = {"fmt": "o", "color": colour, "markersize": 3.2, "elinewidth": 1.0}
    ax.errorbar(points["share"], points["measured"] / unit, yerr=reach, label=name, **look)


def _with_legend(ax: Axes, rows: pd.DataFrame) -> None:
    _curves(ax, rows)
    style.add_legend_inside(ax)


def _changes(ax: Axes, rows: pd.DataFrame) -> None:
    """The curves of the panel before with the slopes at 0 as short dashes; what is far above 0 is cut off."""
    _curves(ax, rows)
    ax.axhline(0, color=style.FAINT, linewidth=0.8)
    for place, (_, curve) in enumerate(rows.groupby("curve", sort=False)):
        near, colour = curve[curve["share"] <= _TANGENT], style.curve_style(place)["color"]
        ax.plot(near["share"], near["tangent"], color=colour, linewidth=0.9, linestyle=(0, (2, 1.5)))
    lowest = float(rows["formula"].min())
    ax.set_ylim(1.3 * lowest, -1.6 * lowest)
    ax.text(0.03, 0.95, "students of T2", transform=ax.transAxes, size=0.85 * style.FONT, color=style.INK, va="top")


def _relative(ax: Axes, rows: pd.DataFrame) -> None:
    """Risks as shares of that at rho = 0, known ones as crosses."""
    for place, (name, told) in enumerate(NAMES.items()):
        curve, colour = rows[rows["curve"] == name], style.curve_style(place)["color"]
        alone, known = (float(curve[column].iloc[0]) for column in ("measured", "reference"))
        ax.plot(curve["share"], curve["measured"] / alone, color=colour, linewidth=0.7, alpha=0.6)
        _dots(ax, curve, colour, told, alone)
        ax.plot(curve["share"], curve["reference"] / known, "x", color=style.INK, markersize=4.5, markeredgewidth=0.8)
    ax.plot([], [], "x", color=style.INK, markersize=4.5, markeredgewidth=0.8, label="known values")
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_yticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    ax.set_ylim(0.14, 5)
    style.add_legend_inside(ax)


_PANELS: Mapping[str, tuple[str, str, Callable[[Axes, pd.DataFrame], None]]] = {
    "T1": ("T1  labels are smoothed", "share of a direction that is left", _with_legend),
    "T2": ("T2  less variance from label noise", "variance of the fit", _with_legend),
    "T3": ("T3  a small rho helps", "risk minus risk alone", _changes),
    "T4": ("T4  imitators meet at their mean", "risk, 1 is alone", _with_legend),
    "T5": ("T5  their ensemble stays", "risk", _with_legend),
    "new-samples": ("T1 on new samples", "risk over risk alone", _relative),
}
