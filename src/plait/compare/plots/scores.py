"""Scores of all methods with their intervals, the best on top."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plait.compare.layout import metric_title, smaller_is_better
from plait.drawing import style
from plait.drawing.numbers import shown

_FAR = 2.0
"""How many times its width the axis may grow before what is far below the rest gets an arrow instead."""


def plot_scores(scores: pd.DataFrame, metric: str, ax: Axes | None = None) -> Axes:
    """Draw one row a method: a dot at its score, a whisker for its 95 % interval, the best on top.

    Colour and marker tell baselines, single modalities and fusion apart; a dashed line stands at the best single
    modality. The axis spans the fusions and the best single modality; whatever lies far outside is an arrow at the
    edge with its value. Methods without a score stand last and are called failed.

    Args:
        scores: The table of scores: columns method, kind, metric, mean, low and high.
        metric: Which metric to draw.
        ax: Where to draw; None is a new figure, as high as the methods need, that belongs to no window.

    Returns:
        The Axes.

    Raises:
        ValueError: If the table has no row of this metric, or lacks columns.
    """
    style.check_table(scores, ("method", "kind", "metric", "mean", "low", "high"), "a table of scores")
    rows = scores[scores["metric"] == metric]
    if not len(rows):
        known = ", ".join(map(str, scores["metric"].dropna().unique()))
        raise ValueError(f"Expected a metric of the table of scores, one of {known}; got {metric!r}.")
    smaller = smaller_is_better(metric)
    rows = rows.sort_values("mean", ascending=smaller, kind="stable", na_position="last").reset_index(drop=True)
    ax = style.new_axes(0.75 + 0.2 * max(len(rows), 3)) if ax is None else ax
    style.name_rows(ax, rows["method"].tolist())
    low, high = _window(rows)
    inside = rows["mean"].between(low, high)
    _draw_kinds(ax, rows[inside])
    _draw_outside(ax, rows[~inside], low)
    ax.set_xlim(low, high)
    if ax.get_legend_handles_labels()[0]:
        style.add_legend(ax, "above", 4)
    ax.set_xlabel(f"{metric_title(metric)}; {'smaller' if smaller else 'greater'} is better")
    style.quiet(ax, "x", style.letter_size(ax, len(rows)))
    return ax


def _draw_kinds(ax: Axes, rows: pd.DataFrame) -> None:
    """Dots and whiskers by kind, and the line at the first, so the best, single modality."""
    for kind, (label, colour, marker) in style.KINDS.items():
        those = rows[rows["kind"] == kind]
        if len(those):
            mean, low, high = (those[name].to_numpy(float) for name in ("mean", "low", "high"))
            ax.errorbar(
                mean, those.index, xerr=style.whiskers(mean, low, high), fmt=marker, markersize=4.5, color=colour,
                elinewidth=1.2, label=label,
            )  # fmt: skip
        if len(those) and kind == "single":
            ax.axvline(mean[0], color=style.YELLOW, linewidth=1, linestyle=(0, (4, 2)), zorder=1)


def _draw_outside(ax: Axes, rows: pd.DataFrame, low: float) -> None:
    """A marker at the edge with an arrow to the value beyond it, or the word that there is none."""
    where = ax.get_yaxis_transform()
    for row, kind, value in zip(rows.index, rows["kind"], rows["mean"], strict=True):
        above = value > low  # the window, too
        text = "failed" if np.isnan(value) else f"{shown(value)} →" if above else f"← {shown(value)}"
        ax.text(
            0.96 if above else 0.04, row, text, transform=where, size=0.9 * style.FONT, color=style.FAINT,
            ha="right" if above else "left", va="center_baseline",
        )  # fmt: skip
        if not np.isnan(value):
            label, colour, marker = style.KINDS[kind]
            label = "" if label in ax.get_legend_handles_labels()[1] else label
            ax.plot(
                0.98 if above else 0.02, row, marker, transform=where, markersize=4.5, color=colour, label=label,
            )  # fmt: skip


def _window(rows: pd.DataFrame) -> tuple[float, float]:
    """What the axis spans: all, or the fusions and the best single modality if the rest would squeeze them."""
    near = rows[(rows["kind"] == "fusion") | (rows.index == rows.index[rows["kind"] == "single"].min())]
    full, narrow = _span(rows), _span(near)
    squeezed = np.isfinite(narrow[1]) and full[1] - full[0] > _FAR * (narrow[1] - narrow[0])
    low, high = narrow if squeezed else full
    if not np.isfinite(high - low):
        return 0.0, 1.0
    pad, arrows = (share * (high - low) or 0.01 for share in (0.06, 0.2))
    below, above = (rows["mean"] < low - pad).any(), (rows["mean"] > high + pad).any()
    return low - (arrows if below else pad), high + (arrows if above else pad)


def _span(rows: pd.DataFrame) -> tuple[float, float]:
    values = rows[["mean", "low", "high"]].to_numpy(float)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (float("nan"), float("nan"))
