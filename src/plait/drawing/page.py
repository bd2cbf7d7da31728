"""What pages are made of: pictures with captions, tables of text, and the templates that lay them out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plait.drawing.vector import svg


@dataclass(frozen=True)
class Picture:
    """A picture with what is said about it.

    Args:
        section: Where it stands.
        drawing: The picture.
        caption: What it shows and how to read it.
        folded: Whether it is folded away until it is asked for.
        wide: Whether it needs more than half the page, and scrolls in its box on a narrow one.
        flag: A warning that goes before the caption, in few words.
    """

    section: str
    drawing: Axes | Figure
    caption: str
    folded: bool = False
    wide: bool = False
    flag: str = ""


@dataclass(frozen=True)
class Table:
    """A table of text.

    Args:
        caption: What it shows.
        columns: Headings.
        rows: Text by row; the first column names the row.
        words: The columns of words, which may be broken into lines; the others are numbers.
        protocol: Whether what is said of all tables of the page holds for this one.
        folded: Whether it is folded away until it is asked for.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[str] = ()
    protocol: bool = True
    folded: bool = False


Drawn = tuple[Picture, Markup]
"""A picture with its element of the page."""


def by_section(pictures: Iterable[Picture]) -> dict[str, tuple[list[Drawn], list[Drawn]]]:
    """By section the pictures that are open, and those that are folded."""
    found: dict[str, tuple[list[Drawn], list[Drawn]]] = {}
    for place, picture in enumerate(pictures, 1):
        element = Markup(svg(picture.drawing, f"picture{place}", picture.caption))  # noqa: S704 (svg escapes)
        found.setdefault(picture.section, ([], []))[int(picture.folded)].append((picture, element))
    return found


def templates(package: str) -> Environment:
    """The templates of a package and those that all pages share: page.css, and the parts of parts.html.

    Whatever is put into a page is escaped, and what is not there is an error.

    Args:
        package: Dotted name of a package with a folder `templates`.
    """
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("plait.drawing")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
