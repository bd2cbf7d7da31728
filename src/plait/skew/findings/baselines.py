"""The choice beside everything that it has to beat, on the samples that chose it or on others."""

from collections.abc import Sequence

import pandas as pd

from plait.skew.findings.contenders import CHOSEN, Contender
from plait.skew.findings.scorers import Scorer
from plait.skew.uncertainty import Scored
from plait.statistics.bootstrap import percentile_interval


def baselines_table(compared: Sequence[Contender], scorer: Scorer, level: float) -> pd.DataFrame:
    """Scores of all, and how much better the choice is, each with its interval by itself.

    Args:
        compared: Baselines and the choice.
        scorer: Of the samples that are scored; it chooses nothing.
        level: Level of the intervals.
    """
    scores = {one.name: one.score(scorer) for one in compared}
    return pd.DataFrame([_row(one, scores[one.name], scores[CHOSEN], level) for one in compared])


def _row(one: Contender, found: Scored, choice: Scored, level: float) -> dict[str, str | float]:
    ahead = Scored(choice.values - found.values, choice.drawn - found.drawn)
    (low, high), (least, most) = (percentile_interval(scores.drawn[:, 0], level) for scores in (found, ahead))
    return {
        "name": one.name,
        "what": one.what,
        "score": float(found.values[0]),
        "low": float(low),
        "high": float(high),
        "difference": float(ahead.values[0]),
        "difference_low": float(least),
        "difference_high": float(most),
    }
