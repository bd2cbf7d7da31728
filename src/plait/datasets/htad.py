"""HTAD: seven activities at home, from sound and wrist acceleration."""

from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.datasets._fetch import Arrays, Folder, Source, fetch, naming, read_csv
from plait.datasets._published import published

DESCR = """HTAD: home-tasks activities from audio and wrist-accelerometer features.

1386 samples; modalities audio (36 mel-frequency cepstral coefficients) and accelerometer (16 features of a
wrist accelerometer); target: 7 activities. No missing values. Subjects are not recorded, so folds by subject
are not possible.

Source: multiviewstacking/data/htad.csv of github.com/enriquegit/multiviewstacking, shipped in the PyPI
package multiviewstacking 0.7.5. Licence: the package is MIT (Copyright 2024 Enrique Garcia-Ceja); the note
beside the file releases the data for research and education and asks for permission before commercial use or
competitions.
Citation: Garcia-Ceja et al., "HTAD: A Home-Tasks Activities Dataset with Wrist-Accelerometer and Audio
Features", MMM 2021, doi 10.1007/978-3-030-67835-7_17.
Split: none is published.

Published numbers (random forests, 10-fold cross-validation; Garcia-Ceja, "Behavior Analysis with Machine
Learning Using R", Table 3.1), accuracy / F1: audio .8535 / .8521; accelerometer .8557 / .8487; multi-view
stacking .9365 / .9325.
"""

PUBLISHED = """
audio alone, random forest | .8535 | .8521
accelerometer alone, random forest | .8557 | .8487
multi-view stacking, random forests | .9365 | .9325
"""


@overload
def fetch_htad(*, data_home: Folder = None, download: bool = True, return_X_y: Literal[False] = False) -> Bunch: ...
@overload
def fetch_htad(
    *, data_home: Folder = None, download: bool = True, return_X_y: Literal[True]
) -> tuple[Modalities, NDArray[Any]]: ...
def fetch_htad(
    *, data_home: Folder = None, download: bool = True, return_X_y: bool = False
) -> Bunch | tuple[Modalities, NDArray[Any]]:
    """Load HTAD: 1386 samples, audio (36) and accelerometer (16), seven activities.

    Args:
        data_home: Folder to look in first (for htad/htad.csv.gz) and to download into. Then come $PLAIT_DATA,
            the cache and the installed package multiviewstacking.
        download: Whether to download (0.7 MB) what is not on this machine.
        return_X_y: Return `(data, target)` alone.

    Returns:
        A Bunch with `data` (Modalities), `target` (0 to 6), `target_names`, `DESCR` (source, licence, citation)
        and `published` (a table of published numbers with their protocol).

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If the download fails.
        ValueError: If a file is damaged; the message names it.
    """
    arrays = fetch(SOURCE, data_home, download)
    names = ("audio", "accelerometer")
    data = Modalities(
        {name: arrays[name] for name in names},
        columns={name: arrays[f"{name}_columns"].tolist() for name in names},
    )
    target_names, target = np.unique(arrays["activity"], return_inverse=True)
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, target_names=target_names, DESCR=DESCR, published=_published())


def _published() -> pd.DataFrame:
    source = "Garcia-Ceja, Behavior Analysis with Machine Learning Using R, Table 3.1"
    return published(PUBLISHED, ("accuracy", "f1"), "10-fold cross-validation", source)


def _read(path: Path) -> Arrays:
    table = read_csv(path)
    with naming(path):
        header, cells = table[0], table[1:]
        audio, accelerometer = np.char.startswith(header, "v1_"), np.char.startswith(header, "v2_")
        return {
            "activity": cells[:, header.tolist().index("class")],
            "audio": cells[:, audio].astype(np.float64),
            "audio_columns": header[audio],
            "accelerometer": cells[:, accelerometer].astype(np.float64),
            "accelerometer_columns": header[accelerometer],
        }


PART = "multiviewstacking/data/htad.csv"

_URL = (
    "https://raw.githubusercontent.com/enriquegit/multiviewstacking/"
    "c51a143f0d98e608bb6bae4c8e35bc51acfa0975/examples/htad.csv"
)
SOURCE = Source(
    name="htad",
    file="htad.csv.gz",
    read=_read,
    parts=(PART,),
    build=lambda folder: _read(folder / PART),
    sha256="777312e8b7562e638ef7731cfc8d2da20e3f5517340315af79ec69bcab0af152",
    urls=MappingProxyType({PART: (_URL, None)}),
    package="multiviewstacking",
)
