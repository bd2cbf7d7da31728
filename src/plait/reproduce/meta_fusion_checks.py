"""Thresholds of the reproductions of Meta Fusion: beside the authors' numbers, and on real data."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from plait.reproduce.meta_fusion_arms import DEFAULT
from plait.reproduce.meta_fusion_numbers import META, NEGATIVE, NEGATIVE_ARMS, RIDGE, reference

APART = 0.05
"""How far the published method may be from the authors' code, as a share, on average over the seeds."""
_ALIKE = 0.1
SHARES: Mapping[str, float] = {"1.1": 0.9, "1.2": 0.2, "1.3": 0.2, "2.1": 0.9, "2.2": 0.2, "2.3": 0.2}
"""Test MSE of the default at most, as a share of the better of the authors' Meta Fusion and ridge, by setting."""
_SOURCE = "ours, set before the runs"
_COLUMNS = ["check", "threshold", "measured", "runs", "held", "source"]


def simulation_checks(setting: str, results: pd.DataFrame) -> pd.DataFrame:
    """The published method beside the authors' code, and the default beside the better of that and ridge.

    Only seeds for which there is a number of the authors' code count. Ridge is that of the same seed: the one here, or
    the one that is known.
    """
    if results.empty:
        return _table([])
    errors = results.pivot_table(index="seed", columns="method", values="mse")
    known = errors.reindex(columns=["paper", DEFAULT, "ridge"]).join(reference(setting), how="inner")
    ratio = (known["paper"] / known[META]).dropna()
    best = known[[META, RIDGE, "ridge"]].min(axis=1)
    return _table([*_like_authors(ratio), *_better(SHARES[setting], (known[DEFAULT] / best).dropna())])


def _like_authors(ratio: "pd.Series[float]") -> Iterable[dict[str, Any]]:
    if len(ratio):
        mean, bounds = float(ratio.mean()), f"{1 - APART:g} to {1 + APART:g}, mean over the seeds"
        what = "test MSE of paper over that of the authors' code"
        yield _row(what, bounds, mean, len(ratio), held=abs(mean - 1) <= APART)


def _better(share: float, ratio: "pd.Series[float]") -> Iterable[dict[str, Any]]:
    if len(ratio):
        most, what = float(ratio.max()), "test MSE of default over the better of the authors' Meta Fusion and ridge"
        yield _row(what, f"at most {share:g} in every run", most, len(ratio), held=most <= share)


def negative_checks(results: pd.DataFrame) -> pd.DataFrame:
    """Good teachers help on the whole, bad ones harm the good; students alone are like the authors'.

    Ratios are of means over students, seed by seed.
    """
    if results.empty:
        return _table([])
    mean, best = (results.pivot_table(index="seed", columns="arm", values=name) for name in ("mse", "best_cluster"))
    mean, best = (table.reindex(columns=list(NEGATIVE_ARMS)) for table in (mean, best))
    known = NEGATIVE.of("independent").mean(axis=1)
    alone, helped = mean["independent"] / known, mean["clustering"] / mean["independent"]
    harmed = best["adversarial"] / best["clustering"]
    bounds = (
        ("students alone: test MSE over the authors'", alone, 1 - _ALIKE, 1 + _ALIKE),
        ("all students: the best teach over nobody", helped, -np.inf, 1.0),
        ("students of the best cluster: the worst teach over the best", harmed, 1.0, np.inf),
    )
    return _table(_within(*bound) for bound in bounds if len(bound[1].dropna()))


def _within(what: str, ratio: "pd.Series[float]", low: float, high: float) -> dict[str, Any]:
    mean, bound = float(ratio.mean()), f"{low:g} to {high:g}"
    bound = bound if np.isfinite(high - low) else f"at least {low:g}" if np.isfinite(low) else f"at most {high:g}"
    return _row(what, f"{bound}, mean over the seeds", mean, int(ratio.notna().sum()), held=low <= mean <= high)


class Threshold(ABC):
    """Something that the default must reach."""

    @abstractmethod
    def rows(self, results: pd.DataFrame) -> Iterable[dict[str, Any]]:
        """What was measured; nothing where runs for it are not there."""


