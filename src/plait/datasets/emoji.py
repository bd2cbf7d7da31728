"""Emoji: two pictures and a name each, by category."""

from typing import Literal, overload

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.datasets._fetch import Arrays, Folder
from plait.datasets._prepared import archive, prepared, table
from plait.datasets._published import published
from plait.datasets.splits import Split

DESCR = """Emoji: pictures by two designers and the name of each emoji, by category.

1906 emoji of Unicode; modalities twitter and google, a picture of 32 x 32 pixels each (three colours on white, 0 to
1), and name, a text such as "grinning face". Target: nine categories. 270 are flags, whose names begin with "flag":
they are left out unless asked for, which leaves 1636 emoji of eight categories.

Source: emoji-datasource-twitter and emoji-datasource-google 16.0.0 of npm (github.com/iamcal/emoji-data), cut out of
the sheets of 32 pixels. Licence: Twemoji graphics CC BY 4.0 (Twitter and jdecked), Noto graphics Apache-2.0 (Google),
names and categories MIT.
Citation: Cal Henderson, emoji-data, github.com/iamcal/emoji-data.
Split: none is published; `split` is ours, 30 % for testing and a fifth of the rest for validation, by category.

Published numbers: none. Ours, for scale (random forests on 8 x 8 means of pixels and on character n-grams, with flags,
three random 70/30 splits), accuracy: twitter .664; google .695; name .645; all side by side .719; mean of
probabilities .761.
"""


@overload
def fetch_emoji(
    *,
    flags: bool = False,
    random_state: int = 0,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def fetch_emoji(
    *,
    flags: bool = False,
    random_state: int = 0,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[True],
) -> tuple[Modalities, NDArray[np.intp]]: ...
def fetch_emoji(
    *,
    flags: bool = False,
    random_state: int = 0,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Modalities, NDArray[np.intp]]:
    """Load the emoji: two pictures and a name each, eight categories.

    Args:
        flags: Keep the 270 flags, a ninth category that their names give away.
        random_state: Seed of the split.
        data_home: Folder to look in first (for emoji_image_text/images.npz and emoji.csv). Then come $PLAIT_DATA and
            the cache.
        download: As elsewhere, but no public place holds the prepared files: if they are not on this machine, True is
            an OSError that says where they come from.
        return_X_y: Return `(data, target)` alone.

    Returns:
        A Bunch with `data` (Modalities twitter and google, (3, 32, 32), and name, texts), `target`, `target_names`,
        `subcategory` (about a hundred, as text), `split` (rows for training, validation and testing; ours),
        `published` (empty) and `DESCR` (source, licence, citation).

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If they are not, and it is True.
        ValueError: If a file is damaged; the message names it.
    """
    images, names = (prepared(source, _ORIGIN, data_home, download) for source in SOURCES)
    kept = (names["category"] != "Flags") | flags
    target_names, target = np.unique(names["category"][kept], return_inverse=True)
    data = _modalities(images, names, kept)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=target_names,
        subcategory=names["subcategory"][kept],
        split=_split(target, random_state),
        DESCR=DESCR,
        published=published("", (), "", ""),
    )


def _modalities(images: Arrays, names: Arrays, kept: NDArray[np.bool_]) -> Modalities:
    pictures = {name: _pixels(images[name][kept]) for name in ("twitter", "google")}
    return Modalities({**pictures, "name": names["name"][kept].tolist()})


def _pixels(images: UInt8[ndarray, "n row column 3"]) -> Float[ndarray, "n 3 row column"]:
    """Colours first, 0 to 1."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


def _split(target: NDArray[np.intp], random_state: int) -> Split:
    rows = np.arange(len(target))
    rest, test = train_test_split(rows, test_size=0.3, stratify=target, random_state=random_state)
    train, validation = train_test_split(rest, test_size=0.2, stratify=target[rest], random_state=random_state)
    return Split(train, validation, test)


_ORIGIN = "the npm packages emoji-datasource-twitter and emoji-datasource-google 16.0.0"
SOURCES = (
    archive("emoji_image_text", "images.npz", "aff610294705d9b40def2af3d6e39b07f966974cc6c51c6bfec71d08702b7995"),
    table("emoji_image_text", "emoji.csv", "48e0f3987c9bc345cf6ddb1550f266d977ccc9a87b319b4ea3bd4dcb8308b61f"),
)
