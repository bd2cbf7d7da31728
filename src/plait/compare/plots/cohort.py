"""The cohort map: what every student reads, how well it predicts, whether it teaches, and what it weighs."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from plait.drawing import style

FINDINGS = ("kind", "validation_loss", "independent_loss", "epoch", "teaches", "weight")
"""Columns of `cohort_` that name no modality."""

# Paul Tol's "light" scheme: made for dark letters on filled cells, distinct to the colour-blind.
_FILL = {"identity": "#77AADD", "pca": "#EEDD88", "encoder": "#EE8866", "sliced": "#44BB99", "module": "#FFAABB"}
_FILL |= {"shared": "#BBCC33", "individual": "#99DDFF"}
# Marker and colour of the kinds of students: Tol's "high contrast" scheme, then his "bright" one.
_MARKS = (("o", "#004488"), ("D", "#DDAA33"), ("s", "#BB5566"), ("^", "#228833"), ("v", "#AA3377"), ("P", "#66CCEE"))
_BAND, _LINE, _FAINT, _INK = "#F4F4F4", "#DDDDDD", "#999999", "#222222"
_NOTHING = "null"
_CHOSEN, _ALONE = "at the chosen rho", "trained alone (rho = 0)"

# Inches of the natural size; letters in points, their width in sizes of the font.
_LOSS, _TEACHES, _WEIGHT, _LEGEND, _GAP, _MARKER = 2.6, 0.65, 1.3, 2.0, 0.2, 0.15
_ABOVE, _BELOW, _SIDE = 0.75, 0.8, 0.2
_FONT, _SMALLEST, _LETTER, _LONGEST = 8.0, 4.5, 0.62, 24


def plot_cohort(cohort: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the cohort map: one row a student, the lowest validation loss on top.

    From left to right: of which kind the student is, where there are several ("network", or a learner: "ridge", ...),
    with the marker and colour of the kind; what it reads of each modality (colour by kind of extractor; a dash is
    nothing); a star if it teaches; its validation loss, filled at the chosen rho and hollow for the same student
    trained alone (rho = 0); its weight in the ensemble as a bar. Losses are in nats for classes, in squared units of
    the scaled target for real values; the axis is logarithmic where they differ by more than a factor of 20.

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
    cohort = cohort.fillna(dict.fromkeys(modalities, _NOTHING))  # the word "null" of a csv file is read as NaN
    cohort = cohort if "kind" in cohort else cohort.assign(kind="network")
    looks = _looks(cohort["kind"])
    cohort = cohort.sort_values("validation_loss", kind="stable", na_position="last")
    columns = _columns(cohort[["kind", *modalities]] if len(looks) > 1 else cohort[modalities])
    total = sum(columns["teaches"]) + _LOSS + _WEIGHT + 2 * _GAP
    ax = _new_axes(len(cohort), total) if ax is None else ax
    reads, loss, weight = _panels(ax, len(cohort), (sum(columns["teaches"]), _LOSS, _WEIGHT))
    row, inch = _scale(ax, len(cohort), total)
    size = min(_FONT, _FONT * inch / 72)
    letters = min(size, 0.6 * row)
    letters = letters if letters >= _SMALLEST else 0.0
    _draw_reads(reads, cohort[modalities], columns, letters)
    if "kind" in columns:
        _draw_kinds(reads, cohort["kind"], looks, columns["kind"], letters, min(5.0, 0.6 * row))
    _draw_teachers(reads, cohort["teaches"].to_numpy(bool), columns["teaches"].middle, min(6.0, 0.8 * row))
    _draw_loss(loss, cohort, looks, min(5.5, 0.7 * row))
    _draw_weight(weight, cohort, looks, letters)
    for panel in (reads, loss, weight):
        _set_letters(panel, size)
    _explain(ax, looks, () if letters else _fills(cohort[modalities].to_numpy().ravel()), size, len(cohort))
    if "kind" in columns and not letters:
        _explain_kinds(loss, looks, size)
    return ax


class _Look(NamedTuple):
    """Marker and colour of a kind of students."""

    marker: str
    colour: str


class _Column(NamedTuple):
    """Where a column begins and how wide it is, in inches of the natural size."""

    left: float
    width: float

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


def _looks(kinds: "pd.Series[Any]") -> dict[str, _Look]:
    """A look for each kind, in the order in which they first appear."""
    return {str(kind): _Look(*_MARKS[place % len(_MARKS)]) for place, kind in enumerate(kinds.unique())}


def _modalities(cohort: pd.DataFrame) -> list[str]:
    lacking = [name for name in FINDINGS if name not in cohort and name != "kind"]  # tables of old have no kind
    if lacking or not len(cohort):
        without = f" without the columns {', '.join(lacking)}" if lacking else ""
        raise ValueError(
            f"Expected the table `cohort_` of a fitted estimator, one row a student (got {len(cohort)} rows{without}). "
            "Pass estimator.cohort_."
        )
    return [name for name in cohort if name not in FINDINGS]


def _columns(table: pd.DataFrame) -> dict[str, _Column]:
    """Room for names and labels at the normal size of letters, for the stars, and for the legend below."""
    letters = [max(map(len, (_short(name), *table[name].astype(str)))) for name in table]
    widths = np.maximum(0.6, np.array(letters) * _LETTER * _FONT / 72 + 0.15)
    if "kind" in table:
        widths[0] += _MARKER
    inches = [*map(float, widths * max(1, (_LEGEND - _TEACHES) / widths.sum())), _TEACHES]
    lefts = accumulate(inches[:-1], initial=0.0)
    return dict(zip((*table, "teaches"), map(_Column, lefts, inches), strict=True))


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


def _name_columns(ax: Axes, columns: Mapping[str, _Column]) -> None:
    ax.set_xlim(0, sum(columns["teaches"]))
    ax.set_xticks([column.middle for column in columns.values()], [*map(_short, columns)])
    ax.xaxis.tick_top()


def _draw_reads(ax: Axes, reads: pd.DataFrame, columns: Mapping[str, _Column], letters: float) -> None:
    """Names on top, coloured cells with the labels of the extractors below."""
    _name_columns(ax, columns)
    for name in map(str, reads):
        column, labels = columns[name], reads[name].astype(str).tolist()
        read = [row for row, label in enumerate(labels) if label != _NOTHING]
        ax.barh(read, column.width - 0.06, 0.86, column.left + 0.03, color=[_fill(labels[row]) for row in read])
        for row, label in enumerate(labels) if letters else ():
            text, colour = ("\N{EN DASH}", _FAINT) if label == _NOTHING else (label, _INK)
            ax.text(column.middle, row, text, size=letters, color=colour, ha="center", va="center_baseline")


def _draw_kinds(
    ax: Axes, kinds: "pd.Series[Any]", looks: Mapping[str, _Look], column: _Column, letters: float, width: float
) -> None:
    """The marker of each student's kind, and its name."""
    left = column.left + _MARKER if letters else column.middle
    for kind, look in looks.items():
        rows = np.flatnonzero(kinds == kind)
        ax.scatter(np.full(len(rows), left), rows, s=width**2, marker=look.marker, color=look.colour, linewidths=0)
    for row, kind in enumerate(kinds) if letters else ():
        ax.text(left + 0.1, row, str(kind), size=letters, color=_INK, ha="left", va="center_baseline")


