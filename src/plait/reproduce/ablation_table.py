"""What each piece buys: errors without it over those of the default in the same split, with intervals over seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from plait.reproduce.ablation_arms import ARMS
from plait.reproduce.meta_fusion_arms import DEFAULT
from plait.reproduce.tables import ONE_SEED, Spread, spread_of

RATIO, APART = "ratio of losses", "difference of error rates"
ALL = "all"
"""The group of rows that are of all sets together."""
HELPS, NEITHER, HARMS = "helps", "no difference seen", "harms"
_COLUMNS = (*("piece", "instead", "arm", "group", "measure", "value", "low", "high", "seeds", "alike", "sets", "buys"),)
_DIGITS = 9  # changes smaller than 1e-9 are rounding


@dataclass(frozen=True)
class Measure:
    """How arms are compared with the default, split by split.

    Args:
        metrics: The number of a run: the first of these that it has.
        scale: On which differences are averaged.
        back: From a difference on this scale to what is told.
    """

    metrics: tuple[str, ...]
    scale: Callable[[pd.Series], pd.Series]
    back: Callable[[float], float]

    def changes(self, results: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """By arm its differences from the default: one row a seed, one column a set, NaN where one of both is missing.

        Arms and sets that cannot be compared are not there.
        """
        known = results.reindex(columns=[*self.metrics]).bfill(axis=1).iloc[:, 0].astype(float)
        values = results[["group", "method", "seed"]].assign(value=self.scale(known)).dropna()
        wide = values.pivot_table(index="seed", columns=["method", "group"], values="value", sort=False)
        by_arm = {arm: wide.loc[:, [arm]].droplevel("method", axis=1) for arm in (DEFAULT, *ARMS) if arm in wide}
        if DEFAULT not in by_arm:
            return {}
        default = by_arm.pop(DEFAULT)
        apart = {arm: (one - default).reindex(columns=default.columns) for arm, one in by_arm.items()}
        found = {arm: one.round(_DIGITS).dropna(axis=1, how="all") for arm, one in apart.items()}
        return {arm: one for arm, one in found.items() if one.size}


MEASURES: Mapping[str, Measure] = {
    RATIO: Measure(("mse", "log_loss"), np.log, lambda value: float(np.exp(value))),
    APART: Measure(("error",), lambda values: values, lambda value: value),
}
"""Mean squared errors of values and log losses of classes, over the default's: geometric means. Error rates of classes
minus the default's."""


def ablation_table(results: pd.DataFrame) -> pd.DataFrame:
    """One row an arm, measure and set, and one of all sets together before them.

    The interval is Student's t over the seeds, of changes in the same split. Of all sets together a seed counts by the
    mean of its changes over the sets, every set alike, so that sets are not taken for repetitions; only seeds count
    that all sets have. It is about other draws and splits of these sets, not about other sets: whether a piece helps
    in each of them is told beside.

    Args:
        results: One row a run: columns group (the set), method (the arm), seed, and metrics.

    Returns:
        Columns piece, instead, arm, group ("all": all sets), measure, value, low, high (NaN of one seed), seeds, alike
        (runs that lose exactly what the default loses, of all), sets (of all sets together: in how many the piece helps
        or harms by itself), buys: "helps" where the interval says that the error is higher without the piece, "harms"
        where lower, else "no difference seen".
    """
    if results.empty:
        return pd.DataFrame(columns=list(_COLUMNS))
    rows = [row for name, measure in MEASURES.items() for row in _of_measure(name, measure, results)]
    rows.sort(key=_place)
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _place(row: dict[str, Any]) -> tuple[int, bool, int]:
    """In the order of the arms; all sets before each."""
    return list(ARMS).index(row["arm"]), row["group"] != ALL, list(MEASURES).index(row["measure"])


def _of_measure(name: str, measure: Measure, results: pd.DataFrame) -> Iterable[dict[str, Any]]:
    for arm, changes in measure.changes(results).items():
        by_set = [_row(arm, str(group), name, changes[[group]], measure) for group in changes]
        yield from by_set
        yield {**_row(arm, ALL, name, changes, measure), "sets": _counts(by_set)}


def _row(arm: str, group: str, name: str, changes: pd.DataFrame, measure: Measure) -> dict[str, Any]:
    """Some sets together: every seed by its mean over them."""
    whole = changes.dropna()
    spread = spread_of(whole.mean(axis=1).to_numpy(float))
    numbers = {what: measure.back(getattr(spread, end)) for what, end in _ENDS.items()}
    told = {"piece": ARMS[arm].piece, "instead": ARMS[arm].instead, "arm": arm, "group": group, "measure": name}
    alike = f"{int((whole == 0).to_numpy().sum())} of {whole.size}"
    return {**told, **numbers, "seeds": spread.count, "alike": alike, "sets": "", "buys": verdict(spread)}


_ENDS = {"value": "mean", "low": "low", "high": "high"}


def verdict(spread: Spread) -> str:
    """What the interval of a change of the error says of the piece that is not there."""
    if spread.count < 2:
        return ONE_SEED
    return HELPS if spread.low > 0 else HARMS if spread.high < 0 else NEITHER


def _counts(rows: Sequence[Mapping[str, Any]]) -> str:
    """In how many sets the piece helps or harms by itself; "" where one seed says nothing of any."""
    said = [row["buys"] for row in rows]
    return (
        "" if set(said) == {ONE_SEED} else f"helps in {said.count(HELPS)}, harms in {said.count(HARMS)} of {len(said)}"
    )


def overviews(results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The table in two: of all sets together, and of each; none before an arm can be compared."""
    table = ablation_table(results)
    whole = table["group"] == ALL
    return {"ablation": table[whole], "ablation-by-set": table[~whole]} if len(table) else {}
