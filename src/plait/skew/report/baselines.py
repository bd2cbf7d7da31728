"""The choice beside everything that it has to beat."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plait.drawing import style
from plait.skew.findings import Findings
from plait.skew.report import reading

_SINGLE = ("best tap of ", "mix of all taps of ", "two taps of ")
_LOOKS = {
    "choice": ("the choice", style.BLUE, "*", 8.0),
    "fusion": ("other fusions", style.BLUE, "o", 4.0),
    "single": ("one modality", style.YELLOW, "D", 4.0),
}


@style.plain_letters
def plot_baselines(findings: Findings, *, tested: bool = False) -> Figure:
    """Draw one row a baseline, the choice on top and then from the best, each with its interval.

    At the left are the scores, at the right how much better the choice is, on the same draws: an interval to the right
    of 0 is an advantage of the choice.

    Args:
        findings: What a search came to.
        tested: Whether to draw the scores on the test rows, which chose nothing, instead of those on held-out rows.

    Returns:
        The figure, which belongs to no window.

    Raises:
        ValueError: If there is nothing to draw, as without test rows.
    """
    table = findings.tested if tested else findings.baselines
    style.check_table(table, ("name", "score", "difference"), "a table of baselines")
    rows = _ordered(table)
    width = style.label_width(rows["name"]) + 4.2
    figure = Figure(figsize=(width, 0.75 + 0.2 * len(rows)), dpi=150, layout="constrained")
    scores, ahead = figure.subplots(1, 2, sharey=True)
    style.name_rows(scores, rows["name"].tolist())
    for row in range(0, len(rows), 2):
        ahead.axhspan(row - 0.5, row + 0.5, color=style.BAND, linewidth=0, zorder=0)
    _draw(scores, rows, ("score", "low", "high"))
    _draw(ahead, rows[rows["name"] != "chosen"], ("difference", "difference_low", "difference_high"))
    ahead.axvline(0, color=style.FAINT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    scores.set_xlabel(reading.metric_title(findings))
    ahead.set_xlabel("the choice minus this")
    for ax in (scores, ahead):
        ax.xaxis.set_major_locator(MaxNLocator(5))
        style.quiet(ax, "x")
    style.add_legend(ahead, "above", 3)
    return figure


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """The choice, then from the best score; with the kind of each."""
    kind = [
        "choice" if name == "chosen" else "single" if name.startswith(_SINGLE) else "fusion" for name in table["name"]
    ]
    table = table.assign(kind=kind, last=table["name"] != "chosen")
    return table.sort_values(["last", "score"], ascending=[True, False], kind="stable", ignore_index=True)


def _draw(ax: Axes, rows: pd.DataFrame, columns: tuple[str, str, str]) -> None:
    """Dots and whiskers by kind."""
    for kind, (label, colour, marker, size) in _LOOKS.items():
        those = rows[rows["kind"] == kind]
        if len(those):
            value, low, high = (those[name].to_numpy(float) for name in columns)
            ax.errorbar(
                value, those.index, xerr=style.whiskers(value, low, high), fmt=marker, markersize=size, color=colour,
                elinewidth=1.2, label=label,
            )  # fmt: skip
