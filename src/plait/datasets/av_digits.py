"""Spoken digits, each with a picture of the same digit written by hand."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, overload

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from numpy.typing import NDArray
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.data.settings import check_one_of, check_whole
from plait.datasets._fetch import Arrays, Folder
from plait.datasets._prepared import archive, prepared
from plait.datasets._published import published

RATE = 8000
"""Samples a second of the recordings."""

DESCR = """AV-digits: recordings of spoken digits, each paired with a picture of the same digit written by hand.

3000 recordings by six speakers (50 of each digit), 8 kHz; modalities audio, a waveform in [-1, 1] with zeros after its
end, and image, 16 x 15 pixels, 0 to 1. Target: the digit. There are 2000 pictures, so some are there several times.
A clean picture alone says almost always which digit it is: degrade one modality if fusion is to have room.

Source: Free Spoken Digit Dataset (github.com/Jakobovski/free-spoken-digit-dataset, recordings of May 2024; here coded
by mu-law in 8 bits) and the pixels of UCI's Multiple Features. Licence: recordings CC BY-SA 4.0, pictures CC BY 4.0;
the pairing is ours, and share-alike applies to it.
Citation: Jackson et al., Free Spoken Digit Dataset; van Breukelen, Duin, Tax and den Hartog, "Handwritten digit
recognition by combined classifiers", Kybernetika 34 (1998).
Split: that of the recordings, takes 0 to 4 of every speaker and digit in `test` (300) and the others in `train`
(2700): every speaker is in both. To be fair to new voices hold out whole speakers (`groups`).
Pairing: with "takes" no picture is in `train` and in `test`; with "speakers" each speaker has a sixth of the pictures,
so that holding out a speaker holds out the pictures too.

Published numbers: none for this pairing; those of AV-MNIST are of other data.
"""


@overload
def fetch_av_digits(
    *,
    pairing: str = "takes",
    length: int = RATE,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def fetch_av_digits(
    *,
    pairing: str = "takes",
    length: int = RATE,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[True],
) -> tuple[Modalities, NDArray[np.intp]]: ...
def fetch_av_digits(
    *,
    pairing: str = "takes",
    length: int = RATE,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Modalities, NDArray[np.intp]]:
    """Load spoken and written digits: 3000 pairs, ten digits, six speakers.

    Args:
        pairing: "takes" (no picture is in training and test rows) or "speakers" (no picture is with two speakers).
        length: Samples of a waveform, at least 1: longer recordings are cut, shorter ones end in zeros. At 8000, a
            second, less than 1 % are cut.
        data_home: Folder to look in first (for av_digits/fsdd_mulaw8k.npz and images_and_pairs.npz). Then come
            $PLAIT_DATA and the cache.
        download: As elsewhere, but no public place holds the prepared files: if they are not on this machine, True is
            an OSError that says where they come from.
        return_X_y: Return `(data, target)` alone.

    Returns:
        A Bunch with `data` (Modalities audio, (length, 1), and image, (1, 16, 15)), `target`, `target_names`, `train`
        and `test` (rows), `groups` (number of the speaker), `group_names`, `lengths` (samples of each recording that
        are no padding), `image_rows` (which of the 2000 pictures), `published` (empty) and `DESCR`.

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If they are not, and it is True.
        ValueError: If an argument is out of its range, or a file is damaged; the message names it.
    """
    check_one_of("pairing", pairing, _PAIRINGS)
    check_whole("length", length, 1)
    sound, sight = (prepared(source, _ORIGIN, data_home, download) for source in SOURCES)
    target, rows = sound["digit"].astype(np.intp), _PAIRINGS[pairing](sound | sight)
    pictures = sight["image"][rows].astype(np.float32)[:, np.newaxis] / np.float32(6)
    data = Modalities({"audio": waveforms(sound["audio_mulaw"], sound["length"], length), "image": pictures})
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=np.array([str(digit) for digit in range(10)]),
        train=np.flatnonzero(~sight["is_test"]),
        test=np.flatnonzero(sight["is_test"]),
        groups=sound["speaker"].astype(np.intp),
        group_names=sound["speaker_names"],
        lengths=np.minimum(sound["length"], length),
        image_rows=rows,
        DESCR=DESCR,
        published=published("", (), "", ""),
    )


def decoded(codes: UInt8[ndarray, " sample"]) -> Float[ndarray, " sample"]:
    """Amplitudes in [-1, 1] of mu-law codes: y = 2 q / 255 - 1, x = sign(y) (256^|y| - 1) / 255."""
    y = 2 * np.arange(256) / 255 - 1
    return np.asarray((np.sign(y) * (256 ** np.abs(y) - 1) / 255)[codes], np.float32)


def waveforms(
    codes: UInt8[ndarray, " sample"], lengths: Int[ndarray, " recording"], length: int
) -> Float[ndarray, "recording length 1"]:
    """Recordings that follow each other, decoded, each cut or filled up with zeros to one length."""
    found = np.zeros((len(lengths), length, 1), np.float32)
    ends = np.cumsum(lengths, dtype=np.int64)
    for row, (end, own) in enumerate(zip(ends, lengths.tolist(), strict=True)):
        kept = min(own, length)
        found[row, :kept, 0] = decoded(codes[end - own : end - own + kept])
    return found


def _by_takes(both: Arrays) -> Int[ndarray, " recording"]:
    return both["image_index"].astype(np.intp)


def _by_speakers(both: Arrays) -> Int[ndarray, " recording"]:
    """The pictures of a digit dealt to the speakers in turn; a speaker's takes go through his own again and again."""
    found = np.empty(len(both["digit"]), np.intp)
    speakers = np.unique(both["speaker"])
    for digit in np.unique(both["digit"]):
        pictures = np.flatnonzero(both["image_label"] == digit)
        for place, speaker in enumerate(speakers):
            takes = np.flatnonzero((both["digit"] == digit) & (both["speaker"] == speaker))
            found[takes] = np.resize(pictures[place :: len(speakers)], len(takes))
    return found


_PAIRINGS: Mapping[str, Callable[[Arrays], Int[ndarray, " recording"]]] = MappingProxyType(
    {"takes": _by_takes, "speakers": _by_speakers}
)
_ORIGIN = "github.com/Jakobovski/free-spoken-digit-dataset and archive.ics.uci.edu/dataset/72/multiple+features"
SOURCES = (
    archive("av_digits", "fsdd_mulaw8k.npz", "b5161c51108ca56980b61ba8428bdb2e443143d4112efa5289f8d7b0235f4fad"),
    archive("av_digits", "images_and_pairs.npz", "d7cd5a18e27abaa2024bb6f8562028f54706983df7ef12f40f410ea84374fbdf"),
)
