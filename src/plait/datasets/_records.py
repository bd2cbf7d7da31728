"""Heartbeats beside what is usual in their record: nothing here knows a label."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, Num, Shaped
from numpy import ndarray
from numpy.typing import ArrayLike

from plait.data.modalities import Modalities
from plait.datasets._beats import RR_COLUMNS, standardised

RELATIVE_COLUMNS = (
    "log previous/usual",
    "log next/usual",
    "log local/usual",
    "log before/usual",
    "log after/usual",
    "log previous/late",
    "log next/late",
    "log local/late",
    "log before/late",
    "log after/late",
    "log previous/local",
    "log next/local",
    "log next/previous",
    "irregularity, mean of 11",
    "irregularity, median of 41",
    "irregularity, mean of 101",
)
"""Natural logarithms of ratios, from log 1/5 to log 5, and how irregular the rhythm around a beat is.

`usual` and `late` are the median and the upper quartile of the record's previous intervals, `before` the previous
interval of the beat before, `after` the next one of the beat after (the beat's own at the ends of a record).
Irregularity is the size of log previous/before, over so many beats around (fewer at the ends of a record): an early
beat means little in atrial fibrillation, where no interval is like another.
"""
_LARGEST_RATIO, _LARGEST_DEVIATION, _LATE = 5.0, 6.0, 0.75
_RATIOS = tuple(name.removeprefix("log ").split("/") for name in RELATIVE_COLUMNS if name.startswith("log "))
_INTERVALS = len(RR_COLUMNS[:4])
_SERIES = 2  # axes of a sample: (time, channel)


def relative_to_record(data: Modalities, records: ArrayLike, reference: ArrayLike | None = None) -> Modalities:
    """Heartbeats beside what is usual in their record, and beside its late beats: no label is needed.

    The usual beat is the median one. Where odd beats are the rule, as in an atrial bigeminy, it is odd itself; the
    beats that come late (whose previous interval is in the record's upper quartile) are normal ones even there.

    Args:
        data: Beats in the order of time within a record: "rr", four columns of seconds (previous and next interval,
            mean of the last ones, mean of the record), and leads, any series of one channel, in any unit; as
            `fetch_mitbih(relative_to="nothing")` gives them. All have to be there.
        records: Record of every beat.
        reference: Booleans: which beats say what is usual, at least one a record; all by default.

    Returns:
        Leads of three channels (the z-scored beat; how far it is from the record's median beat, and from the median of
        its late beats, in units of the median standard deviation of the record's beats, cut at 6 on either side), `rr`
        of 16 columns (see `columns`), and everything else as it was.

    Raises:
        ValueError: If "rr" is missing or not of four columns, a beat lacks a lead or its intervals or has values that
            are not finite, an interval is not positive, the lengths differ, or a record has no reference beat; the
            message names it.
    """
    records = np.asarray(records)
    reference = np.ones(len(data), dtype=bool) if reference is None else np.asarray(reference)
    leads = [name for name, shape in data.sample_shapes.items() if len(shape) == _SERIES and shape[1] == 1]
    _check(data, leads, records, reference)
    late = _late_beats(data["rr"][:, 0], records, reference)
    made = {name: with_deviations(data[name][..., 0], records, reference, late) for name in leads}
    made["rr"] = relative_rr(data["rr"], records, reference)
    arrays = {name: made.get(name, array) for name, array in data.items()}
    columns = {**data.columns, "rr": RELATIVE_COLUMNS}
    return Modalities(arrays, ids=data.ids if data.own_ids else None, present=data.present, columns=columns)


def _check(
    data: Modalities, leads: list[str], records: Shaped[ndarray, " a"], reference: Shaped[ndarray, " b"]
) -> None:
    if data.sample_shapes.get("rr") != (_INTERVALS,):
        raise ValueError(
            f"The data need a modality 'rr' of {_INTERVALS} columns, intervals in seconds (got {data.sample_shapes}); "
            "fetch_mitbih(relative_to='nothing') has it."
        )
    if reference.dtype != bool:
        raise ValueError(f"reference must be booleans, one a beat, not row numbers (got {reference.dtype}).")
    for what, given in (("records", records), ("reference", reference)):
        if len(given) != len(data):
            raise ValueError(f"{what} has {len(given)} entries for {len(data)} beats.")
    for name in ("rr", *leads):
        _check_values(data, name)
    bare = np.setdiff1d(records, records[reference])
    if len(bare):
        raise ValueError(f"Record {bare[0]} has no reference beat, so that nothing says what is usual in it.")


def _check_values(data: Modalities, name: str) -> None:
    """What one beat lacks would spread over its whole record."""
    there = data.present[:, data.names.index(name)]
    if not there.all():
        raise ValueError(f"Modality {name!r} is absent in row {np.argmin(there)}: leave such beats out first.")
    rows = data[name].reshape(len(data), -1)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"Modality {name!r} holds NaN or infinity in row {np.argmin(finite)}: leave such beats out first."
        )
    positive = (rows > 0).all(axis=1)
    if name == "rr" and not positive.all():
        raise ValueError(f"An interval of row {np.argmin(positive)} of 'rr' is not above 0 seconds.")


def _late_beats(
    previous: Float[ndarray, " beat"], records: Shaped[ndarray, " beat"], reference: Bool[ndarray, " beat"]
) -> Bool[ndarray, " beat"]:
    """Reference beats whose previous interval is in the upper quartile of those of their record."""
    found = reference.copy()
    for record in np.unique(records):
        rows = np.flatnonzero((records == record) & reference)
        found[rows] = previous[rows] >= np.quantile(previous[rows], _LATE)
    return found


def relative_rr(
    intervals: Float[ndarray, "beat 4"], records: Shaped[ndarray, " beat"], reference: Bool[ndarray, " beat"]
) -> Float32[ndarray, "beat 16"]:
    """Intervals relative to what is usual in the record, as in `RELATIVE_COLUMNS`: a fast heart has few early ones."""
    columns = dict(zip(RR_COLUMNS, intervals.T.astype(np.float32), strict=False))
    columns |= {name: np.empty(len(records), dtype=np.float32) for name in ("usual", "late", "before", "after")}
    for record in np.unique(records):
        rows = np.flatnonzero(records == record)
        own = columns["previous"][rows[reference[rows]]]
        columns["usual"][rows], columns["late"][rows] = np.median(own), np.quantile(own, _LATE)
        columns["before"][rows] = columns["previous"][np.concatenate([rows[:1], rows[:-1]])]
        columns["after"][rows] = columns["next"][np.concatenate([rows[1:], rows[-1:]])]
    ratios = [_log_ratio(columns[above], columns[below]) for above, below in _RATIOS]
    return np.column_stack([*ratios, *_irregularity(_log_ratio(columns["previous"], columns["before"]), records)])


def _log_ratio(above: Float32[ndarray, " beat"], below: Float32[ndarray, " beat"]) -> Float32[ndarray, " beat"]:
    return np.asarray(np.log(np.clip(above / below, 1 / _LARGEST_RATIO, _LARGEST_RATIO)))


def _irregularity(
    change: Float32[ndarray, " beat"], records: Shaped[ndarray, " beat"]
) -> Iterator[Float32[ndarray, " beat"]]:
    """The last three of `RELATIVE_COLUMNS`, by record."""
    by_record = pd.Series(np.abs(change)).groupby(records)
    for beats, kind in ((11, "mean"), (41, "median"), (101, "mean")):
        around = by_record.rolling(beats, center=True, min_periods=1).agg(kind)
        yield around.droplevel(0).sort_index().to_numpy(np.float32)


def with_deviations(
    beats: Num[ndarray, "beat time"],
    records: Shaped[ndarray, " beat"],
    reference: Bool[ndarray, " beat"],
    late: Bool[ndarray, " beat"],
) -> Float32[ndarray, "beat time 3"]:
    """Each beat, z-scored, and how far it is from the record's median beat and from the median of its late beats."""
    found = np.empty((*beats.shape, 3), dtype=np.float32)
    found[..., :1] = standardised(beats)
    for record in np.unique(records):
        rows = np.flatnonzero(records == record)
        own = beats[rows].astype(np.float32)
        usual = np.median(own[reference[rows]].std(axis=1))
        for place, told in enumerate((reference, late), start=1):
            found[rows, :, place] = (own - np.median(own[told[rows]], axis=0)) / (usual if usual > 0 else 1)
    found[..., 1:].clip(-_LARGEST_DEVIATION, _LARGEST_DEVIATION, out=found[..., 1:])
    return found
