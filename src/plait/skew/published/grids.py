"""The published text-text grids as a search, so that what we say of ours can be said of theirs."""

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.skew.findings.evidence import Evidence
from plait.skew.judge import HeadSettings, Judge
from plait.skew.published.numbers import load_published
from plait.skew.search import Search
from plait.skew.selection import select
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored
from plait.statistics.metrics import Metric

FIRST, SECOND = "latin", "english"
INDICES = {"silhouette": True, "calinski_harabasz": True, "davies_bouldin": False}
"""Indices of a clustering: whether greater is better."""
_DRAWS = 2


def grid_evidence(metric: str, name: str = "grid") -> Evidence:
    """A published grid with the single taps as if we had searched it: which pair would be chosen, which verdict given.

    Their samples are not published, so there are no draws: bounds have no width, and say nothing. Nothing that is not
    in the grid can be scored.

    Args:
        metric: One of `INDICES`; lower-is-better ones are negated, as in every search.
        name: "grid" or "second_grid" (to which the single taps do not belong).

    Raises:
        ValueError: If there is no such index.
    """
    if metric not in INDICES:
        raise ValueError(f"The published grids have the indices {', '.join(INDICES)}; got {metric!r}.")
    how = Metric(metric, metric.replace("_", " "), _refused, _refused, greater_is_better=INDICES[metric])
    space = TapSpace({FIRST: 12, SECOND: 12})
    fused, alone = _known(how, grid_of(name, metric).ravel()), _known(how, _alone(metric))
    taps = tuple((modality, tap) for modality in (FIRST, SECOND) for tap in range(1, 13))
    pairs = [(pair,) for pair in space.all()]
    chosen = select(space, pairs, fused, taps, alone)
    search = Search(space, how, tuple(("concat", one) for one in pairs), fused, taps, alone, chosen)
    return Evidence(search, Judge(HeadSettings(draws=_DRAWS), [], how), level=0.95, margin=0.0)


def grid_of(name: str, metric: str) -> Float[ndarray, "row column"]:
    """A published grid as it is printed; row i - 1 is tap i of the Latin-English text."""
    table = load_published(name)
    table = table[table["metric"] == metric]
    return table.pivot_table(index="row", columns="column", values="value").to_numpy(dtype=np.float64)


def _alone(metric: str) -> Float[ndarray, " tap"]:
    table = load_published("layers")
    table = table[(table["task"] == "text-text") & (table["metric"] == metric)].sort_values("layer", kind="stable")
    own = [table.loc[table["encoder"] == name, "value"].to_numpy(dtype=np.float64) for name in (FIRST, SECOND)]
    return np.concatenate(own)


def _known(metric: Metric, values: Float[ndarray, " candidate"]) -> Scored:
    return Scored(metric.sign * values, np.tile(metric.sign * values, (_DRAWS, 1)))


def _refused(*_: Any) -> Any:
    raise ValueError("The samples of the published grids are not known: nothing further can be scored.")
