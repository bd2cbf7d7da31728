"""Many comparisons at once: p-values adjusted by Holm, and ranks over several data sets."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray
from scipy import stats


def holm(p: Float[ndarray, " test"]) -> Float[ndarray, " test"]:
    """P-values adjusted so that those below alpha hold together with probability 1 - alpha (Holm, 1979).

    Step-down: the i-th smallest of m is multiplied by m - i + 1, and is no smaller than those before it.

    Args:
        p: One a test, in [0, 1]; a NaN is no test and stays.
    """
    adjusted = p.astype(np.float64)
    order = np.argsort(adjusted)[: int(np.isfinite(adjusted).sum())]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * adjusted[order]))
    return adjusted


@dataclass(frozen=True)
class Ranks:
    """Methods ranked over data sets.

    Args:
        mean_ranks: Mean rank of each method, best first; 1 is the best possible, ties share their mean.
        cd: Critical difference of mean ranks (Nemenyi, 1963): less is not to be told apart.
        chi2: Friedman's statistic, corrected for ties.
        p: Its p-value of "all methods rank alike".
        f: Iman and Davenport's (1980) statistic, which is less conservative.
        p_f: Its p-value.
        groups: The largest sets of methods that cannot be told apart, two or more each, best first.
        datasets: How many data sets there are.
        alpha: Level of the critical difference.
    """

    mean_ranks: "pd.Series[Any]"
    cd: float
    chi2: float
    p: float
    f: float
    p_f: float
    groups: list[tuple[str, ...]]
    datasets: int
    alpha: float


def critical_difference(scores: pd.DataFrame, greater_is_better: bool = True, alpha: float = 0.05) -> Ranks:
    """Rank methods on several data sets and say which cannot be told apart (Demsar, 2006).

    Args:
        scores: One row a data set, one column a method; every cell a score.
        greater_is_better: Whether a higher score is better.
        alpha: Level of the tests, in (0, 1).

    Raises:
        ValueError: If there are fewer than 2 data sets or 3 methods, or a cell has no score.
    """
    _check(scores)
    values = scores.to_numpy(np.float64)
    (count, width), labels = values.shape, [str(name) for name in scores.columns]
    ranks = stats.rankdata(-values if greater_is_better else values, axis=1).mean(axis=0)
    order = np.argsort(ranks, kind="stable")
    mean_ranks = pd.Series(ranks[order], index=[labels[place] for place in order], name="mean rank")
    quantile = stats.studentized_range.ppf(1 - alpha, width, np.inf) / np.sqrt(2)
    cd = float(quantile * np.sqrt(width * (width + 1) / (6 * count)))
    return Ranks(mean_ranks, cd, *_friedman(values), _cliques(mean_ranks, cd), count, alpha)


def _check(scores: pd.DataFrame) -> None:
    if len(scores) < 2 or scores.shape[1] < 3:
        raise ValueError(
            f"Ranks over data sets need at least 2 data sets (rows) and 3 methods (columns); got {len(scores)} and "
            f"{scores.shape[1]}. Two methods are compared by paired_table on each data set."
        )
    rows, columns = np.nonzero(scores.isna().to_numpy())
    if len(rows):
        names, datasets = list(scores.columns), list(scores.index)
        cells = [f"{names[column]} on {datasets[row]}" for row, column in zip(rows, columns, strict=True)]
        more = f" and {len(cells) - 5} more" if len(cells) > 5 else ""
        raise ValueError(
            f"Every method needs a score on every data set; there is none for {', '.join(cells[:5])}{more}. "
            "Leave out these data sets or methods."
        )


def _friedman(values: Float[ndarray, "dataset method"]) -> tuple[float, float, float, float]:
    """Chi2 and its p, F and its p; nothing to tell apart where every data set has one score for all."""
    count, width = values.shape
    if (np.ptp(values, axis=1) == 0).all():
        return 0.0, 1.0, 0.0, 1.0
    chi2, p = stats.friedmanchisquare(*values.T)
    left = count * (width - 1) - chi2
    f = float((count - 1) * chi2 / left) if left > 1e-9 * chi2 else float("inf")
    return float(chi2), float(p), f, float(stats.f.sf(f, width - 1, (width - 1) * (count - 1)))


def _cliques(mean_ranks: "pd.Series[Any]", cd: float) -> list[tuple[str, ...]]:
    """Runs of neighbours whose first and last are no further apart than `cd`, and that no longer run contains."""
    ranks, labels = mean_ranks.to_numpy(float), list(mean_ranks.index)
    ends = np.searchsorted(ranks, ranks + cd, side="right")
    starts = [first for first in range(len(ranks)) if first == 0 or ends[first] > ends[first - 1]]
    return [tuple(labels[first : ends[first]]) for first in starts if ends[first] - first > 1]
