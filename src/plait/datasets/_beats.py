"""From cut heartbeats and intervals to modalities: nothing here knows a label."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float32, Int, Num, UInt8
from numpy import ndarray

RR_COLUMNS = (
    "previous",
    "next",
    "local",
    "record",
    "previous/local",
    "next/local",
    "previous/record",
    "next/record",
    "next/previous",
)
"""Intervals between beats in seconds (`local`: mean of the last ten; `record`: of the whole record), and ratios."""

RELATIVE_COLUMNS = (
    "log previous/usual",
    "log next/usual",
    "log local/usual",
    "log previous/local",
    "log next/local",
    "log next/previous",
    "log before/usual",
    "log after/usual",
)
"""Natural logarithms of ratios, from log 1/5 to log 5.

`usual` is the median of the record's previous intervals, `before` the previous interval of the beat before, `after` the
next one of the beat after (the beat's own at the ends of a record).
"""
_LARGEST_RATIO, _LARGEST_DEVIATION = 5.0, 6.0

AMPLITUDE_COLUMNS = ("range lead1", "range lead2", "sd lead1", "sd lead2")
"""Peak to peak and standard deviation of a beat, each divided by its median over the beats of the record."""


def standardised(beats: Num[ndarray, "beat time"]) -> Float32[ndarray, "beat time 1"]:
    """Each beat less its own mean, over its own population standard deviation; zeros where it is constant."""
    series = beats.astype(np.float32)
    series -= series.mean(axis=1, keepdims=True)
    sd = series.std(axis=1, keepdims=True)
    series /= np.where(sd > 0, sd, 1)
    return series[..., np.newaxis]


def rr_features(intervals: Float32[ndarray, "beat 4"]) -> Float32[ndarray, "beat 9"]:
    """Previous, next, local and record interval in seconds, and their ratios, as in `RR_COLUMNS`."""
    columns = dict(zip(RR_COLUMNS, intervals.T, strict=False))
    pairs = [name.split("/") for name in RR_COLUMNS[4:]]
    ratios = [columns[above] / columns[below] for above, below in pairs]
    return np.column_stack([intervals, *ratios])


def relative_rr(intervals: Float32[ndarray, "beat 4"], records: UInt8[ndarray, " beat"]) -> Float32[ndarray, "beat 8"]:
    """Intervals relative to what is usual in the record, as in `RELATIVE_COLUMNS`: a fast heart has few early ones."""
    columns = dict(zip(RR_COLUMNS, intervals.T, strict=False))
    columns |= {name: np.empty(len(records), dtype=np.float32) for name in ("usual", "before", "after")}
    for record in np.unique(records):
        rows = np.flatnonzero(records == record)
        columns["usual"][rows] = np.median(columns["previous"][rows])
        columns["before"][rows] = columns["previous"][rows[np.maximum(np.arange(len(rows)) - 1, 0)]]
        columns["after"][rows] = columns["next"][rows[np.minimum(np.arange(len(rows)) + 1, len(rows) - 1)]]
    pairs = [name.removeprefix("log ").split("/") for name in RELATIVE_COLUMNS]
    ratios = np.column_stack([columns[above] / columns[below] for above, below in pairs])
    return np.asarray(np.log(np.clip(ratios, 1 / _LARGEST_RATIO, _LARGEST_RATIO)))


def with_deviation(
    beats: Int[ndarray, "beat time"], records: UInt8[ndarray, " beat"]
) -> Float32[ndarray, "beat time 2"]:
    """Each beat, z-scored, and beside it how far it is from the record's median beat.

    The deviation is in units of the median standard deviation of the record's beats, cut at 6 on either side.
    """
    found = np.concatenate([standardised(beats), np.empty((*beats.shape, 1), dtype=np.float32)], axis=2)
    for record in np.unique(records):
        rows = records == record
        own = beats[rows].astype(np.float32)
        usual = np.median(own.std(axis=1))
        found[rows, :, 1] = (own - np.median(own, axis=0)) / (usual if usual > 0 else 1)
    found[..., 1].clip(-_LARGEST_DEVIATION, _LARGEST_DEVIATION, out=found[..., 1])
    return found


def amplitudes(
    beats: Int[ndarray, "beat lead time"], records: UInt8[ndarray, " beat"]
) -> Float32[ndarray, "beat feature"]:
    """Peak to peak and standard deviation of every lead, relative to the record's median: what z-scores lose."""
    sizes = np.column_stack([np.ptp(beats, axis=2), beats.std(axis=2, dtype=np.float32)]).astype(np.float32)
    for record in np.unique(records):
        rows = records == record
        usual = np.median(sizes[rows], axis=0)
        sizes[rows] /= np.where(usual > 0, usual, 1)
    return sizes


COLUMNS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "beat": {"rr": RR_COLUMNS, "amplitude": AMPLITUDE_COLUMNS},
        "record": {"rr": RELATIVE_COLUMNS, "amplitude": AMPLITUDE_COLUMNS},
    }
)
"""Names of the columns of the vector modalities, by what they are relative to."""
