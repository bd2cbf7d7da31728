"""The cohort map: what every student reads, how well it predicts, whether it teaches, and what it weighs."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from plait.drawing import style

FINDINGS = ("validation_loss", "independent_loss", "epoch", "teaches", "weight")
"""Columns of `cohort_` that name no modality."""

# Paul Tol's "light" scheme: made for dark letters on filled cells, distinct to the colour-blind.
_FILL = {"identity": "#77AADD", "pca": "#EEDD88", "encoder": "#EE8866", "sliced": "#44BB99", "module": "#FFAABB"}
_BAND, _LINE, _FAINT, _INK, _DOT = "#F4F4F4", "#DDDDDD", "#999999", "#222222", "#004488"

# Inches of the natural size; letters in points, their width in sizes of the font.
_LOSS, _TEACHES, _WEIGHT, _LEGEND, _GAP = 2.6, 0.65, 1.3, 2.0, 0.2
_ABOVE, _BELOW, _SIDE = 0.75, 0.8, 0.2
_FONT, _SMALLEST, _LETTER, _LONGEST = 8.0, 4.5, 0.62, 24


def plot_cohort(cohort: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the cohort map: one row a student, the lowest validation loss on top.

    From left to right: what the student reads of each modality (colour by kind; a dash is nothing); a star if it
    teaches; its validation loss, a dot at the chosen rho and a ring for the same student trained alone (rho = 0);
    its weight in the ensemble as a bar. Losses are in nats for classes, in squared units of the scaled target for
    real values; the axis is logarithmic where they differ by more than a factor of 20.

    Args:
        cohort: The table `cohort_` of a fitted estimator.
        ax: Where to draw. The panels share its area, and letters that would overlap are left out. None is a new
            figure, as high as the students need, that belongs to no window: `plot_cohort(...).figure.savefig(...)`.

    Returns:
        The Axes; its `child_axes` are the panels "reads", "loss" and "weight".

    Raises:
        ValueError: If the table is empty or not that of a cohort.
    """
    modalities = _modalities(cohort)
    cohort = cohort.sort_values("validation_loss", kind="stable", na_position="last")
    widths = [*_column_widths(cohort[modalities]), _TEACHES]
    total = sum(widths) + _LOSS + _WEIGHT + 2 * _GAP
    ax = _new_axes(len(cohort), total) if ax is None else ax
    reads, loss, weight = _panels(ax, len(cohort), (sum(widths), _LOSS, _WEIGHT))
    row, inch = _scale(ax, len(cohort), total)
    size = min(_FONT, _FONT * inch / 72)
    letters = min(size, 0.6 * row)
    letters = letters if letters >= _SMALLEST else 0.0
    _draw_reads(reads, cohort, widths, letters)
    _draw_teachers(reads, cohort["teaches"].to_numpy(bool), sum(widths) - _TEACHES / 2, min(6.0, 0.8 * row))
    _draw_loss(loss, cohort, min(5.5, 0.7 * row))
    _draw_weight(weight, cohort["weight"].to_numpy(float), letters)
    for panel in (reads, loss, weight):
        _set_letters(panel, size)
    _explain(ax, loss, () if letters else _kinds(cohort[modalities]), size, len(cohort))
    return ax


def _modalities(cohort: pd.DataFrame) -> list[str]:
    lacking = [name for name in FINDINGS if name not in cohort]
    if lacking or not len(cohort):
        without = f" without the columns {', '.join(lacking)}" if lacking else ""
        raise ValueError(
            f"Expected the table `cohort_` of a fitted estimator, one row a student (got {len(cohort)} rows{without}). "
            "Pass estimator.cohort_."
        )
    return [name for name in cohort if name not in FINDINGS]


def _column_widths(reads: pd.DataFrame) -> list[float]:
    """Inches that the names and labels of the modalities need at the normal size of letters, and the legend below."""
    letters = [max(map(len, (_short(name), *reads[name].astype(str)))) for name in reads]
    widths = np.maximum(0.6, np.array(letters) * _LETTER * _FONT / 72 + 0.15)
    return list(widths * max(1, (_LEGEND - _TEACHES) / widths.sum()))


def _short(name: object) -> str:
    return style.short(name, _LONGEST)


def _new_axes(students: int, width: float) -> Axes:
    """Axes of a figure of their own, with room for their labels."""
    height = max(students, 3) * (0.25 if students <= 30 else 0.2)
    size = (width + 2 * _SIDE, height + _ABOVE + _BELOW)
    box = (_SIDE / size[0], _BELOW / size[1], width / size[0], height / size[1])
    return Figure(figsize=size, dpi=150).add_axes(box)


def _scale(ax: Axes, students: int, width: float) -> tuple[float, float]:
    """Points that a row is high, and points that an inch of the natural width has."""
    box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    return 72 * box.height / students, 72 * box.width / width


def _panels(ax: Axes, students: int, widths: Sequence[float]) -> list[Axes]:
    """The parts of the map side by side, students from the top, every other row shaded."""
    ax.set_axis_off()
    total = sum(widths) + (len(widths) - 1) * _GAP
    panels, left = [], 0.0
    for name, width in zip(("reads", "loss", "weight"), widths, strict=True):
        panel = ax.inset_axes((left / total, 0, width / total, 1), label=name)
        left += width + _GAP
        panel.set_ylim(students - 0.5, -0.5)
        panel.set_yticks([])
        panel.spines[:].set_visible(False)
        for row in range(0, students, 2):
            panel.axhspan(row - 0.5, row + 0.5, color=_BAND, linewidth=0, zorder=0)
        panels.append(panel)
    return panels


