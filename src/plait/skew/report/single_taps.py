"""What single taps are worth, in line with the rows and columns of a map."""

from textwrap import fill as wrapped

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from plait.drawing import style
from plait.skew.findings import Findings
from plait.skew.report.panels import Panels
from plait.skew.report.reading import fact, metric_title, percent

_SMALL = 0.85 * style.FONT


def draw_single_taps(panels: Panels, findings: Findings) -> None:
    """Scores of the taps of the columns above a map and of those of the rows beside it, on one scale.

    The dashed line is the best of all taps, which has a filled dot.
    """
    limits = _limits(findings.taps)
    first, second = (findings.taps[findings.taps["modality"] == name].sort_values("tap") for name in panels.edge)
    best = float(findings.taps["score"].max())
    _draw(panels.above, second, best)
    panels.above.set_ylim(*limits)
    panels.above.yaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2))
    panels.above.set_xticks([])
    _draw(panels.beside, first, best, level=True)
    panels.beside.set_xlim(*limits)
    panels.beside.xaxis.set_major_locator(MaxNLocator(2, min_n_ticks=2))
    panels.beside.set_yticks([])
    style.quiet(panels.above, "y", _SMALL)
    style.quiet(panels.beside, "x", _SMALL)
    said = f"each tap alone: {metric_title(findings)}, {percent(fact(findings, 'level'))} interval"
    panels.above.annotate(
        wrapped(said, 15), (1, 1), (8, 0), xycoords="axes fraction", textcoords="offset points", ha="left", va="top",
        size=_SMALL, color=style.FAINT, annotation_clip=False,
    )  # fmt: skip


def _draw(ax: Axes, taps: pd.DataFrame, best: float, *, level: bool = False) -> None:
    """A curve with whiskers; `level` turns it, so that scores go to the right."""
    places = taps["tap"].to_numpy(float) - 0.5
    score, low, high = (taps[name].to_numpy(float) for name in ("score", "low", "high"))
    ends = style.whiskers(score, low, high)
    x, y, along, up = (score, places, ends, None) if level else (places, score, None, ends)
    ax.errorbar(x, y, xerr=along, yerr=up, fmt="-", color=style.BLUE, linewidth=1.0, elinewidth=0.9)
    filled = [style.BLUE if value == best else "white" for value in score]
    ax.scatter(x, y, s=13, c=filled, edgecolors=style.BLUE, linewidths=0.9, zorder=3)
    (ax.axvline if level else ax.axhline)(best, color=style.FAINT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)


def _limits(taps: pd.DataFrame) -> tuple[float, float]:
    known = taps[["score", "low", "high"]].to_numpy(float)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    pad = 0.08 * (high - low) or 0.01
    return low - pad, high + pad
