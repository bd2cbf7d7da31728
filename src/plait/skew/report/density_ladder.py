"""Whether fewer pairs are enough: the score of sets of more and more pairs."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from plait.drawing import style
from plait.skew.findings import Findings
from plait.skew.report import reading

_LOOKS = {
    "greedy": ("built pair by pair", style.BLUE, "o-", -0.08),
    "window": ("window of one skewness", style.YELLOW, "s-", 0.08),
    "pairwise": ("pairwise: all equal depths", style.RED, "D", 0.0),
    "late": ("late: last taps", style.FAINT, "^", 0.24),
}
"""By kind of set: name, colour, marker, and how far it is moved aside."""
_ALL = 14
"""Numbers of pairs up to which each has its tick."""


@style.plain_letters
def plot_density_ladder(findings: Findings, operator: str | None = None) -> Figure:
    """Draw the score of sets of pairs against their number, with intervals; a star is the choice.

    If the curves fall, sparser is better; the dashed line is the best single tap. Windows, late and pairwise fusion
    are of the operator of the search alone.

    Args:
        findings: What a search came to.
        operator: How pairs are joined; None is the chosen operator, or that of the best pair.

    Returns:
        The figure, which belongs to no window.

    Raises:
        ValueError: If no set was searched by this operator.
    """
    operator = reading.operator_of(findings, operator)
    sets = findings.sets[findings.sets["operator"] == operator]
    ax = style.new_axes(2.9)
    for kind in _LOOKS:
        rows = sets[sets["kind"] == kind].sort_values("size")
        if len(rows):
            _draw(ax, rows, kind)
    largest = int(sets["size"].max())
    best = float(findings.taps["score"].max())
    ax.axhline(best, color=style.FAINT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1, label="best single tap")
    _draw_choice(ax, sets[sets["chosen"].to_numpy(bool)])
    ax.set_xlabel(f"pairs joined at once, by {operator}")
    ax.set_ylabel(reading.metric_title(findings))
    ax.set_xlim(0.4, largest + 0.6)
    ax.xaxis.set_major_locator(FixedLocator(range(1, largest + 1)) if largest <= _ALL else MaxNLocator(9, integer=True))
    ax.margins(y=0.08)
    style.quiet(ax, "y")
    style.add_legend(ax, "above", 2)
    return ax.figure.figure


def _draw(ax: Axes, rows: pd.DataFrame, kind: str) -> None:
    label, colour, look, aside = _LOOKS[kind]
    score, low, high = (rows[name].to_numpy(float) for name in ("score", "low", "high"))
    ax.errorbar(
        rows["size"].to_numpy(float) + aside, score, yerr=style.whiskers(score, low, high), fmt=look, color=colour,
        markersize=4, linewidth=1.1, elinewidth=1.0, label=label,
    )  # fmt: skip


def _draw_choice(ax: Axes, rows: pd.DataFrame) -> None:
    """One star, even where several rows are the same set."""
    for row in rows.head(1).to_dict("records"):
        aside = _LOOKS[row["kind"]][3]
        ax.plot(
            row["size"] + aside, row["score"], "*", markersize=11, color=style.YELLOW, markeredgecolor=style.INK,
            markeredgewidth=0.7, label="chosen", zorder=4,
        )  # fmt: skip
