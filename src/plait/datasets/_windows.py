"""Windows of a table of time steps: strided views that share its memory, and which of them a part may use."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Int
from numpy import ndarray
from numpy.lib.stride_tricks import sliding_window_view

Rows: TypeAlias = "slice | Int[ndarray, ' window']"


def windows(table: Float32[ndarray, "row column"], length: int) -> Float32[ndarray, "window length column"]:
    """All windows of so many rows, one after another, as a read-only view: no value is copied."""
    return sliding_window_view(table, length, axis=0).transpose(0, 2, 1)


def flat_windows(table: Float32[ndarray, "row column"], length: int) -> Float32[ndarray, "window flat"]:
    """The same with the values of a window in one row, time the slower axis; a view if the table is contiguous."""
    columns = table.shape[1]
    return sliding_window_view(table.reshape(-1), length * columns)[::columns]


@dataclass(frozen=True)
class Division:
    """A table of time steps, divided into consecutive training, validation and test rows.

    A window is so many rows of history and the rows after them, which are its targets. It belongs to the part that
    holds all its targets; its history may reach back into the part before. Windows are counted from 0 by the row
    where their history begins; those whose targets lie in two parts belong to none.

    Args:
        train: Training rows.
        validation: Validation rows.
        test: Test rows.
        lookback: Rows of history, at least 1.
        horizon: Rows of targets, at least 1.

    Raises:
        ValueError: If one part has no window.
    """

    train: int
    validation: int
    test: int
    lookback: int
    horizon: int

    def __post_init__(self) -> None:
        if self.lookback + self.horizon > self.train:
            raise ValueError(
                f"lookback and horizon together must be at most the {self.train} training rows "
                f"(got {self.lookback} + {self.horizon})."
            )
        least = min(self.validation, self.test)
        if self.horizon > least:
            raise ValueError(f"horizon must be at most {least}, the rows of a part (got {self.horizon}).")

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return self.train + self.validation + self.test

    @property
    def count(self) -> int:
        """Windows of all parts, and those between them."""
        return self.rows - self.lookback - self.horizon + 1

    def part(self, name: str) -> slice:
        """The windows of "train", "validation" or "test": as many as the part has rows, less the horizon, plus 1."""
        ends = np.cumsum([self.train, self.validation, self.test])
        first, last = {
            "train": (self.lookback, ends[0]),
            "validation": (ends[0], ends[1]),
            "test": (ends[1], ends[2]),
        }[name]
        return slice(int(first) - self.lookback, int(last) - self.horizon - self.lookback + 1)

    def within(self, name: str) -> Bool[ndarray, " window"]:
        """Whether each of all windows is one of a part."""
        inside = np.zeros(self.count, dtype=bool)
        inside[self.part(name)] = True
        return inside

    def several(self, *names: str) -> Int[ndarray, " window"]:
        """The windows of several parts, one part after another."""
        parts = [self.part(name) for name in names]
        return np.concatenate([np.arange(part.start, part.stop) for part in parts])
