"""From finished runs to tables: one row a run, means over seeds, differences over the same seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray
from scipy import stats

from plait.reproduce.store import Stored
from plait.reproduce.study import Contrast, Study

LEVEL = 0.95
"""Coverage of the intervals."""
ONE_SEED = "one seed: no interval"
_FACTS = ("run", "arm", "seed", "seconds", "code")
_DIFFERENCES = (
    *("group", "arm", "minus", "metric", "better", "difference", "low", "high", "sd", "seeds", "reading", "note"),
)


@dataclass(frozen=True)
class Spread:
    """What some numbers say of their mean.

    Args:
        mean: Their mean.
        sd: Their standard deviation, with n - 1; NaN of fewer than two.
        low: Lower end of the 95 % Student-t interval of the mean, with n - 1 degrees of freedom; NaN like the sd.
        high: Upper end.
        count: How many there are.
    """

    mean: float
    sd: float
    low: float
    high: float
    count: int


def spread_of(values: Float[ndarray, " value"]) -> Spread:
    """Mean, standard deviation and Student-t interval of the numbers that are not NaN."""
    known = values[~np.isnan(values)]
    count, nan = len(known), float("nan")
    if count < 2:
        return Spread(float(known[0]) if count else nan, nan, nan, nan, count)
    mean, sd = float(known.mean()), float(known.std(ddof=1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * sd / count**0.5
    return Spread(mean, sd, mean - half, mean + half, count)


def results_table(study: Study, stored: Sequence[Stored]) -> pd.DataFrame:
    """One row a finished run: its name, labels and numbers, how long it took, and the code that made it.

    Runs of the study come first, in its order; then those of other seeds.
    """
    planned = {run.name: place for place, run in enumerate(study.runs)}
    rows = [_row(one) for one in stored]
    rows.sort(key=lambda row: (planned.get(row["run"], len(planned)), row["run"]))
    labels = list(study.runs[0].labels)
    return pd.DataFrame(rows, columns=None if rows else [*_FACTS[:3], *labels, *_FACTS[3:]])


def _row(one: Stored) -> dict[str, Any]:
    content = one.content
    name = f"{content['arm']}/{content['seed']}"
    told = {"run": name, "arm": content["arm"], "seed": content["seed"], **content["labels"], **one.found.numbers}
    return {**told, "seconds": one.seconds, "code": one.code}


def summary_table(study: Study, results: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds, one row an arm and number; then the public numbers, marked as such.

    Columns: kind ("here" or "published"), the labels, metric, mean, sd (over seeds; of public numbers what was
    published with them), low and high (95 % Student-t), seeds, source.
    """
    labels = list(study.runs[0].labels)
    numbers = [name for name in results.columns if name not in (*labels, *_FACTS)]
    rows = [
        {"kind": "here", **runs.iloc[0][labels].to_dict(), "metric": name, **_told(runs, name), "source": "this run"}
        for _, runs in results.groupby("arm", sort=False)
        for name in numbers
        if runs[name].notna().any()
    ]
    public = published.rename(columns={"value": "mean"}).assign(kind="published")
    columns = ["kind", *labels, "metric", "mean", "sd", "low", "high", "seeds", "source"]
    both = [pd.DataFrame(part).reindex(columns=columns).astype(object) for part in (rows, public)]
    return pd.concat(both, ignore_index=True)


def _told(runs: pd.DataFrame, name: str) -> dict[str, float | int]:
    spread = spread_of(runs[name].to_numpy(float))
    return {"mean": spread.mean, "sd": spread.sd, "low": spread.low, "high": spread.high, "seeds": spread.count}


def difference_table(study: Study, results: pd.DataFrame) -> pd.DataFrame:
    """Differences of arms seed by seed, one row a contrast and metric; only seeds that both have count.

    Columns: group, arm, minus, metric, better ("lower" or "higher"), difference (mean of arm - minus), low and high
    (95 % Student-t over the seeds, of one comparison alone), sd, seeds, reading, note. A contrast without a common
    seed is left out, and so is a metric that the arm does not have.
    """
    if results.empty:
        return pd.DataFrame(columns=list(_DIFFERENCES))
    arms = {str(arm): runs.set_index("seed") for arm, runs in results.groupby("arm", sort=False)}
    known = [one for one in study.contrasts(results) if one.arm in arms and one.minus in arms]
    rows = [
        _difference(one, arms, metric, better)
        for one in known
        if arms[one.arm].index.intersection(arms[one.minus].index).size
        for metric, better in study.metrics.items()
        if metric in results and arms[one.arm][metric].notna().any()
    ]
    return pd.DataFrame(rows, columns=list(_DIFFERENCES))


def _difference(one: Contrast, arms: Mapping[str, pd.DataFrame], metric: str, better: str) -> dict[str, Any]:
    paired = (arms[one.arm][metric] - arms[one.minus][metric]).dropna()
    spread = spread_of(paired.to_numpy(float))
    told = {"group": arms[one.arm]["group"].iloc[0], "arm": one.arm, "minus": one.minus, "note": one.note}
    told |= {"metric": metric, "better": better, "reading": _reading(spread, better)}
    numbers = {"difference": spread.mean, "low": spread.low, "high": spread.high, "sd": spread.sd}
    return {**told, **numbers, "seeds": spread.count}


def _reading(spread: Spread, better: str) -> str:
    """What the interval says, in words."""
    if spread.count < 2:
        return ONE_SEED
    if spread.low <= 0 <= spread.high:
        return "not told apart"
    return "better" if (spread.mean > 0) == (better == "higher") else "worse"


def long_table(stored: Sequence[Stored], name: str) -> pd.DataFrame:
    """A table that runs gave, one row a run and cell: run, arm, seed, row, column, value."""
    rows = [
        (f"{one.content['arm']}/{one.content['seed']}", one.content["arm"], one.content["seed"], row, column, value)
        for one in stored
        for row, cells in one.found.tables.get(name, {}).items()
        for column, value in cells.items()
    ]
    return pd.DataFrame(rows, columns=["run", "arm", "seed", "row", "column", "value"])
