"""ROSMAP: Alzheimer's disease or not, from three omics of brain tissue."""

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

DESCR = """ROSMAP: Alzheimer's disease patients and controls from three omics, as prepared for MOGONET.

351 samples (169 controls, 182 with Alzheimer's disease); modalities mrna, meth (DNA methylation) and mirna,
200 preselected features each, scaled to [0, 1]. Target: 0 control, 1 AD.

Source: folder ROSMAP of github.com/txWang/MOGONET. Licence: the repository is MIT (Copyright 2021 txWang).
The raw ROSMAP data are under controlled access (AMP-AD, RADC); these are 600 derived features without
identifiers, released by the authors: use them as a benchmark only.
Citation: Wang et al., "MOGONET integrates multi-omics data using graph convolutional networks allowing
patient classification and biomarker identification", Nature Communications 12:3445 (2021).
Split: the published one, 245 rows in `train` and 106 in `test`. The features were selected on these training
rows, so other splits leak a little.

Published numbers (mean and sd of five random 70/30 splits, not of this split; Table 2 of the paper), accuracy
/ F1 / AUC: SVM .770+-.024 / .778+-.016 / .770+-.026; random forest .726+-.029 / .734+-.021 / .811+-.019;
block sPLSDA .753+-.033 / .764+-.035 / .838+-.021; late fusion of networks .766+-.023 / .777+-.019 /
.819+-.017; MOGONET .815+-.023 / .821+-.022 / .874+-.012. Ours, for scale: on the published split the averaged
probabilities of three logistic regressions (C = 0.01, standardised features) reach an accuracy of .840, a
macro-F1 of .839 and an AUC of .922.
"""

PUBLISHED = """
k nearest neighbours | .657+-.036 | .671+-.044 | .709+-.045
support vector machine | .770+-.024 | .778+-.016 | .770+-.026
lasso | .694+-.037 | .730+-.033 | .770+-.035
random forest | .726+-.029 | .734+-.021 | .811+-.019
XGBoost | .760+-.046 | .772+-.045 | .837+-.030
network | .755+-.021 | .764+-.021 | .827+-.025
group-regularised ridge | .760+-.034 | .769+-.029 | .841+-.023
block PLS-DA | .742+-.024 | .755+-.023 | .830+-.025
block sparse PLS-DA | .753+-.033 | .764+-.035 | .838+-.021
late fusion of networks (NN_NN) | .766+-.023 | .777+-.019 | .819+-.017
NN_VCDN | .775+-.026 | .790+-.018 | .843+-.021
MOGONET_NN | .804+-.016 | .808+-.010 | .858+-.024
MOGONET | .815+-.023 | .821+-.022 | .874+-.012
"""
REFERENCE = "late-fused logistic regression (C = 0.01, scikit-learn) | .840 | .922"

OMICS = ("mrna", "meth", "mirna")


@overload
def fetch_rosmap(*, data_home: Folder = None, download: bool = True, return_X_y: Literal[False] = False) -> Bunch: ...
@overload
def fetch_rosmap(
    *, data_home: Folder = None, download: bool = True, return_X_y: Literal[True]
) -> tuple[Modalities, NDArray[Any]]: ...
def fetch_rosmap(
    *, data_home: Folder = None, download: bool = True, return_X_y: bool = False
) -> Bunch | tuple[Modalities, NDArray[Any]]:
    """Load ROSMAP: 351 samples, three omics of 200 features each, control or Alzheimer's disease.

    Args:
        data_home: Folder to look in first (for rosmap_mogonet/rosmap.npz, or MOGONET's csv files in
            rosmap_mogonet/) and to download into. Then come $PLAIT_DATA and the cache.
        download: Whether to download (5.3 MB, from GitHub) what is not on this machine.
        return_X_y: Return `(data, target)` alone; the published split is lost.

    Returns:
        A Bunch with `data` (Modalities mrna, meth, mirna), `target` (0 control, 1 AD), `target_names`,
        `train` and `test` (row numbers of the published split), `DESCR` (source, licence, citation) and
        `published` (a table of published numbers with their protocol).

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If the download fails.
        ValueError: If a file is damaged; the message names it.
    """
    arrays = fetch(SOURCE, data_home, download)
    data = Modalities(
        {name: np.concatenate([arrays[f"{name}_train"], arrays[f"{name}_test"]]) for name in OMICS},
        columns={name: arrays[f"{name}_features"].tolist() for name in OMICS},
    )
    target = np.concatenate([arrays["label_train"], arrays["label_test"]]).astype(np.intp)
    if return_X_y:
        return data, target
    train, test = np.split(np.arange(len(target)), [len(arrays["label_train"])])
    return Bunch(
        data=data,
        target=target,
        target_names=np.array(["control", "AD"]),
        train=train,
        test=test,
        DESCR=DESCR,
        published=_published(),
    )


def _published() -> pd.DataFrame:
    protocol = "mean and sd of five random 70/30 splits, features selected anew in each"
    others = published(PUBLISHED, ("accuracy", "f1", "roc_auc"), protocol, "Wang et al. 2021, Table 2")
    ours = published(
        REFERENCE, ("accuracy", "roc_auc"), "the published split, 106 test rows", "the data set's own check"
    )
    return pd.concat([others, ours], ignore_index=True)


def _numbers(path: Path) -> NDArray[np.float64]:
    table = read_csv(path)
    with naming(path):
        return table.astype(np.float64)


def _build(folder: Path) -> Arrays:
    """Read MOGONET's tables: samples in rows, no header, the omics numbered in the order of `OMICS`."""
    arrays: Arrays = {}
    for part, short in (("train", "tr"), ("test", "te")):
        arrays[f"label_{part}"] = _numbers(folder / f"labels_{short}.csv")[:, 0].astype(np.uint8)
        for number, name in enumerate(OMICS, start=1):
            arrays[f"{name}_{part}"] = _numbers(folder / f"{number}_{short}.csv").astype(np.float32)
    for number, name in enumerate(OMICS, start=1):
        arrays[f"{name}_features"] = read_csv(folder / f"{number}_featname.csv")[:, 0]
    return arrays


TABLES = tuple(f"{number}_{kind}.csv" for number in "123" for kind in ("tr", "te", "featname"))
PARTS = ("labels_tr.csv", "labels_te.csv", *TABLES)

# One commit, and the digest of the arrays: the checksums of the single files are not published.
REPOSITORY = "https://raw.githubusercontent.com/txWang/MOGONET/9ed714f5c6f3e5a30178202e5d09d763fce67398/ROSMAP"

SOURCE = Source(
    name="rosmap_mogonet",
    file="rosmap.npz",
    read=read_npz,
    parts=PARTS,
    build=_build,
    sha256="1d4b3415de1fbc473cd8ca154be2c15e0336b9803e5f6a670133b0befa7b9663",
    urls=MappingProxyType({part: (f"{REPOSITORY}/{part}", None) for part in PARTS}),
)
