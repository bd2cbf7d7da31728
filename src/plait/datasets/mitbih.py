"""MIT-BIH: heartbeats of two leads with the intervals between them, by class of arrhythmia."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from plait.data.checks import listed
from plait.data.modalities import Modalities
from plait.data.settings import check_one_of
from plait.datasets._beats import AMPLITUDE_COLUMNS, RR_COLUMNS, amplitudes, rr_features, standardised
from plait.datasets._fetch import Arrays, Folder, Source, fetch, read_npz
from plait.datasets._mitbih_numbers import mitbih_counts, mitbih_published
from plait.datasets._records import relative_to_record

DESCR = """MIT-BIH Arrhythmia: heartbeats of two leads with RR intervals, by AAMI class.

100,678 beats of 44 half-hour records (the paced ones, 102, 104, 107, 217, are left out, and beats at the edges of a
record): 128 samples at 125 Hz, 48 of them before the R mark. Modalities: lead1 (MLII) and lead2 (V1, V2, V4 or V5,
by record: a real shift), each beat z-scored; rr, intervals in seconds and their ratios; image, the Gramian angular
summation field of lead1, which holds nothing that lead1 does not; amplitude, what the z-scores take away. Target:
N (normal; e and j too), S (supraventricular ectopic), V (ventricular ectopic), F (fusion), and on request Q (15
beats). Always guessing N is right for 89 % of DS2: accuracy alone says little.

Source: MIT-BIH Arrhythmia Database 1.0.0 of PhysioNet, cut and resampled from 360 Hz. Licence: Open Data Commons
Attribution License 1.0 (ODC-By).
Citation: Moody and Mark, "The impact of the MIT-BIH Arrhythmia Database", IEEE Eng. in Med. and Biol. 20(3), 2001;
Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", Circulation 101(23), 2000.
Split: "inter" trains on the records DS1 and tests on DS2 (de Chazal et al. 2004); tune on the records 118, 122, 124,
207 and 223 of DS1, never on random beats. "intra" is Kaggle-style: a random 80/20 split of beats, seed 0. The Kaggle
set has 109,446 beats in other windows (all 48 records, each without its last beat); the paced records and edge beats
are not in these files, so its numbers are not comparable to the digit. `published_counts` has the beats of both.

Leaks to know: records 201 (DS1) and 202 (DS2) are of one person (`strict=True` takes 202 out of the test). With
"intra" beats of one patient are in training and test: scores near 99 % say little about new patients. The next RR
interval is usual offline, but not causal; the record mean and the medians behind `amplitude` and
`relative_to="record"` are of the whole record, without labels. An RR interval may hold a stretch without annotated
beats (100 s of flutter in record 207).

