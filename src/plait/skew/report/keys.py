"""What explains maps below them: the colours with their values, and the signs."""

from collections.abc import Mapping
from textwrap import fill as wrapped
from typing import Any

from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from plait.drawing import style
from plait.skew.report.panels import LEFT, LETTER, add_axes

_BAR = 0.1  # inches of its height

_LINE: dict[str, Any] = {"linestyle": "none", "markeredgecolor": style.INK}
SIGNS = {
    "hatched": Patch(facecolor="white", edgecolor="#888888", hatch="\\\\\\\\\\", linewidth=0),
    "framed": Patch(facecolor="none", edgecolor=style.INK, linewidth=1.5),
    "star": Line2D([], [], marker="*", markersize=10, color=style.YELLOW, markeredgewidth=0.7, **_LINE),
    "dotted": Line2D([], [], color=style.INK, linewidth=0.9, linestyle=(0, (1, 2))),
}
"""How the signs of maps look."""


def add_colours(
    figure: Figure, colours: ScalarMappable, label: str, top: float, place: tuple[float, float] | None = None
) -> None:
    """A level bar of colours.

    Args:
        figure: Where it goes.
        colours: Colours and values.
        label: What the values are.
        top: Inches of its upper edge above the lower edge of the figure.
        place: Inches of its left edge and of the room from there; None is the width of the figure.
    """
    left, room = place or (LEFT, figure.get_size_inches()[0] - LEFT - 0.1)
    ax = add_axes(figure, left, top - _BAR, min(room - 0.15, 3.6), _BAR)
    bar = figure.colorbar(colours, cax=ax, orientation="horizontal")
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(5)
    bar.set_label(wrapped(label, max(int(room / LETTER), 20)), size=style.FONT, color=style.INK, loc="left")
    ax.tick_params(labelsize=style.FONT, length=0, colors=style.INK)


def add_signs(figure: Figure, signs: Mapping[str, str], chosen: bool) -> None:
    """A legend at the lower edge of the figure.

    Args:
        figure: Where it goes.
        signs: What each means, by name; "star" is left out if nothing is chosen.
        chosen: Whether anything is.
    """
    told = {name: text for name, text in signs.items() if chosen or name != "star"}
    figure.legend(
        [SIGNS[name] for name in told], list(told.values()), loc="lower left", ncols=2,
        bbox_to_anchor=(LEFT / figure.get_size_inches()[0], 0.0), borderaxespad=0.4, borderpad=0, frameon=False,
        fontsize=style.FONT, labelcolor=style.INK, handletextpad=0.5, columnspacing=1.2, handlelength=1.6,
    )  # fmt: skip
