"""The choice beside everything that it has to beat, on the samples that chose it or on others."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from plait.skew.findings.contenders import CHOSEN, Contender
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.scorers import mean
from plait.skew.judge import Judge
from plait.skew.uncertainty import Scored, scored
from plait.statistics.bootstrap import percentile_interval


def baselines_table(compared: Sequence[Contender], seen: Evidence) -> pd.DataFrame:
    """Scores of all on the samples that chose, and how much better the choice is, each with its interval by itself.

    Args:
        compared: Baselines and the choice.
        seen: The search and its judge.
    """
    return _table({one.name: (one.what, one.score(seen)) for one in compared}, seen.level)


def tested_table(folds: Sequence[Sequence[Contender]], judges: Sequence[Judge], level: float) -> pd.DataFrame:
    """The same on samples that chose nothing; those of several folds are scored together, by groups of all.

    Args:
        folds: Baselines and the choice of each fold, with the same names in the same order. Those that have to be
            trained have NaN for scores.
        judges: Of the samples of each fold, with the same metric and draws.
        level: Level of the intervals.
    """
    each = list(zip(*folds, strict=True))
    return _table({own[0].name: (_what(own), _scored(own, judges)) for own in each}, level)


def _what(own: Sequence[Contender]) -> str:
    made = list(dict.fromkeys(one.what for one in own))
    return made[0] if len(made) == 1 else f"of each fold its own: {' | '.join(made)}"


def _scored(own: Sequence[Contender], judges: Sequence[Judge]) -> Scored:
    """Mean score of the copies on the samples of all folds."""
    first, parts = judges[0], [one.outputs(judge) for one, judge in zip(own, judges, strict=True)]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return Scored(np.full(1, np.nan), np.full((first.how.draws, 1), np.nan))
    target, groups = (np.concatenate(one) for one in zip(*((one.target, one.groups) for one in judges), strict=True))
    outputs = np.concatenate(known, axis=1)
    return mean(scored(first.metric, target, outputs, groups, first.how.draws, first.how.random_state))


def _table(scores: Mapping[str, tuple[str, Scored]], level: float) -> pd.DataFrame:
    choice = scores[CHOSEN][1]
    return pd.DataFrame([_row(name, what, found, choice, level) for name, (what, found) in scores.items()])


def _row(name: str, what: str, found: Scored, choice: Scored, level: float) -> dict[str, str | float]:
    ahead = Scored(choice.values - found.values, choice.drawn - found.drawn)
    (low, high), (least, most) = (percentile_interval(scores.drawn[:, 0], level) for scores in (found, ahead))
    return {
        "name": name,
        "what": what,
        "score": float(found.values[0]),
        "low": float(low),
        "high": float(high),
        "difference": float(ahead.values[0]),
        "difference_low": float(least),
        "difference_high": float(most),
    }
