"""The samples of ETT: what was asked for, the standardised table, and the windows of each modality."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32
from numpy import ndarray
from numpy.typing import NDArray

from plait.data.checks import listed
from plait.data.modalities import Modalities
from plait.data.settings import check_one_of, check_whole
from plait.datasets._ett_files import COLUMNS, SOURCES
from plait.datasets._fetch import Arrays
from plait.datasets._windows import Division, Rows, flat_windows, windows

_NAMES = tuple(SOURCES)
_SPLITS = ("train", "validation", "test", "train+validation", "all")
_HOURS = MappingProxyType({"ETTh1": 1.0, "ETTh2": 1.0, "ETTm1": 0.25, "ETTm2": 0.25})
_MONTHS = (12, 4, 4)  # of 30 days
_TOLD = MappingProxyType({"train+validation": ("validation",), "all": ("train", "validation", "test")})


class EttTable(NamedTuple):
    """What windows are cut from: standardised columns, those to predict, and the calendar; one row a step."""

    scaled: Float32[ndarray, "row 7"]
    chosen: Float32[ndarray, "row variable"]
    calendar: Float32[ndarray, "row 4"]


_MODALITIES: Mapping[str, Callable[[EttTable, Division], Float32[ndarray, "window time column"]]] = MappingProxyType(
    {
        "series": lambda table, division: windows(table.chosen, division.lookback),
        "temperature": lambda table, division: windows(table.scaled[:, -1:], division.lookback),
        "loads": lambda table, division: windows(table.scaled[:, :-1], division.lookback),
        "calendar": lambda table, division: windows(table.calendar, division.lookback + division.horizon),
    }
)


@dataclass(frozen=True)
class EttRequest:
    """What was asked for, checked."""

    name: str
    split: str
    modalities: tuple[str, ...]
    variables: tuple[str, ...]
    division: Division

    @classmethod
    def of(
        cls, name: str, size: tuple[int, int], split: str, modalities: Sequence[str], variables: str | Sequence[str]
    ) -> "EttRequest":
        """The request, or a ValueError that says what is allowed; `size` is look-back and horizon."""
        check_one_of("name", name, _NAMES)
        check_one_of("split", split, _SPLITS)
        check_whole("lookback", size[0], 1)
        check_whole("horizon", size[1], 1)
        chosen = COLUMNS if variables == "all" else _words("variables", variables, COLUMNS)
        per_month = int(30 * 24 / _HOURS[name])
        train, validation, test = (months * per_month for months in _MONTHS)
        division = Division(train, validation, test, *size)
        return cls(name, split, _words("modalities", modalities, tuple(_MODALITIES)), chosen, division)

    @property
    def rows(self) -> Rows:
        """The windows of the split: a slice, which shares memory, or places, which copy."""
        if self.split == "all":
            return slice(0, self.division.count)
        names = self.split.split("+")
        return self.division.part(self.split) if len(names) == 1 else self.division.several(*names)

    @property
    def months(self) -> NDArray[np.intp]:
        """The month of 30 days, from 0, in which each window's first target lies."""
        first = np.arange(self.division.count)[self.rows] + self.division.lookback
        return first // (self.division.test // _MONTHS[-1])

    def parts(self) -> dict[str, NDArray[Any]]:
        """Which windows are of which part, where several parts were asked for."""
        inside = {part: self.division.within(part)[self.rows] for part in _TOLD.get(self.split, ())}
        return {part: rows if part == "validation" else np.flatnonzero(rows) for part, rows in inside.items()}


def _words(name: str, given: str | Sequence[str], choices: tuple[str, ...]) -> tuple[str, ...]:
    words = () if isinstance(given, str) else tuple(given)
    if not words or len(set(words)) < len(words) or not set(words) <= set(choices):
        raise ValueError(f"{name} must list one or more of {listed(choices, 7)}, each once (got {given!r}).")
    return words


def ett_scale(values: NDArray[np.float32], request: EttRequest) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and population standard deviation of the training rows alone; 1 for a constant column."""
    if len(values) < request.division.rows:
        raise ValueError(f"{request.name} has {len(values)} rows, fewer than the {request.division.rows} of its parts.")
    train = values[: request.division.train].astype(np.float64)
    sd = train.std(axis=0)
    return train.mean(axis=0), np.where(sd > 0, sd, 1.0)


def ett_table(arrays: Arrays, request: EttRequest, mean: NDArray[np.float64], sd: NDArray[np.float64]) -> EttTable:
    """The rows of the three parts, standardised."""
    used = slice(request.division.rows)
    scaled = np.ascontiguousarray((arrays["values"][used] - mean) / sd, dtype=np.float32)
    places = [COLUMNS.index(variable) for variable in request.variables]
    chosen = scaled if request.variables == COLUMNS else np.ascontiguousarray(scaled[:, places])
    return EttTable(scaled, chosen, _calendar(pd.DatetimeIndex(arrays["times"][used]), _HOURS[request.name]))


def _calendar(times: pd.DatetimeIndex, hours: float) -> Float32[ndarray, "row 4"]:
    """Hour, weekday, day and month, each from -0.5 at its first value to 0.5 at its last."""
    parts = [
        (times.hour + times.minute / 60) / (24 - hours),
        times.day_of_week / 6,
        (times.day - 1) / 30,
        (times.month - 1) / 11,
    ]
    return (np.column_stack(parts) - 0.5).astype(np.float32)


def ett_samples(
    table: EttTable, request: EttRequest, times: pd.DatetimeIndex
) -> tuple[Modalities, NDArray[np.float32]]:
    """The windows that were asked for, and their targets; `times` are those of the first targets."""
    division, rows = request.division, request.rows
    arrays: dict[str, NDArray[Any]] = {
        name: _MODALITIES[name](table, division)[: division.count][rows] for name in request.modalities
    }
    target = flat_windows(table.chosen[division.lookback :], division.horizon)[rows]
    present = np.ones((len(times), len(arrays)), dtype=bool)
    # Every value of the file was found to be finite when it was read: no need to look at each window.
    return Modalities.trusted(arrays, times.to_numpy(), present, {}, own_ids=True), target
