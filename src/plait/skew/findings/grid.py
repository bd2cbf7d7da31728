"""Tables of the single pairs and of the taps alone."""

import pandas as pd

from plait.skew.findings.columns import stacked
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.scorers import columns
from plait.skew.space import Pair
from plait.skew.uncertainty import selection_frequency
from plait.statistics.bootstrap import percentile_interval


def depths_table(seen: Evidence) -> pd.DataFrame:
    """Number of taps of every modality."""
    return pd.DataFrame({"modality": list(seen.space.depths), "taps": list(seen.space.depths.values())})


def pairs_table(seen: Evidence) -> pd.DataFrame:
    """Every pair by every operator: its gains with simultaneous bounds, and how sure it is the best."""
    return stacked("pairs", [_pairs_of(seen, operator) for operator in seen.singles])


def _pairs_of(seen: Evidence, operator: str) -> pd.DataFrame:
    space, rows, pairs = seen.space, seen.singles[operator], seen.pairs(operator)
    found = columns(seen.search.fused, rows)
    late = dict(zip(space.edges, seen.sets(operator, [space.late(edge) for edge in space.edges]).values, strict=True))
    return pd.DataFrame(
        {
            "operator": operator,
            "pair": [str(pair) for pair in pairs],
            **numbers(pairs),
            "skewness": [space.skewness(pair) for pair in pairs],
            "relative_skewness": [space.relative_skewness(pair) for pair in pairs],
            "score": found.values,
            "gain": seen.gains.values[rows],
            "gain_low": seen.band.low[rows],
            "gain_high": seen.band.high[rows],
            "gain_own": found.values - [_own(seen, pair) for pair in pairs],
            "gain_late": found.values - [late[pair.first, pair.second] for pair in pairs],
            "frequency": selection_frequency(found),
            "in_confidence_set": seen.best[rows],
            "supported": seen.band.low[rows] > 0,
            "chosen": [operator == seen.search.operator and pair in seen.search.selection.pairs for pair in pairs],
        }
    )


def _own(seen: Evidence, pair: Pair) -> float:
    """Score of the better of a pair's own taps."""
    return max(seen.of_tap((pair.first, pair.i)), seen.of_tap((pair.second, pair.j)))


def numbers(pairs: list[Pair]) -> dict[str, list[str] | list[int]]:
    """Modalities and taps of pairs, as columns."""
    return {
        "first": [pair.first for pair in pairs],
        "i": [pair.i for pair in pairs],
        "second": [pair.second for pair in pairs],
        "j": [pair.j for pair in pairs],
    }


def taps_table(seen: Evidence) -> pd.DataFrame:
    """Every tap by itself, with the interval of its score."""
    found = columns(seen.search.alone, list(seen.alone.values()))
    low, high = percentile_interval(found.drawn, seen.level)
    return pd.DataFrame(
        {
            "modality": [modality for modality, _ in seen.alone],
            "tap": [tap for _, tap in seen.alone],
            "score": found.values,
            "low": low,
            "high": high,
            "best": [tap == seen.search.selection.tap for tap in seen.alone],
        }
    )
