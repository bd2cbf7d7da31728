"""Critical differences: which methods can be told apart by their ranks over data sets."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import pandas as pd
from matplotlib.axes import Axes

from plait.drawing import style


@runtime_checkable
class MeanRanks(Protocol):
    """Mean ranks of methods, their critical difference, and the groups that cannot be told apart."""

    @property
    def mean_ranks(self) -> "pd.Series[float]":
        """Mean rank of every method over data sets; 1 is the best."""

    @property
    def cd(self) -> float:
        """Ranks that are closer than this cannot be told apart."""

    @property
    def groups(self) -> Sequence[tuple[str, ...]]:
        """Methods that cannot be told apart."""


def plot_critical_difference(ranks: MeanRanks, ax: Axes | None = None) -> Axes:
    """Draw one row a method at its mean rank, the best on top; a bar at the right joins what cannot be told apart.

    The information is that of Demsar's diagram (Journal of Machine Learning Research 7, 2006), in rows, so that
    many methods with long names stay legible. The length of the critical difference stands above the best method.

    Args:
        ranks: Mean ranks, critical difference and groups, as `critical_difference` gives them.
        ax: Where to draw; None is a new figure, as high as the methods need, that belongs to no window.

    Returns:
        The Axes.

    Raises:
        ValueError: If there is no method.
    """
    means = ranks.mean_ranks.sort_values(kind="stable")
    if not len(means):
        raise ValueError("Expected mean ranks of at least one method; got none.")
    ax = style.new_axes(0.85 + 0.2 * max(len(means), 3)) if ax is None else ax
    style.name_rows(ax, means.index.tolist())
    ax.scatter(means, range(len(means)), s=22, color=style.BLUE, zorder=3)
    for row, rank in enumerate(means.tolist()):
        ax.hlines(row, 1, rank, color=style.FAINT, linewidth=0.8, zorder=2)
    _draw_groups(ax, means.index.tolist(), ranks.groups)
    _draw_length(ax, ranks.cd)
    right = max(float(means.max()), 1 + ranks.cd, 2.0)
    ax.set_xlim(1 - 0.04 * (right - 1), right + 0.04 * (right - 1))
    ax.set_xlabel("mean rank over data sets (1 is the best)")
    style.quiet(ax, "x", style.letter_size(ax, len(means)))
    return ax


def _draw_groups(ax: Axes, order: Sequence[str], groups: Sequence[tuple[str, ...]]) -> None:
    """Vertical bars beside the rows, one a group, in as few columns as keep them apart."""
    spans = sorted((min(map(order.index, group)), max(map(order.index, group))) for group in groups if len(group) > 1)
    ends: list[int] = []
    for first, last in spans:
        column = next((place for place, end in enumerate(ends) if end < first), len(ends))
        ends[column : column + 1] = [last]
        ax.plot(
            [1.03 + 0.035 * column] * 2, [first - 0.25, last + 0.25], transform=ax.get_yaxis_transform(),
            color=style.INK, linewidth=3, solid_capstyle="butt", clip_on=False,
        )  # fmt: skip


def _draw_length(ax: Axes, length: float) -> None:
    """The critical difference as a measure, from rank 1, above the rows."""
    where = ax.get_xaxis_transform()
    ax.annotate(
        "", (1, 1.0), (1 + length, 1.0), xycoords=where, textcoords=where,
        arrowprops={"arrowstyle": "|-|, widthA=0.25, widthB=0.25", "color": style.RED, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
    ax.annotate(
        f"critical difference {length:.2f}", (1, 1.0), (0, 5), xycoords=where, textcoords="offset points",
        size=style.FONT, color=style.RED, va="bottom",
    )  # fmt: skip
