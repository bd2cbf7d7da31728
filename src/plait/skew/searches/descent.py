"""Coordinate descent on the grid of pairs: one tap at a time, from several pairs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from plait.data.settings import check_whole
from plait.skew.searches.tried import Memo, Scan, Tried
from plait.skew.space import Pair, TapSpace
from plait.training.progress import progress_bar


def coordinate_descent(
    space: TapSpace, scan: Scan, starts: int = 3, passes: int = 3, random_state: int = 0, verbose: int = 0
) -> Tried:
    """Go from a pair to the best of those that share a tap with it, again and again, from several pairs.

    A pass scores the cross of a pair: all pairs with either of its taps, L_a + L_b - 1 of them. That of the last taps,
    the first start, is what Hu et al. (2024) swept. Nothing is scored twice, so that for two modalities there are at
    most starts * passes * (L_a + L_b - 1) evaluations, and with three passes as a rule half of it.

    Args:
        space: All pairs.
        scan: Scores single pairs.
        starts: Pairs of every two modalities to start from, at least 1: the last taps, then random ones.
        passes: Passes from each start at most, at least 1; one ends earlier where its pair is the best of its cross.
        random_state: Seed of the starts.
        verbose: 1 shows a progress bar.

    Returns:
        The pairs that were scored, and the best of them. The history has a row a start and pass: start, pass, pair
        (before), best, score (of the best), evaluations (different ones so far).

    Raises:
        ValueError: If a setting is out of its range.
    """
    check_whole("starts", starts, 1)
    check_whole("passes", passes, 1)
    memo, now, history = Memo(scan), _starts(space, starts, random_state), []
    moving = list(range(len(now)))
    with progress_bar(passes, "coordinate descent", "pass", verbose) as bar:
        for turn in range(passes):
            crosses = {start: _cross(space, now[start]) for start in moving}
            memo([(pair,) for cross in crosses.values() for pair in cross])
            for start, cross in crosses.items():
                scores = memo([(pair,) for pair in cross]).values
                best = cross[int(np.argmax(scores))]
                history.append((start, turn, str(now[start]), str(best), float(scores.max()), len(memo)))
                moving = [other for other in moving if other != start or best != now[start]]
                now[start] = best
            bar.update()
    columns = ["start", "pass", "pair", "best", "score", "evaluations"]
    last = memo([(pair,) for pair in now]).values
    return memo.tried((now[int(np.argmax(last))],), pd.DataFrame(history, columns=columns))


def _starts(space: TapSpace, count: int, random_state: int) -> list[Pair]:
    """Different pairs of every two modalities: the last taps, then random ones, as many as there are at most."""
    random, found = np.random.default_rng(random_state), []
    for edge in space.edges:
        (late,), every = space.late(edge), space.all(edge)
        others = [pair for pair in every if pair != late]
        found += [late, *(others[row] for row in random.permutation(len(others))[: count - 1])]
    return found


def _cross(space: TapSpace, centre: Pair) -> list[Pair]:
    """The pair itself, then all others that share a tap with it."""
    every: Sequence[Pair] = space.all((centre.first, centre.second))
    return [centre, *(pair for pair in every if (pair.i == centre.i) != (pair.j == centre.j))]
