"""What each modality is worth: alone, added to the others, and on average over all ways of adding it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from plait.compare.layout import metric_title
from plait.drawing import style

_SHARES = {"alone": "alone", "gain": "gain when\nadded last", "shapley": "Shapley\nvalue"}


def plot_ledger(ledger: pd.DataFrame, metric: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw three panels of bars, one bar a modality with its 95 % interval: alone, marginal gain, Shapley value.

    "Alone" is the score of the modality by itself, "gain" is what all modalities lose without it, and the Shapley value
    its mean gain over all orders of adding modalities. All are in units of the metric; each panel has its scale.

    Args:
        ledger: Columns modality, metric, and each of alone, gain and shapley with its `_low` and `_high`.
        metric: Which metric to draw; None if the table has one only.
        ax: Where to draw; None is a new figure that belongs to no window. The panels share its area.

    Returns:
        The Axes; its `child_axes` are the panels "alone", "gain" and "shapley".

    Raises:
        ValueError: If the table is empty, lacks columns, or does not say which metric is meant.
    """
    bounds = [f"{name}{end}" for name in _SHARES for end in ("", "_low", "_high")]
    style.check_table(ledger, ("modality", "metric", *bounds), "a modality ledger")
    metrics = ledger["metric"].unique().tolist()
    metric = metrics[0] if metric is None and len(metrics) == 1 else metric
    if metric not in metrics:
        raise ValueError(f"Expected one of the metrics of the ledger, {', '.join(metrics)}; got {metric!r}.")
    rows = ledger[ledger["metric"] == metric]
    ax = style.new_axes(0.95 + 0.28 * max(len(rows), 2)) if ax is None else ax
    ax.set_axis_off()
    for place, name in enumerate(_SHARES):
        panel = ax.inset_axes((place * 0.36, 0, 0.28, 1), label=name)
        _draw_bars(panel, rows, name)
        style.quiet(panel, "x", style.letter_size(ax, len(rows)))
        panel.set_title(_SHARES[name], size=style.FONT, color=style.INK, loc="left")
        if place:
            panel.set_yticklabels([])
    ax.child_axes[1].set_xlabel(f"{metric_title(str(metric))}; whiskers are 95 % intervals")
    return ax


def _draw_bars(panel: Axes, rows: pd.DataFrame, name: str) -> None:
    mean, low, high = (rows[f"{name}{end}"].to_numpy(float) for end in ("", "_low", "_high"))
    style.name_rows(panel, rows["modality"].tolist())
    panel.barh(
        np.arange(len(rows)), mean, 0.6, xerr=style.whiskers(mean, low, high), color=style.BLUE if name != "alone" else
        style.YELLOW, error_kw={"ecolor": style.INK, "elinewidth": 1},
    )  # fmt: skip
    panel.axvline(0, color=style.INK, linewidth=0.8)
    panel.xaxis.set_major_locator(MaxNLocator(3))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