def _fill(label: str) -> str:
    return _FILL.get(label.partition("-")[0], _LINE)


def _draw_teachers(ax: Axes, teaches: np.ndarray, place: float, width: float) -> None:
    rows = np.flatnonzero(teaches)
    ax.scatter(np.full(len(rows), place), rows, s=width**2, marker="*", color=_INK)


def _draw_loss(ax: Axes, cohort: pd.DataFrame, looks: Mapping[str, _Look], width: float) -> None:
    """A filled marker at the chosen rho, a hollow one at rho = 0, and a line between."""
    chosen, alone = (_finite(cohort[name]) for name in ("validation_loss", "independent_loss"))
    ax.hlines(np.arange(len(cohort)), chosen, alone, color=_FAINT, linewidth=1, zorder=1)
    for kind, (marker, colour) in looks.items():
        rows = np.flatnonzero(cohort["kind"] == kind)
        filled: dict[str, Any] = {"color": colour, "marker": marker, "linewidths": 0, "label": _CHOSEN}
        hollow: dict[str, Any] = {"facecolors": "white", "edgecolors": colour, "marker": marker, "label": _ALONE}
        ax.scatter(chosen[rows], rows, s=(0.68 * width) ** 2, zorder=3, **filled)
        ax.scatter(alone[rows], rows, s=width**2, zorder=2, **hollow)
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


def _draw_weight(ax: Axes, cohort: pd.DataFrame, looks: Mapping[str, _Look], letters: float) -> None:
    weights, kinds = cohort["weight"].to_numpy(float), cohort["kind"].tolist()
    rows = np.flatnonzero(weights > 0).tolist()
    ax.barh(rows, weights[rows], 0.6, color=[looks[kinds[row]].colour for row in rows])
    for row in rows if letters else ():
        ax.text(weights[row], row, f" {weights[row]:.2f}", size=letters, color=_INK, va="center_baseline")
    ax.set_xlim(0, 1.4 * max(weights.max(), 1e-9))
    ax.set_xticks([])
    ax.set_title("weight in ensemble")
    ax.set_xlabel("sums to 1")


def _set_letters(panel: Axes, size: float) -> None:
    panel.tick_params(which="both", labelsize=size, length=0, pad=0.5 * size, colors=_INK)
    panel.set_title(panel.get_title(), size=size, color=_INK, pad=0.74 * size)
    panel.xaxis.label.set(size=size, color=_INK)


def _fills(labels: Iterable[object]) -> list[Patch]:
    """A legend of the colours of the cells, for cells too small for letters."""
    found = sorted({str(label).partition("-")[0] for label in labels} - {"null"})
    return [Patch(color=_fill(label), label=label) for label in found]


def _explain(ax: Axes, looks: Mapping[str, _Look], fills: Sequence[Patch], size: float, students: int) -> None:
    """Title and legend."""
    count = f"{students} students" if students > 1 else "1 student"
    ax.set_title(f"Cohort map: {count}, lowest validation loss on top", size=1.3 * size, loc="left", pad=3.2 * size)
    (marker, colour), *others = looks.values()
    dot: dict[str, Any] = {"marker": marker, "color": _INK if others else colour, "linestyle": ""}
    filled = Line2D([], [], markersize=0.5 * size, label=_CHOSEN, **dot)
    hollow = Line2D([], [], markersize=0.7 * size, markerfacecolor="white", label=_ALONE, **dot)
    legend = ax.legend(
        handles=[filled, hollow, *fills], ncols=min(3, 1 + len(fills) // 2), fontsize=size, loc="upper left",
        bbox_to_anchor=(0, 0),
    )  # fmt: skip
    legend.set_frame_on(False)


def _explain_kinds(ax: Axes, looks: Mapping[str, _Look], size: float) -> None:
    """A legend of the kinds, for a column too small for their names, where it covers least."""
    handles = [
        Line2D([], [], marker=marker, color=colour, linestyle="", markersize=0.5 * size, label=kind)
        for kind, (marker, colour) in looks.items()
    ]
    ax.legend(handles=handles, fontsize=size, loc="best", borderpad=0.2, handletextpad=0.1, edgecolor="none")
