"""The picture of step fusion: how alike the modalities are after each step, and what the step did."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy import ndarray

from plait.alignment.movements import COLUMNS, QUANTILES, movements
from plait.alignment.steps import alignment_steps
from plait.drawing import style
from plait.nn.step_fusion.trace import Trace

_MODALITIES = (style.BLUE, style.YELLOW, style.RED, style.FAINT)
_MARKERS = ("o", "s", "D", "^", "v", "P")
_PAIR, _CKA, _GAP = ("moment", "moved", "a", "b"), "debiased_cka", "gap"
_LONGEST, _SIDE, _WIDEST, _BESIDE = 14, 0.8, 7.2, 0.2
_LENGTHS = {"distance": (-0.07, "s", True), "displacement": (0.0, "o", False), "local": (0.07, "D", False)}
_HANDLE = 0.35  # inches of a line in a legend and of the space beside


def plot_alignment(
    steps: Trace | pd.DataFrame, moves: pd.DataFrame | None = None, path: str | Path | None = None
) -> Figure:
    """Draw alignment step by step, and the zoom, rotation and displacements of each step.

    From the top: debiased linear CKA of every two modalities (1 is alike up to rotation and scale), their normalised
    gap (0 is identical, the dashed line at 1 is what unrelated modalities of equal means have; logarithmic where gaps
    differ by more than a factor of 30), the zoom factors (a line from the 5th to the 95th percentile, a bar from the
    25th to the 75th, a dot at the median; logarithmic beyond a factor of 2), the mean rotation angle, and how far the
    target went, with the learned displacements in it, relative to its length before the step. What a step moved stands
    below it; without steps there are the upper two panels alone.

    Args:
        steps: A trace, or the table `alignment_steps` of one with the measures "debiased_cka" and "gap".
        moves: The table `movements` that belongs to such a table, None to leave its panels out; of a trace, it is
            found itself.
        path: Where to save the picture, by its ending a PNG, SVG or PDF; None saves nothing.

    Returns:
        The figure, which belongs to no window; its Axes are the panels from the top.

    Raises:
        ValueError: If there is nothing to draw, or a table lacks columns.
    """
    if isinstance(steps, Trace):
        moves, steps = movements(steps), alignment_steps(steps, (_CKA, _GAP))
    style.check_table(steps, (*_PAIR, _CKA, _GAP), "a table of alignment, one row a moment and pair,")
    moves = pd.DataFrame(columns=list(COLUMNS)) if moves is None else moves
    if len(moves):
        style.check_table(moves, COLUMNS, "a table of movements, one row a step and target,")
    figure = _drawn(steps, moves)
    if path is not None:
        figure.savefig(path)
    return figure


def _drawn(steps: pd.DataFrame, moves: pd.DataFrame) -> Figure:
    labels = _labels(steps)
    need = style.label_width([line for label in labels for line in label.split("\n")], _LONGEST) + 0.08
    heights = (1.5, 1.3, 1.1, 0.8, 1.1)[: 5 if len(moves) else 2]
    width = float(np.clip(_SIDE + need * len(labels), style.WIDTH, _WIDEST))
    crowded = _SIDE + need * len(labels) > _WIDEST
    height = sum(heights) + 0.2 * len(heights) + 0.7 + 0.2 * -(-len(_pairs(steps)) // 3) + (need if crowded else 0)
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    panels = list(figure.subplots(len(heights), sharex=True, height_ratios=heights))
    _draw_pairs(panels[0], panels[1], steps)
    if len(moves):
        _draw_moves(panels[2:], moves, _places(steps))
    for panel in panels:
        style.quiet(panel, "both")
    panels[-1].set_xlim(-0.5, len(labels) - 0.5)
    panels[-1].set_xticks(range(len(labels)), labels, rotation=90 if crowded else 0)
    panels[-1].set_xlabel("step and what it moved")
    figure.align_ylabels(panels)
    return figure


def _pairs(steps: pd.DataFrame) -> list[tuple[str, str]]:
    return list(steps[["a", "b"]].drop_duplicates().itertuples(index=False, name=None))


def _places(steps: pd.DataFrame) -> dict[str, int]:
    """Every modality's place, by which it is coloured."""
    names = dict.fromkeys(name for pair in _pairs(steps) for name in pair)
    return {name: place for place, name in enumerate(names)}


def _labels(steps: pd.DataFrame) -> list[str]:
    """The number of each moment, and what the step before it moved."""
    moved = steps.drop_duplicates("moment").sort_values("moment")["moved"]
    everything = len(_places(steps))
    names = [text.split("+") if text else [] for text in moved.astype(str)]
    told = ["all" if len(set(each)) == everything else "\n".join(style.short(name, _LONGEST) for name in each)
            for each in names]  # fmt: skip
    return ["0\nstart", *(f"{step}\n{text}" for step, text in enumerate(told[1:], start=1))]


