"""What skewness does: gains by skewness of the pairs, and how often each depth is the best."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from plait.skew.findings.columns import empty, stacked
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.grid import numbers
from plait.skew.findings.scorers import columns
from plait.skew.uncertainty import Scored, selection_frequency
from plait.statistics.bootstrap import percentile_interval


def skew_table(seen: Evidence) -> pd.DataFrame:
    """Mean and best gain of the pairs of every skewness, by operator and two modalities."""
    return stacked("skew", [pd.DataFrame(_rows(seen, operator)) for operator in seen.singles])


def _rows(seen: Evidence, operator: str) -> list[dict[str, object]]:
    singles, frequency = singles_of(seen, operator)
    return [
        {"operator": operator, "first": first, "second": second, "d": d, "pairs": len(part)}
        | _means(columns(seen.gains, part.index.to_list()), seen.level)
        | _best(columns(seen.gains, part.index.to_list()), seen.level)
        | {"frequency": float(frequency[part["place"]].sum())}
        for (first, second, d), part in singles.groupby(["first", "second", "d"], sort=False)
    ]


def singles_of(seen: Evidence, operator: str) -> tuple[pd.DataFrame, Float[ndarray, " pair"]]:
    """The single pairs of an operator, and how often each is the best of them.

    Returns:
        A row a pair, by the number of the candidate: its place among them, modalities, taps, and skewness d; by
        modalities, then by d. And the frequencies by place.
    """
    rows, pairs = seen.singles[operator], seen.pairs(operator)
    table = pd.DataFrame({"place": np.arange(len(rows)), **numbers(pairs)}, index=rows)
    table["d"] = [seen.space.skewness(pair) for pair in pairs]
    edges = {edge: place for place, edge in enumerate(seen.space.edges)}
    table["edge"] = [edges[pair.first, pair.second] for pair in pairs]
    return table.sort_values(["edge", "d"], kind="stable"), selection_frequency(columns(seen.search.fused, rows))


def _means(found: Scored, level: float) -> dict[str, float]:
    low, high = percentile_interval(found.drawn.mean(axis=1), level)
    return {"mean_gain": float(found.values.mean()), "mean_low": float(low), "mean_high": float(high)}


def _best(found: Scored, level: float) -> dict[str, float]:
    """The best one, which stays the best in every draw."""
    best = int(np.argmax(found.values))
    low, high = percentile_interval(found.drawn[:, best], level)
    return {"best_gain": float(found.values[best]), "best_low": float(low), "best_high": float(high)}


def marginals_table(seen: Evidence) -> pd.DataFrame:
    """How often a pair with each tap is the best, by operator: of two modalities it sums to 1 over either's taps."""
    rows = []
    for operator in seen.singles:
        singles, frequency = singles_of(seen, operator)
        for modality, tap in seen.alone:
            here = ((singles["first"] == modality) & (singles["i"] == tap)) | (
                (singles["second"] == modality) & (singles["j"] == tap)
            )
            share = float(frequency[singles.loc[here, "place"]].sum())
            rows.append({"operator": operator, "modality": modality, "tap": tap, "frequency": share})
    return pd.DataFrame(rows) if rows else empty("marginals")


def skew_effect(seen: Evidence) -> tuple[float, float, float]:
    """Best skew pair minus best diagonal pair of the search's operator, and its interval (both pairs held fixed).

    Returns:
        The difference and both ends; NaN where there are no skew pairs, or no diagonal ones.
    """
    skewness = np.array([seen.space.skewness(pair) for pair in seen.pairs(seen.operator)])
    rows = np.array(seen.singles.get(seen.operator, []))
    skew, diagonal = rows[skewness != 0], rows[skewness == 0]
    if not (len(skew) and len(diagonal)):
        return float("nan"), float("nan"), float("nan")
    fused = seen.search.fused
    best, other = (int(part[np.argmax(fused.values[part])]) for part in (skew, diagonal))
    low, high = percentile_interval(fused.drawn[:, best] - fused.drawn[:, other], seen.level)
    return float(fused.values[best] - fused.values[other]), float(low), float(high)
