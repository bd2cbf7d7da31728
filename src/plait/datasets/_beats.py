"""From cut heartbeats and intervals to modalities: nothing here knows a label."""

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