@dataclass(frozen=True)
class Floor(Threshold):
    """What the mean of the default over the runs of a group must reach.

    Args:
        group: The group.
        metric: The metric; higher is better.
        least: The floor.
    """

    group: str
    metric: str
    least: float

    def rows(self, results: pd.DataFrame) -> Iterable[dict[str, Any]]:
        """One row, if there are runs."""
        values = _by_seed(results, self.group, DEFAULT, self.metric)
        if len(values):
            mean, threshold = float(values.mean()), f"at least {self.least:g}, mean over the runs"
            what = f"{self.group}: {self.metric} of {DEFAULT}"
            yield _row(what, threshold, mean, len(values), held=mean >= self.least)


@dataclass(frozen=True)
class NotBelow(Threshold):
    """The default is no worse than another arm by more than one standard error of the differences, seed by seed.

    Args:
        group: The group.
        metric: The metric; higher is better.
        rival: Method that it is compared with.
    """

    group: str
    metric: str
    rival: str

    def rows(self, results: pd.DataFrame) -> Iterable[dict[str, Any]]:
        """One row, if both have runs of two seeds or more."""
        ours, theirs = (_by_seed(results, self.group, name, self.metric) for name in (DEFAULT, self.rival))
        yield from _not_below(f"{self.group}: {self.metric} of {DEFAULT} minus that of {self.rival}", ours - theirs)


@dataclass(frozen=True)
class NotBelowBest(Threshold):
    """The same of whichever of several arms is best in the test itself, which is more than could be known before it.

    Args:
        group: The group.
        metric: The metric; higher is better.
        rivals: Methods of which the best by the mean over the seeds is taken.
        what: What they are, in words.
    """

    group: str
    metric: str
    rivals: tuple[str, ...]
    what: str

    def rows(self, results: pd.DataFrame) -> Iterable[dict[str, Any]]:
        """One row, if the default and every rival have runs of two seeds or more; only seeds that all have count."""
        names = (DEFAULT, *self.rivals)
        known = pd.DataFrame({name: _by_seed(results, self.group, name, self.metric) for name in names}).dropna()
        if len(known):
            best = str(known[[*self.rivals]].mean().idxmax())
            what = f"{self.group}: {self.metric} of {DEFAULT} minus that of {best}, the best {self.what}"
            yield from _not_below(what, known[DEFAULT] - known[best])


@dataclass(frozen=True)
class AboveInMost(Threshold):
    """The mean of the default over the runs is above a number in so many groups.

    Args:
        floors: The number by group.
        metric: The metric; higher is better.
        least: In how many groups it must be above, at least.
        what: What the numbers are, in words.
    """

    floors: Mapping[str, float]
    metric: str
    least: int
    what: str

    def rows(self, results: pd.DataFrame) -> Iterable[dict[str, Any]]:
        """One row, if every group has runs."""
        values = {group: _by_seed(results, group, DEFAULT, self.metric) for group in self.floors}
        if all(map(len, values.values())):
            above = sum(float(values[group].mean()) > floor for group, floor in self.floors.items())
            what = f"groups in which {self.metric} of {DEFAULT} is above {self.what}"
            threshold = f"at least {self.least} of {len(values)}, mean over the runs"
            yield _row(what, threshold, float(above), min(map(len, values.values())), held=above >= self.least)


def _not_below(what: str, apart: "pd.Series[float]") -> Iterable[dict[str, Any]]:
    """A row on differences seed by seed, if there are two: not below 0 by more than one standard error of them."""
    known = apart.dropna()
    if len(known) > 1:
        mean, error = float(known.mean()), float(known.std(ddof=1)) / len(known) ** 0.5
        yield _row(what, f"at least {-error:.4f}, one standard error below", mean, len(known), held=mean >= -error)


def real_checks(thresholds: Iterable[Threshold], results: pd.DataFrame) -> pd.DataFrame:
    """Every threshold that has runs, and whether it holds."""
    return _table([] if results.empty else [row for one in thresholds for row in one.rows(results)])


def _by_seed(results: pd.DataFrame, group: str, method: str, metric: str) -> "pd.Series[float]":
    runs = results[(results["group"] == group) & (results["method"] == method)]
    return runs.set_index("seed")[metric].astype(np.float64)


def _row(what: str, threshold: str, measured: float, runs: int, *, held: bool) -> dict[str, Any]:
    told = {"check": what, "threshold": threshold, "measured": measured, "runs": runs}
    return {**told, "held": held, "source": _SOURCE}


def _table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=_COLUMNS)