def _draw_pairs(cka: Axes, gap: Axes, steps: pd.DataFrame) -> None:
    """A curve for each two modalities."""
    for place, (a, b) in enumerate(_pairs(steps)):
        rows = steps[(steps["a"] == a) & (steps["b"] == b)].sort_values("moment")
        look = {**style.curve_style(place), "marker": _MARKERS[place % len(_MARKERS)], "markersize": 3.5}
        label = f"{style.short(a, 12)} \N{EN DASH} {style.short(b, 12)}"
        for panel, measure in ((cka, _CKA), (gap, _GAP)):
            panel.plot(rows["moment"], rows[measure], linewidth=1.3, label=label, **look)
    cka.set_ylim(1.1 * float(np.nanmin([*steps[_CKA], -0.04])), 1.04)
    cka.set_ylabel("CKA\n(debiased)")
    gap.set_ylabel("gap\n(normalised)")
    gap.axhline(1, color=style.FAINT, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    _scale_gap(gap, steps[_GAP].to_numpy(float))
    _explain(cka)


def _explain(ax: Axes) -> None:
    """A legend above a panel, in as many columns as the picture has room for."""
    labels = ax.get_legend_handles_labels()[1]
    room = ax.figure.figure.get_figwidth() - _SIDE
    columns = int(room // (style.label_width(labels) + _HANDLE))
    style.add_legend(ax, "above", int(np.clip(columns, 1, len(labels))))


def _scale_gap(ax: Axes, gaps: ndarray) -> None:
    seen = gaps[np.isfinite(gaps)]
    if len(seen) and 0 < 30 * seen.min() < seen.max():
        _plain_logarithm(ax)
    else:
        ax.set_ylim(0, 1.08 * max([1, *seen]))


def _plain_logarithm(ax: Axes) -> None:
    """A logarithmic axis with plain numbers."""
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _draw_moves(panels: Sequence[Axes], moves: pd.DataFrame, places: dict[str, int]) -> None:
    """The three lower panels: targets of one step side by side, coloured by modality."""
    together = moves.groupby("step")["target"]
    beside = _BESIDE * (together.cumcount() - (together.transform("size") - 1) / 2)
    x = (moves["step"] + beside).to_numpy(float)
    for name, place in places.items():
        own = (moves["target"] == name).to_numpy(bool)
        colour = _MODALITIES[place % len(_MODALITIES)]
        for draw, panel in zip((_zoom, _angle, _lengths), panels, strict=True):
            draw(panel, x[own], moves[own], colour)
        panels[0].plot([], [], color=colour, linewidth=4, label=style.short(name, _LONGEST))
    _frame_moves(panels, moves)


def _zoom(ax: Axes, x: ndarray, rows: pd.DataFrame, colour: str) -> None:
    least, low, middle, high, most = (rows[f"zoom_{q:02d}"].to_numpy(float) for q in QUANTILES)
    ax.vlines(x, least, most, color=colour, linewidth=1)
    ax.vlines(x, low, high, color=colour, linewidth=4)
    ax.plot(x, middle, "o", color="white", markeredgecolor=colour, markersize=4, markeredgewidth=1)


def _angle(ax: Axes, x: ndarray, rows: pd.DataFrame, colour: str) -> None:
    degrees = np.degrees(rows["angle"].to_numpy(float))
    ax.vlines(x, 0, degrees, color=colour, linewidth=1)
    ax.plot(x, degrees, "o", color=colour, markersize=4)


def _lengths(ax: Axes, x: ndarray, rows: pd.DataFrame, colour: str) -> None:
    for name, (offset, marker, filled) in _LENGTHS.items():
        ax.plot(x + offset, rows[name], marker, **_dot(colour, filled))


def _dot(colour: str, filled: bool) -> dict[str, Any]:
    return {"color": colour if filled else "white", "markeredgecolor": colour, "markersize": 3.8}


def _frame_moves(panels: Sequence[Axes], moves: pd.DataFrame) -> None:
    """Scales, names of the axes and legends."""
    zoom, angle, way = panels
    factors = moves[[f"zoom_{q:02d}" for q in QUANTILES]].to_numpy(float)
    reach = 1.1 * max([0.25, *np.abs(np.log2(factors[factors > 0]))])
    if reach > 1:
        zoom.set_yscale("log", base=2)
        zoom.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    zoom.set_ylim(2.0**-reach, 2.0**reach)
    zoom.axhline(1, color=style.FAINT, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    zoom.set_ylabel("zoom\n(factor)")
    angle.set_ylim(0, max(10, 1.15 * float(np.degrees(moves["angle"].max()))))
    angle.set_ylabel("rotation\n(degrees)")
    lengths = moves[list(_LENGTHS)].to_numpy(float)
    most = max([0.1, *lengths[np.isfinite(lengths)]])
    way.set_ylim(-0.05 * most, 1.15 * most)
    way.set_ylabel("length\n(relative)")
    for name, (_, marker, filled) in _LENGTHS.items():
        way.plot([], [], marker, **_dot(style.INK, filled), label=name)
    _explain(zoom)
    _explain(way)
