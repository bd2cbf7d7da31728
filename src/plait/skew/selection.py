"""The sparsest set of pairs that is not told apart from the best one, and the verdict (a reconstruction).

After Hu et al. (2024), who name one pair the sparsest; the rule with its bounds is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from plait.skew.ridge import Tap
from plait.skew.space import Pair, TapSpace
from plait.skew.uncertainty import Scored, confidence_set, simultaneous
from plait.statistics.bootstrap import LEVEL

Verdict = Literal["skew pair", "diagonal pair", "several pairs", "no supported fusion"]
Pairs = tuple[Pair, ...]


@dataclass(frozen=True)
class Selection:
    """What a search came to.

    Args:
        verdict: In words.
        place: Number of the set among those that were searched; None if no fusion is supported.
        pairs: The pairs that are joined; none if no fusion is supported.
        tap: The best tap by itself, which the gains are over, and which is used where no fusion is supported.
        gain: Score of the pairs minus that of the tap; of the best set where no fusion is supported.
        low: Lower bound of that gain, simultaneous over all sets.
        trail: How the set was chosen, sentence by sentence.
    """

    verdict: Verdict
    place: int | None
    pairs: Pairs
    tap: Tap
    gain: float
    low: float
    trail: tuple[str, ...]


def gains(fused: Scored, alone: Scored) -> Scored:
    """Scores of sets over that of the best single tap (one and the same in every draw): the fusion gain."""
    tap = [int(np.argmax(alone.values))]
    return Scored(fused.values - alone.values[tap], fused.drawn - alone.drawn[:, tap])


def select(
    space: TapSpace,
    sets: Sequence[Pairs],
    fused: Scored,
    taps: Sequence[Tap],
    alone: Scored,
    margin: float = 0.0,
    level: float = LEVEL,
) -> Selection:
    """The smallest set whose score is not significantly more than a margin below the best one.

    Of sets as small the cheapest is taken (fewest blocks to run), then the least skewed, then the best. Sets without a
    supported gain over the best single tap do not take part; if there is no other, no fusion is supported.

    Args:
        space: All pairs.
        sets: The sets that were searched, each of one pair or more.
        fused: Their scores.
        taps: The taps that were tried alone.
        alone: Their scores, on the same examples and draws as `fused`.
        margin: What may be given away for sparsity, in units of the score, at least 0.
        level: Level of the simultaneous bounds, in (0, 1).
    """
    over = gains(fused, alone)
    low = simultaneous(over, level).low
    tap, best = taps[int(np.argmax(alone.values))], int(np.argmax(fused.values))
    if not (low > 0).any():
        told = f"No set has a lower bound of its gain over {_written(tap)} above 0 (the best: {low.max():.3f})."
        return Selection("no supported fusion", None, (), tap, float(over.values[best]), float(low[best]), (told,))
    near = np.flatnonzero(confidence_set(fused, margin, level) & (low > 0)).tolist()
    near = near or [int(np.argmax(np.where(low > 0, fused.values, -np.inf)))]  # the two bounds differ
    ranks = {row: _rank(space, sets[row]) for row in near}
    row = min(ranks, key=lambda row: (*ranks[row], -fused.values[row]))
    trail = (
        f"{np.count_nonzero(low > 0)} of {len(sets)} sets have a supported gain over {_written(tap)}.",
        f"{len(near)} of them {'is' if len(near) == 1 else 'are'} not told apart from the best, {_named(sets[best])}.",
        f"{_named(sets[row])} is the smallest, cheapest and least skewed of these, in this order.",
    )
    return Selection(_verdict(space, sets[row]), row, sets[row], tap, float(over.values[row]), float(low[row]), trail)


def _rank(space: TapSpace, pairs: Pairs) -> tuple[int, float, float]:
    skewness = float(np.mean([abs(space.relative_skewness(pair)) for pair in pairs]))
    return len(pairs), round(space.cost(pairs), 12), round(skewness, 12)


def _verdict(space: TapSpace, pairs: Pairs) -> Verdict:
    if len(pairs) > 1:
        return "several pairs"
    return "skew pair" if space.skewness(pairs[0]) else "diagonal pair"


def _named(pairs: Pairs) -> str:
    return ", ".join(map(str, pairs))


def _written(tap: Tap) -> str:
    return f"{tap[0]}@{tap[1]}"
