"""A picture as text, to be put into a page: searchable, deterministic, with ids of its own."""

import re
from hashlib import sha256
from io import StringIO
from typing import Any

import matplotlib as mpl
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Sizes are measured in DejaVu Sans, which comes with matplotlib and is wider than what others fall back on.
_LETTERS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "plait",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_STYLE = re.compile(r"<defs>\s*<style type=\"text/css\">[^<]*</style>\s*</defs>\s*")
_IDS = re.compile(r"(\bid=\"|url\(#|href=\"#)")


def svg(drawing: Axes | Figure, name: str = "", label: str = "") -> str:
    """A figure, or the figure of some Axes, as an inline SVG element.

    Letters are text, so that they scale and can be searched. The same picture always gives the same text: there is
    no date and no random id.

    Args:
        drawing: The picture, as the plot functions return it.
        name: Goes before every id, so that pictures do not clash in one page; "" derives it from the picture.
        label: What the picture shows, for those who cannot see it.

    Returns:
        The element `<svg>...</svg>`, without the prolog of a file.
    """
    figure = drawing if isinstance(drawing, Figure) else drawing.figure.figure
    buffer = StringIO()
    with mpl.rc_context(_LETTERS):
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    text = buffer.getvalue()
    text = _STYLE.sub("", text[text.index("<svg ") :]).strip()
    name = name or f"p{sha256(text.encode()).hexdigest()[:8]}"
    text = _IDS.sub(rf"\g<1>{name}-", text)
    opening = f'<svg role="img" aria-label="{escape(label)}" style="stroke-linejoin: round; stroke-linecap: butt" '
    return opening + text.removeprefix("<svg ")
