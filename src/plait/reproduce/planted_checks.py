"""Thresholds of the planted benchmark: what every search must reach, run by run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import pandas as pd

STATED, OURS = "stated with the benchmark", "ours, set from a first run"
_COLUMNS = ["check", "threshold", "measured", "runs", "held", "source"]


@dataclass(frozen=True)
class Threshold:
    """A bound on a number of an arm, which every run must keep.

    Args:
        arm: The arm.
        number: The number.
        what: What it is, in words.
        least: Lower bound; None is none, and there is an upper one.
        most: Upper bound; None is none.
        source: Who set it.
    """

    arm: str
    number: str
    what: str
    least: float | None = None
    most: float | None = None
    source: str = STATED

    def row(self, runs: pd.DataFrame) -> dict[str, Any]:
        """The worst run against the bounds; NaN keeps none."""
        low, high = (float(end) for end in runs[self.number].agg(["min", "max"], skipna=False))
        told: dict[str, Any] = {"check": f"{self.arm}: {self.what}", "threshold": f"{self._bound} in every run"}
        told |= {"measured": high if self.least is None else low, "runs": len(runs)}
        held = (self.least is None or low >= self.least) and (self.most is None or high <= self.most)
        return {**told, "held": held, "source": self.source}

    @property
    def _bound(self) -> str:
        return f"at most {self.most:g}" if self.least is None else f"at least {self.least:g}"


@dataclass(frozen=True)
class Tolerated:
    """A bound on how many data sets of all runs together go wrong.

    Stated of so many data sets, it is scaled to those that were run and rounded up to whole ones.

    Args:
        arm: The arm.
        number: Share of a run's data sets that go wrong.
        what: What that is, in words.
        wrong: How many may go wrong ...
        of: ... of so many.
    """

    arm: str
    number: str
    what: str
    wrong: int
    of: int

    def row(self, runs: pd.DataFrame) -> dict[str, Any]:
        """All runs together against the bound."""
        total = int(runs["data_sets"].sum())
        allowed = ceil(total * self.wrong / self.of)
        count = round(float((runs[self.number] * runs["data_sets"]).sum(skipna=False)))
        bound = f"at most {allowed} of {total} data sets, {self.wrong} of {self.of} rounded up"
        told = {"check": f"{self.arm}: {self.what}", "threshold": bound, "measured": float(count)}
        return {**told, "runs": len(runs), "held": count <= allowed, "source": STATED}


def found(arm: str, source: str = STATED, what: str = "the planted pairs and no others are chosen") -> Threshold:
    """The choice is what is planted, in every run."""
    return Threshold(arm, "recovered", what, least=1.0, source=source)


def like_oracle(arm: str, deviation: float, source: str = STATED) -> tuple[Threshold, Threshold]:
    """The grid on test rows is that of the best possible decisions."""
    return (
        Threshold(arm, "correlation", "correlation of the grid with its oracle", least=0.98, source=source),
        Threshold(arm, "max_deviation", "largest deviation of the grid from its oracle", most=deviation, source=source),
    )


def inside(arm: str, source: str = STATED) -> Threshold:
    """The planted pair cannot be told from the best."""
    what = "the planted pair is in the set of the best"
    return Threshold(arm, "planted_in_confidence_set", what, least=1.0, source=source)


def _decoy(arm: str) -> tuple[Threshold, Threshold]:
    return found(arm), Threshold(arm, "first_tap_as_planted", "the best single tap of a is the decoy", least=1.0)


def _useless(arm: str, wrong: int, of: int) -> Tolerated:
    return Tolerated(arm, "supported", "data sets in which some fusion is supported", wrong, of)


def _null(arm: str) -> tuple[Tolerated, Threshold]:
    what = "share of draws in which the best pair is the best, mean over the data sets"
    return _useless(arm, 1, 20), Threshold(arm, "mean_winner_frequency", what, most=0.6)


_MODULES = "small/modules/concat"
_STATED: tuple[Threshold | Tolerated, ...] = (
    found("small/add/concat"),
    *like_oracle("small/add/concat", 0.08),
    Threshold("small/add/concat", "over_dense", "test accuracy minus that of all taps at once", least=0.03),
    Threshold("small/add/concat", "planted_frequency", "share of draws that choose the planted pair", least=0.95),
    found("full/add/concat"),
    *like_oracle("full/add/concat", 0.10),
    inside("full-0.9/add/concat"),
    inside("full-0.95/add/concat"),
    found("full/diag/concat"),
    found("full/late/concat"),
    *_decoy("small/decoy/concat"),
    *_decoy("full/decoy/concat"),
    found("small/xor/outer"),
    Threshold("small/xor/concat", "off_chance", "largest distance of a pair's test accuracy from 1/2", most=0.05),
    found("small/xor/bilinear"),
    _useless("small/uni/concat", 1, 10),
    _useless("full/uni/concat", 1, 10),
    *_null("small/null/concat"),
    *_null("full/null/concat"),
    found("small/multi/outer"),
)
_OURS: tuple[Threshold | Tolerated, ...] = (
    inside("small-0.9/add/concat", OURS),
    inside("small-0.95/add/concat", OURS),
    found("small/diag/concat", OURS),
    found("small/late/concat", OURS),
    found("small/tri/concat", OURS),
    found("full/tri/concat", OURS),
    *like_oracle("small/tri/concat", 0.08, OURS),
    *like_oracle("full/tri/concat", 0.10, OURS),
    found("small/unequal/concat", OURS),
    *like_oracle("small/unequal/concat", 0.08, OURS),
    found("full/xor/outer", OURS),
    found("full/xor/bilinear", OURS),
    found("full/multi/outer", OURS),
    found(_MODULES, OURS),
    *like_oracle(_MODULES, 0.08, OURS),
    Threshold(_MODULES, "online_apart", "largest difference of cached taps to taps read online", most=1e-4),
    Threshold(_MODULES, "truncated_apart", "largest difference of taps of encoders cut short", most=1e-5),
)
THRESHOLDS = (*_STATED, *_OURS)
"""All of them; those stated with the benchmark first."""


def checks(results: pd.DataFrame, thresholds: Sequence[Threshold | Tolerated] = THRESHOLDS) -> pd.DataFrame:
    """Every threshold whose arm has runs, and whether it holds."""
    arms: Mapping[Any, pd.DataFrame] = {} if results.empty else dict(iter(results.groupby("arm", sort=False)))
    return _rows(one.row(arms[one.arm]) for one in thresholds if one.arm in arms)


def _rows(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=_COLUMNS)
