"""What the published numbers say, computed from them: each function is one kind of statement."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from plait.skew.published.numbers import load_published
from plait.skew.report.facts import side_means


def series(task: str, pairs: int) -> pd.DataFrame:
    """The skewness series of a task for windows of so many pairs: d and value, by d."""
    table = load_published("skewness")
    own = table[(table["task"] == task) & (table["pairs"] == pairs)].sort_values("d")
    return own[["d", "value"]].reset_index(drop=True)


def sides(task: str, pairs: int) -> pd.DataFrame:
    """The means of a series for d < 0, d = 0 and d > 0: the same function that the report uses on gains."""
    own = series(task, pairs)
    return side_means(own["d"].to_numpy(dtype=np.int64), own["value"].to_numpy(dtype=np.float64))


def headline(task: str, what: str, metric: str | None = None, table: str = "comparison") -> float:
    """One number of the comparison of a task, in its units.

    Args:
        task: Of which task.
        what: "best tap", "late", "pairwise", "best window", "best skew pair", or "best pair".
        metric: By which metric; None if there is only one.
        table: "comparison", or "S2" for the other run of text-audio.
    """
    rows = load_published("headlines")
    rows = rows[(rows["task"] == task) & (rows["what"] == what) & (rows["table"] == table)]
    return float(rows[rows["metric"] == metric]["value"].item() if metric else rows["value"].item())


def thinning(task: str) -> pd.DataFrame:
    """Equal depth throughout, from all 12 pairs to one: number of pairs and value, the fewest last.

    Whether it rises is the published claim of sparsity.
    """
    table = load_published("skewness")
    own = table[(table["task"] == task) & (table["d"] == 0)][["pairs", "value"]]
    whole = pd.DataFrame({"pairs": [12], "value": [headline(task, "pairwise")]})
    return pd.concat([whole, own]).sort_values("pairs", ascending=False, ignore_index=True)


def counts(shares: Float[ndarray, " number"], samples: int) -> Int[ndarray, " number"]:
    """How many of so many samples each share is nearest to."""
    found: Int[ndarray, " number"] = np.rint(shares * samples).astype(np.int64)
    return found


def are_counts(shares: Float[ndarray, " number"], samples: int, digit: float) -> Bool[ndarray, " number"]:
    """Which shares are of so many samples: within one unit of the last printed digit of a whole number of them.

    Args:
        shares: As printed, in [0, 1].
        samples: How many there are.
        digit: Unit of the last digit, such as 1e-4.
    """
    return np.asarray(np.abs(counts(shares, samples) / samples - shares) < digit)


def truncated(shares: Float[ndarray, " number"]) -> Float[ndarray, " number"]:
    """Percent with one decimal, the others cut off: how the bars of the figures were made."""
    return np.asarray(np.floor(1000 * shares + 1e-9) / 10)


def additive_residual(grid: Float[ndarray, "row column"]) -> float:
    """How far a grid is from a sum of a term of its row and one of its column, at most."""
    fitted = grid.mean(axis=1, keepdims=True) + grid.mean(axis=0) - grid.mean()
    return float(np.abs(grid - fitted).max())
