"""How the validation loss depends on rho, and which rho was chosen."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plait.drawing import style

_TICKS = 10


def plot_rho(rhos: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the loss at every value of rho with its band, and a star at the chosen one.

    The values of rho are evenly spaced in their order, since they often start with 0 and then grow by factors.

    Args:
        rhos: Columns rho, loss, low and high (NaN where not known), and chosen (boolean).
        ax: Where to draw; None is a new figure that belongs to no window.

    Returns:
        The Axes.

    Raises:
        ValueError: If the table is empty or lacks columns.
    """
    style.check_table(rhos, ("rho", "loss", "low", "high", "chosen"), "a path of rho")
    rhos = rhos.sort_values("rho", kind="stable")
    ax = style.new_axes(2.4) if ax is None else ax
    places, loss = np.arange(len(rhos)), rhos["loss"].to_numpy(float)
    ax.fill_between(places, rhos["low"].to_numpy(float), rhos["high"].to_numpy(float), color="#DCE6F1", linewidth=0)
    ax.plot(places, loss, "o-", color=style.BLUE, markersize=4, linewidth=1.2)
    for place in np.flatnonzero(rhos["chosen"].to_numpy(bool)).tolist():
        label = f"chosen: rho = {rhos['rho'].iloc[place]:g}"
        ax.axvline(place, color=style.LINE, linewidth=1, zorder=0)
        ax.plot(place, loss[place], "*", color=style.RED, markersize=10, linestyle="none", label=label)
    shown = places[:: -(-len(places) // _TICKS)]
    ax.set_xticks(shown, [f"{rhos['rho'].iloc[place]:g}" for place in shown])
    ax.set_xlabel("rho (strength of mutual learning; 0 is none)")
    ax.set_ylabel("validation loss")
    ax.margins(x=0.05, y=0.12)
    style.quiet(ax, "y")
    if rhos["chosen"].any():
        style.add_legend(ax, "above")
    return ax
