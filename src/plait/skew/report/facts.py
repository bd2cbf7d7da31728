"""Plain facts about gains and scores, of ours or of others."""

from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray

SIDES = {"d < 0": -1, "d = 0": 0, "d > 0": 1}
"""Which encoder is tapped deeper: the second, neither, the first."""


def side_means(skewness: Int[ndarray, " pair"], values: Float[ndarray, " pair"]) -> pd.DataFrame:
    """Mean of values (gains, scores) on either side of equal depth, and on it.

    Args:
        skewness: Of each pair, d.
        values: Of each pair.

    Returns:
        One row a side, in the order of `SIDES`: side, pairs (how many) and mean (NaN if there are none).
    """
    on = {side: np.sign(skewness) == sign for side, sign in SIDES.items()}
    means = [float(values[here].mean()) if here.any() else float("nan") for here in on.values()]
    return pd.DataFrame({"side": list(on), "pairs": [int(here.sum()) for here in on.values()], "mean": means})


def trend(values: Float[ndarray, " step"]) -> Literal["rises", "falls", "neither"]:
    """Whether values rise at every step, or fall at every step; a step without a change is neither."""
    steps = np.diff(values)
    if len(steps) and (steps > 0).all():
        return "rises"
    return "falls" if len(steps) and (steps < 0).all() else "neither"
