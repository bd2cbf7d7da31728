"""The ladder of density: sets of more and more pairs, which says whether fewer are enough."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from plait.skew.findings.columns import stacked
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.scorers import text_of
from plait.skew.selection import Pairs, gains
from plait.statistics.bootstrap import percentile_interval

_RUNGS = 12
"""Windows at most: of deeper encoders only so many sizes are tried."""


def sets_table(seen: Evidence) -> pd.DataFrame:
    """The sets that were built pair by pair, by operator; then the named sets by the search's operator."""
    ladders = [(operator, "greedy", _greedy(seen, operator)) for operator in seen.operators]
    named = {"late": [seen.space.late()], "pairwise": [seen.space.pairwise()], "window": list(_windows(seen))}
    for kind, sets in named.items():
        ladders.append((seen.operator, kind, [pairs for pairs in sets if seen.can_score(seen.operator, pairs)]))
    return stacked("sets", [_rungs(seen, operator, kind, sets) for operator, kind, sets in ladders if sets])


def _rungs(seen: Evidence, operator: str, kind: str, sets: list[Pairs]) -> pd.DataFrame:
    found = seen.sets(operator, sets)
    over = gains(found, seen.search.alone)
    (low, high), (gain_low, gain_high) = (percentile_interval(one.drawn, seen.level) for one in (found, over))
    return pd.DataFrame(
        {
            "operator": operator,
            "kind": kind,
            "pairs": [text_of(pairs) for pairs in sets],
            "size": [len(pairs) for pairs in sets],
            "density": [seen.space.density(pairs) for pairs in sets],
            "score": found.values,
            "low": low,
            "high": high,
            "gain": over.values,
            "gain_low": gain_low,
            "gain_high": gain_high,
            "chosen": [_chosen(seen, operator, pairs) for pairs in sets],
        }
    )


def _chosen(seen: Evidence, operator: str, pairs: Pairs) -> bool:
    return operator == seen.search.operator and set(pairs) == set(seen.search.selection.pairs)


def _greedy(seen: Evidence, operator: str) -> list[Pairs]:
    """The best pair, and all sets of more than one that the search tried."""
    single = seen.singles.get(operator, [])
    best = sorted(single, key=lambda row: -float(seen.search.fused.values[row]))[:1]
    more = [row for row, (name, pairs) in enumerate(seen.search.sets) if name == operator and len(pairs) > 1]
    return [seen.search.sets[row][1] for row in [*best, *more]]


def _windows(seen: Evidence) -> Iterator[Pairs]:
    """Nested windows from the top at the skewness of the best pair, as long as they fit."""
    single = seen.singles.get(seen.operator)
    if not single:
        return
    best = seen.pairs(seen.operator)[int(np.argmax(seen.search.fused.values[single]))]
    d, edge = seen.space.skewness(best), (best.first, best.second)
    longest = max(seen.space.depths[name] for name in edge) - abs(d)
    for size in np.unique(np.linspace(1, longest, min(longest, _RUNGS)).round()):
        yield seen.space.window(int(size), d, between=edge)