Published numbers (DS1 to DS2, four classes; accuracy / mean sensitivity / j-kappa): de Chazal et al. 2004 .862 / .832
/ .612; Zhang et al. 2014 .883 / .868 / .663; Mar et al. 2011 .899 / .802 / .649; Mondejar-Guerra et al. 2019, single
SVM .884 / .696 / .640, ensemble of SVMs .945 / .703 / .773 (e and j counted as S).
"""

CLASSES = ("N", "S", "V", "F", "Q")
PROTOCOLS = ("inter", "intra")
VALIDATION_RECORDS = (118, 122, 124, 207, 223)
_RELATIVE_TO = {
    "beat": "",
    "record": "\nHere leads and intervals stand beside what is usual in their record (see `relative_to_record`).\n",
    "nothing": "\nHere leads are in millivolts, as recorded, and rr is four intervals in seconds.\n",
}
_UNITS_A_MILLIVOLT = 200
_SAME_PATIENT = 202  # of DS2, the person of record 201 in DS1


@dataclass(frozen=True)
class _Beats:
    """Beats of both files, the size of the images, and whether leads and intervals stay as they were recorded."""

    arrays: Arrays
    size: int
    raw: bool

    def lead(self, number: int) -> NDArray[np.float32]:
        ecg = self.arrays["ecg"][:, number]
        if not self.raw:
            return standardised(ecg)
        return np.divide(ecg, _UNITS_A_MILLIVOLT, dtype=np.float32)[..., np.newaxis]

    def rr(self) -> NDArray[np.float32]:
        return self.arrays["rr"] if self.raw else rr_features(self.arrays["rr"])

    def image(self) -> NDArray[np.float32]:
        """Of the unscaled lead: the field rescales every window, so that a z-score changes nothing."""
        from plait.transforms.gramian import gasf  # noqa: PLC0415 - most data sets need no images

        return gasf(self.arrays["ecg"][:, 0].astype(np.float32), self.size)

    def amplitude(self) -> NDArray[np.float32]:
        """Medians are of all beats, so that they know no labels."""
        return amplitudes(self.arrays["ecg"], self.arrays["record"])


_MODALITIES: Mapping[str, Callable[[_Beats], NDArray[np.float32]]] = MappingProxyType(
    {
        "lead1": partial(_Beats.lead, number=0),
        "lead2": partial(_Beats.lead, number=1),
        "rr": _Beats.rr,
        "image": _Beats.image,
        "amplitude": _Beats.amplitude,
    }
)


@overload
def fetch_mitbih(
    protocol: str = "inter",
    *,
    modalities: Sequence[str] = ("lead1", "lead2", "rr", "image"),
    image_size: int = 24,
    relative_to: str = "beat",
    drop_q: bool = True,
    strict: bool = False,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def fetch_mitbih(
    protocol: str = "inter",
    *,
    modalities: Sequence[str] = ("lead1", "lead2", "rr", "image"),
    image_size: int = 24,
    relative_to: str = "beat",
    drop_q: bool = True,
    strict: bool = False,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: Literal[True],
) -> tuple[Modalities, NDArray[np.intp]]: ...
def fetch_mitbih(
    protocol: str = "inter",
    *,
    modalities: Sequence[str] = ("lead1", "lead2", "rr", "image"),
    image_size: int = 24,
    relative_to: str = "beat",
    drop_q: bool = True,
    strict: bool = False,
    data_home: Folder = None,
    download: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Modalities, NDArray[np.intp]]:
    """Load MIT-BIH: 100,663 heartbeats of 44 records, two leads, RR intervals and images, four AAMI classes.

    Args:
        protocol: "inter" (records DS1 to records DS2) or "intra" (random beats, "Kaggle-style").
        modalities: In any order: "lead1" and "lead2", (128, 1), z-scored by beat; "rr", 9 columns (see
            `data.columns`): seconds and ratios; "image", (1, size, size); "amplitude", 4 columns relative to the
            record's median.
        image_size: Edge of the images, 1 to 128.
        relative_to: "beat" as above; "record": beside what is usual in the record, as `relative_to_record` makes it
            (leads (128, 3), `rr` of 16 columns), of the whole record, without labels: a new patient needs a
            recording, not a single beat; "nothing": leads in millivolts, `rr` of 4 columns, intervals in seconds.
        drop_q: Leave out the 15 beats of class Q (unclassifiable).
        strict: Leave record 202 out of the test rows of "inter": its patient is that of record 201 of the training
            rows.
        data_home: Folder to look in first (for mitbih_beats/ds1.npz and ds2.npz). Then come $PLAIT_DATA and the cache.
        download: As elsewhere, but no public place holds the prepared beats: if they are not on this machine, True
            is an OSError that says where they come from.
        return_X_y: Return `(data, target)` alone; split and records are lost.

    Returns:
        A Bunch with `data` (Modalities), `target` (0 N, 1 S, 2 V, 3 F, 4 Q), `target_names`, `train` and `test` (row
        numbers), `groups` (record of each beat), `published`, `published_counts` (beats by class of several sets) and
        `DESCR` (source, licence, citations, leaks); for "inter" also `validation` (booleans: training rows to tune
        on) and `validation_records`.

    Raises:
        FileNotFoundError: If the data are not on this machine and `download` is False.
        OSError: If they are not, and it is True.
        ValueError: If an argument is out of its range, or a file is damaged; the message names it.
    """
    _check(protocol, modalities, image_size, strict=strict)
    check_one_of("relative_to", relative_to, _RELATIVE_TO)
    parts = [_found(source, data_home, download) for source in SOURCES]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in ("ecg", "rr", "label", "record")}
    kept = arrays["label"] < (4 if drop_q else 5)
    data = _modalities(arrays, modalities, image_size, relative_to)[kept]
    target, records = arrays["label"][kept].astype(np.intp), arrays["record"][kept].astype(np.intp)
    if return_X_y:
        return data, target
    first = np.isin(records, np.unique(parts[0]["record"]))
    return Bunch(
        data=data,
        target=target,
        target_names=np.array(CLASSES[: target.max() + 1]),
        groups=records,
        DESCR=DESCR + _RELATIVE_TO[relative_to],
        published=mitbih_published(),
        published_counts=mitbih_counts(),
        **(_inter(first, records, strict=strict) if protocol == "inter" else _intra(target)),
    )


def _check(protocol: str, modalities: Sequence[str], image_size: int, *, strict: bool) -> None:
    check_one_of("protocol", protocol, PROTOCOLS)
    if isinstance(image_size, bool) or image_size not in range(1, 129):
        raise ValueError(f"image_size must be a whole number of at least 1 and at most 128 (got {image_size!r}).")
    known = not isinstance(modalities, str) and set(modalities) <= set(_MODALITIES)
    if not known or not modalities or len(set(modalities)) < len(modalities):
        raise ValueError(f"modalities must list one or more of {listed(_MODALITIES)}, each once (got {modalities!r}).")
    if strict and protocol != "inter":
        raise ValueError("strict=True takes a record out of the test records, and only 'inter' has some.")


def _modalities(arrays: Arrays, names: Sequence[str], image_size: int, relative_to: str) -> Modalities:
    """Of all beats, those without a class too: what is usual in a record must not depend on labels."""
    beats = _Beats(arrays, image_size, raw=relative_to != "beat")
    needed = dict.fromkeys((*names, "rr") if relative_to == "record" else names)
    columns = {"rr": RR_COLUMNS[:4] if beats.raw else RR_COLUMNS, "amplitude": AMPLITUDE_COLUMNS}
    data = Modalities(
        {name: _MODALITIES[name](beats) for name in needed},
        columns={name: columns[name] for name in columns if name in needed},
    )
    return relative_to_record(data, arrays["record"]).select(names) if relative_to == "record" else data


def _inter(first: NDArray[np.bool_], records: NDArray[np.intp], *, strict: bool) -> dict[str, Any]:
    test = ~first & (records != _SAME_PATIENT) if strict else ~first
    return {
        "train": np.flatnonzero(first),
        "test": np.flatnonzero(test),
        "validation": np.isin(records, VALIDATION_RECORDS),
        "validation_records": VALIDATION_RECORDS,
    }


def _intra(target: NDArray[np.intp]) -> dict[str, Any]:
    train, test = train_test_split(np.arange(len(target)), test_size=0.2, stratify=target, random_state=0)
    return {"train": np.sort(train), "test": np.sort(test)}


def _found(source: Source, data_home: Folder, download: bool) -> Arrays:
    try:
        return fetch(source, data_home, download=False)
    except FileNotFoundError as error:
        kind = OSError if download else FileNotFoundError
        looked = str(error).partition(" `download=True`")[0]
        raise kind(
            f"{looked} No public place holds these prepared beats, so they cannot be downloaded: they were cut from "
            "the records of physionet.org/content/mitdb/1.0.0 (see the description)."
        ) from error


def _source(file: str, sha256: str) -> Source:
    return Source(
        name="mitbih_beats",
        file=file,
        read=read_npz,
        parts=(file,),
        build=lambda folder: read_npz(folder / file),
        sha256=sha256,
        urls=MappingProxyType({}),
    )


SOURCES = (
    _source("ds1.npz", "079034b3054fa327f66e43aaeebf4b529f6388fdeec5d8dd2918f3d927f24850"),
    _source("ds2.npz", "65bd1a4db5a7dc5b60b70aed0db8d520a5044a11203a77b3cd62c0950c8f6d8c"),
)
