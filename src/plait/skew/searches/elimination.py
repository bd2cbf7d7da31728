"""Sets of pairs made smaller one pair at a time, each the one that is missed least, until all are missed."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from plait.skew.searches.tried import Memo, Scan, Tried, written
from plait.skew.selection import Pairs
from plait.skew.space import Pair
from plait.skew.uncertainty import Scored

_ERRORS = 2.0  # standard errors that a pair must bring to stay, as in `plait.skew.greedy`


def eliminate(score: Callable[[Sequence[Pairs]], Scored], pairs: Sequence[Pair], least: int = 1) -> list[Pairs]:
    """Backward: nested sets, each without one pair of the one before, while that costs at most two standard errors.

    The error is that of the paired difference. The counterpart of `plait.skew.greedy.forward`: a pair is in the last
    set if leaving it out costs more than the noise.

    Args:
        score: Scores sets, greater is better, always on the same examples and draws.
        pairs: The first set, at least one pair.
        least: Fewest pairs of a set, at least 1.

    Returns:
        The sets, the last one the smallest.
    """
    found: list[Pairs] = [tuple(pairs)]
    while len(found[-1]) > least:
        smaller = [tuple(pair for pair in found[-1] if pair != left) for left in found[-1]]
        gain = score([found[-1], *smaller]).minus(0)
        best = 1 + int(np.argmax(gain.values[1:]))
        if -gain.values[best] > _ERRORS * gain.drawn[:, best].std(ddof=1):
            break
        found.append(smaller[best - 1])
    return found


def backward_elimination(scan: Scan, pairs: Sequence[Pair], least: int = 1) -> Tried:
    """Backward elimination as a search: all sets that were scored on the way, and the last one as the choice.

    Args:
        scan: Fits heads of sets anew and scores them.
        pairs: The first set, at least one pair.
        least: Fewest pairs of a set, at least 1.

    Returns:
        The candidates; the history has a row a step: pairs, size, score.
    """
    memo = Memo(scan)
    sets = eliminate(memo, pairs, least)
    told = {"pairs": list(map(written, sets)), "size": list(map(len, sets)), "score": memo(sets).values}
    return memo.tried(sets[-1], pd.DataFrame(told))
