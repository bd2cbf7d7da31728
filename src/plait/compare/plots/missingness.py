"""Which modalities the samples have."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from plait.data.modalities import Modalities
from plait.drawing import style

_MOST_PATTERNS = 12


def plot_missingness(modalities: Modalities | pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the patterns of availability (after UpSet plots): a bar of samples above the dots of present modalities.

    The most frequent pattern stands first; those after the twelfth are summed up in the label. Beside the names stands
    the share of samples that have the modality.

    Args:
        modalities: The samples, or a table of presence: one row a sample, one boolean column a modality.
        ax: Where to draw; None is a new figure that belongs to no window. The panels share its area.

    Returns:
        The Axes; its `child_axes` are the panels "samples" and "present".

    Raises:
        ValueError: If there is no sample or no modality.
    """
    present = _presence(modalities)
    if not present.size:
        raise ValueError("Expected the presence of at least one modality in at least one sample; got none.")
    patterns, counts = np.unique(present.to_numpy(bool), axis=0, return_counts=True)
    order = np.lexsort((-patterns.sum(1), -counts))
    patterns, counts = patterns[order], counts[order]
    names = [f"{style.short(name)} ({share:.0%})" for name, share in present.mean().items()]
    ax = style.new_axes(1.75 + 0.22 * len(names)) if ax is None else ax
    ax.set_axis_off()
    dots = len(names) * 0.22 / (len(names) * 0.22 + 1.0)
    _draw_counts(ax.inset_axes((0, dots + 0.04, 1, 0.96 - dots), label="samples"), counts)
    _draw_dots(ax.inset_axes((0, 0, 1, dots), label="present"), patterns[:_MOST_PATTERNS], names, len(counts))
    return ax


def _presence(modalities: Modalities | pd.DataFrame) -> pd.DataFrame:
    if isinstance(modalities, Modalities):
        return pd.DataFrame(modalities.present, columns=list(modalities.names))
    return modalities


def _draw_counts(panel: Axes, counts: np.ndarray) -> None:
    shown = counts[:_MOST_PATTERNS]
    panel.bar(range(len(shown)), shown, 0.6, color=style.BLUE)
    for place, count in enumerate(shown.tolist()):
        panel.text(
            place, count, f"{count}\n", size=style.FONT, color=style.INK, ha="center", va="center", linespacing=2
        )
    panel.set_xlim(-0.6, max(len(shown), 5) - 0.4)
    panel.set_ylim(0, 1.12 * shown.max())
    panel.set_xticks([])
    panel.set_ylabel("samples")
    style.quiet(panel, "y")


def _draw_dots(panel: Axes, patterns: np.ndarray, names: list[str], count: int) -> None:
    style.name_rows(panel, names)
    panel.set_yticks(range(len(names)), names)
    places, rows = np.nonzero(np.ones_like(patterns))
    panel.scatter(places, rows, s=26, color=style.LINE, linewidths=0, zorder=2)
    for place, pattern in enumerate(patterns):
        there = np.flatnonzero(pattern)
        panel.plot([place] * len(there), there, "o-", color=style.INK, markersize=5, linewidth=1.2, zorder=3)
    panel.set_xlim(-0.6, max(len(patterns), 5) - 0.4)
    panel.set_xticks([])
    rest = f"; {count - len(patterns)} rarer patterns are left out" if count > len(patterns) else ""
    panel.set_xlabel(f"patterns of present modalities{rest}")
    style.quiet(panel, None, style.FONT)