def _draw_reads(ax: Axes, cohort: pd.DataFrame, widths: Sequence[float], letters: float) -> None:
    """Coloured cells with the labels of the extractors; the last column is left to the stars."""
    edges = [0.0, *accumulate(widths)]
    names = _modalities(cohort)
    for name, left, width in zip(names, edges, widths, strict=False):
        labels = cohort[name].astype(str).tolist()
        read = [row for row, label in enumerate(labels) if label != "null"]
        ax.barh(read, width - 0.06, 0.86, left + 0.03, color=[_fill(labels[row]) for row in read])
        for row, label in enumerate(labels) if letters else ():
            text, colour = ("\N{EN DASH}", _FAINT) if label == "null" else (label, _INK)
            ax.text(left + width / 2, row, text, size=letters, color=colour, ha="center", va="center_baseline")
    middles = [(left + right) / 2 for left, right in pairwise(edges)]
    ax.set_xlim(0, edges[-1])
    ax.set_xticks(middles, [*map(_short, names), "teaches"])
    ax.xaxis.tick_top()


def _fill(label: str) -> str:
    return _FILL.get(label.partition("-")[0], _LINE)


def _draw_teachers(ax: Axes, teaches: np.ndarray, place: float, width: float) -> None:
    rows = np.flatnonzero(teaches)
    ax.scatter(np.full(len(rows), place), rows, s=width**2, marker="*", color=_INK)


def _draw_loss(ax: Axes, cohort: pd.DataFrame, width: float) -> None:
    """A dot at the chosen rho, a ring at rho = 0, and a line between."""
    rows = np.arange(len(cohort))
    chosen, alone = (_finite(cohort[name]) for name in ("validation_loss", "independent_loss"))
    ax.hlines(rows, chosen, alone, color=_FAINT, linewidth=1, zorder=1)
    ax.scatter(chosen, rows, s=(0.68 * width) ** 2, color=_DOT, linewidths=0, zorder=3, label="at the chosen rho")
    ring = ax.scatter(alone, rows, s=width**2, color=_DOT, zorder=2, label="trained alone (rho = 0)")
    ring.set_facecolor("white")
    for row in np.flatnonzero(np.isnan(chosen)).tolist():
        ax.text(0.5, row, "not judged", transform=ax.get_yaxis_transform(), size=width, color=_FAINT, va="center")
    if _far_apart(np.concatenate([chosen, alone])):
        ax.set_xscale("log")
    ax.margins(x=0.08)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.grid(axis="x", color=_LINE, linewidth=0.6)
    ax.set_title("validation loss")
    ax.set_xlabel("classes: nats; real values: squared\nunits of the scaled target")


def _finite(losses: "pd.Series[Any]") -> np.ndarray:
    """The losses, NaN where there is none: nothing is drawn there."""
    values = losses.to_numpy(float)
    return np.where(np.isfinite(values), values, np.nan)


def _far_apart(losses: np.ndarray) -> bool:
    seen = losses[np.isfinite(losses)]
    return bool(seen.size and 0 < 20 * seen.min() < seen.max())


def _draw_weight(ax: Axes, weights: np.ndarray, letters: float) -> None:
    rows = np.flatnonzero(weights > 0)
    ax.barh(rows, weights[rows], 0.6, color=_DOT)
    for row in rows.tolist() if letters else ():
        ax.text(weights[row], row, f" {weights[row]:.2f}", size=letters, color=_INK, va="center_baseline")
    ax.set_xlim(0, 1.4 * max(weights.max(), 1e-9))
    ax.set_xticks([])
    ax.set_title("weight in ensemble")
    ax.set_xlabel("sums to 1")


def _set_letters(panel: Axes, size: float) -> None:
    panel.tick_params(which="both", labelsize=size, length=0, pad=0.5 * size, colors=_INK)
    panel.set_title(panel.get_title(), size=size, color=_INK, pad=0.74 * size)
    panel.xaxis.label.set(size=size, color=_INK)


def _kinds(reads: pd.DataFrame) -> list[Patch]:
    """A legend of the colours, for cells too small for letters."""
    labels = sorted({str(label).partition("-")[0] for label in reads.to_numpy().ravel()} - {"null"})
    return [Patch(color=_fill(label), label=label) for label in labels]


def _explain(ax: Axes, loss: Axes, kinds: Sequence[Patch], size: float, students: int) -> None:
    """Title and legend."""
    count = f"{students} students" if students > 1 else "1 student"
    ax.set_title(f"Cohort map: {count}, lowest validation loss on top", size=1.3 * size, loc="left", pad=3.2 * size)
    handles = [*loss.get_legend_handles_labels()[0], *kinds]
    columns, where = 1 + len(kinds) // 2, (0, 0)
    legend = ax.legend(handles=handles, ncols=columns, fontsize=size, loc="upper left", bbox_to_anchor=where)
    legend.set_frame_on(False)
