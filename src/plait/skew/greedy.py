"""Sets of pairs built one pair at a time, each the one that helps most, until none helps."""

from collections.abc import Callable, Sequence

import numpy as np

from plait.skew.selection import Pairs
from plait.skew.space import Pair
from plait.skew.uncertainty import Scored

_ERRORS = 2.0  # standard errors that a further pair must bring


def forward(score: Callable[[Sequence[Pairs]], Scored], pairs: Sequence[Pair], most: int = 4) -> list[Pairs]:
    """Nested sets of one pair, two, and so on, while the best further pair helps by more than two standard errors.

    The error is that of the paired difference, so pairs that are right and wrong on the same examples need little.

    Args:
        score: Scores sets, greater is better, always on the same examples and draws.
        pairs: Pairs to choose from, at least one.
        most: Most pairs of a set, at least 1.

    Returns:
        The sets, the last one the largest.
    """
    found: list[Pairs] = []
    now: Pairs = ()
    while len(now) < min(most, len(pairs)):
        further: list[Pairs] = [(*now, pair) for pair in pairs if pair not in now]
        tried = score([*found[-1:], *further])
        gain = tried.minus(0) if found else tried
        best = int(np.argmax(gain.values[len(found[-1:]) :])) + len(found[-1:])
        if found and gain.values[best] <= _ERRORS * gain.drawn[:, best].std(ddof=1):
            break
        now = further[best - len(found[-1:])]
        found.append(now)
    return found
