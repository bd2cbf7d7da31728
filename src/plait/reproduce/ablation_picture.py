"""The picture of the ablation: a row an arm, a panel of all sets together and one a set, ratios with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from plait.drawing import style
from plait.reproduce.ablation_sets import SIMULATED
from plait.reproduce.ablation_table import ALL, HARMS, HELPS, NEITHER, RATIO, ablation_table
from plait.reproduce.tables import ONE_SEED

_LOOKS: Mapping[str, tuple[str, str, str]] = {
    HELPS: ("the piece helps", style.BLUE, "o"),
    NEITHER: ("no difference seen", style.FAINT, "D"),
    HARMS: ("the piece harms", style.RED, "s"),
    ONE_SEED: ("one seed alone", style.FAINT, "x"),
}
"""Name in the legend, colour and marker of what is said of an arm."""
_TITLE = "What each piece of the default buys"
_LABEL = "loss without it over the default's: mean squared error (simulations), log loss (classes); 95 % intervals"
_HEADINGS: Mapping[str, str] = {ALL: "all sets", **{setting: f"simulation\n{setting}" for setting in SIMULATED}}
_TICKS = (1.02, 1.05, 1.1, 1.2)
_REACH = (float(np.log(1.03)), float(np.log(1.3)))
"""How far axes reach at least and at most, as logarithms; what lies beyond is a number with an arrow."""
_EDGE = 0.96  # share of the axis beyond which a dot would be cut
_DOT, _EDGES = 3.6, {"x": 1.0}  # points
_ROW, _PANEL, _FIRST, _GAP = 0.22, 0.82, 1.5, 0.15  # inches


def pictures(results: pd.DataFrame, _tables: Mapping[str, pd.DataFrame]) -> Mapping[str, Figure]:
    """One picture, "ablation", where an arm can be compared."""
    table = ablation_table(results)
    return {"ablation": plot_ablation(table)} if len(table) else {}


def plot_ablation(table: pd.DataFrame) -> Figure:
    """Draw ratios of losses with their intervals: one row an arm, a panel of all sets together, then one a set.

    Args:
        table: As `plait.reproduce.ablation_table.ablation_table` gives it.

    Returns:
        The figure, which belongs to no window.
    """
    rows = table[table["measure"] == RATIO]
    arms = rows.drop_duplicates("arm")
    groups = [ALL, *dict.fromkeys(rows["group"][rows["group"] != ALL])]
    beside = _GAP + sum(style.label_width(arms[column].tolist()) for column in ("piece", "instead"))
    widths = [_FIRST] + [_PANEL] * (len(groups) - 1)
    figure = Figure(figsize=(beside + sum(widths), 1.25 + _ROW * len(arms)), dpi=150, layout="constrained")
    figure.suptitle(_TITLE, size=1.2 * style.FONT, color=style.INK, x=0.01, ha="left")
    panels = figure.subplots(1, len(groups), width_ratios=widths, squeeze=False)[0]
    reach = _reach(rows)
    for ax, group in zip(panels, groups, strict=True):
        own = rows[rows["group"] == group].set_index("arm").reindex(arms["arm"])
        _panel(ax, own.reset_index(), arms["piece"].tolist(), reach)
        ax.set_title(_HEADINGS.get(group, group), size=style.FONT, color=style.INK)
    _name_rows(panels[0], arms, beside)
    _add_legend(figure, rows["buys"].tolist())
    return figure


def _reach(rows: pd.DataFrame) -> float:
    """Half the width of the axes, as a logarithm: the intervals of all sets together that fit into the largest."""
    whole = rows[rows["group"] == ALL]
    ends = 1.1 * np.abs(np.log(whole[["value", "low", "high"]].to_numpy(float)))
    return float(np.clip(ends[ends <= _REACH[1]].max(initial=0.0), *_REACH))


def _panel(ax: Axes, rows: pd.DataFrame, pieces: Sequence[str], reach: float) -> None:
    """Dots with whiskers at their places, on bands that hold a piece together."""
    ax.set_xscale("log")
    ax.set_xlim(np.exp(-reach), np.exp(reach))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    order = list(dict.fromkeys(pieces))
    for place, piece in enumerate(pieces):
        if order.index(piece) % 2 == 0:
            ax.axhspan(place - 0.5, place + 0.5, color=style.BAND, linewidth=0, zorder=0)
    ax.axvline(1, color=style.FAINT, linewidth=0.8, zorder=1)
    for place in range(len(rows)):
        _draw(ax, place, rows.iloc[place], reach)
    tick = max(tick for tick in _TICKS if np.log(tick) <= reach)
    ax.set_xticks([1 / tick, 1, tick], [f"{1 / tick:.2g}", "1", f"{tick:g}"])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks([])
    style.quiet(ax, "x", 0.9 * style.FONT)


def _draw(ax: Axes, place: int, row: "pd.Series[Any]", reach: float) -> None:
    """A dot with its whisker; a number with an arrow, where it lies beyond the axis; nothing where there is none."""
    value = row["value"]
    if np.isnan(value):
        return
    _, colour, marker = _LOOKS[row["buys"]]
    if abs(np.log(value)) > _EDGE * reach:
        said = f"{value:.2f}" if value < 10 else f"{value:.0f}"
        text, side, x = (f"{said} →", "right", 0.97) if value > 1 else (f"← {said}", "left", 0.03)
        look: dict[str, Any] = {"size": 0.85 * style.FONT, "color": colour, "ha": side, "va": "center_baseline"}
        ax.text(x, place, text, transform=ax.get_yaxis_transform(), **look)
        return
    low, high = (np.nan_to_num(row[end], nan=value) for end in ("low", "high"))
    ax.plot([low, high], [place, place], color=colour, linewidth=1.2, solid_capstyle="butt")
    ax.plot(value, place, marker, color=colour, markersize=_DOT, markeredgewidth=_EDGES.get(marker, 0.0))


def _name_rows(ax: Axes, arms: pd.DataFrame, width: float) -> None:
    """What stands instead beside each row, and the piece at the left of the first of its rows; headings on top."""
    ax.set_yticks(range(len(arms)), [style.short(name) for name in arms["instead"]])
    where, first = ax.get_yaxis_transform(), ~arms["piece"].duplicated().to_numpy()
    for place in np.flatnonzero(first).tolist():
        ax.annotate(
            arms["piece"].iloc[place], (0, place), (-72 * width, 0), where, "offset points", ha="left",
            va="center_baseline", size=style.FONT, color=style.INK, fontweight="bold",
        )  # fmt: skip
    for text, left, side in (("piece", width, "left"), ("in its place", 0.04, "right")):
        ax.annotate(
            text, (0, 1), (-72 * left, 6), "axes fraction", "offset points", ha=side, size=style.FONT,
            color=style.FAINT,
        )  # fmt: skip


def _add_legend(figure: Figure, said: Sequence[str]) -> None:
    """What the axes are, and the looks of what is said."""
    looks = [look for words, look in _LOOKS.items() if words in said]
    marks = [
        Line2D([], [], color=colour, marker=marker, markersize=_DOT, linewidth=1.2 * (marker != "x"))
        for _, colour, marker in looks
    ]
    figure.legend(
        marks, [name for name, _, _ in looks], loc="outside lower center", ncols=3, fontsize=style.FONT,
        labelcolor=style.INK, frameon=False, handletextpad=0.5, columnspacing=1.6, title=_LABEL,
        title_fontsize=style.FONT,
    )  # fmt: skip
