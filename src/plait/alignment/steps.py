"""Alignment step by step: every measure before the first step and after each, for every two modalities."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy import ndarray

from plait.alignment.cka import linear_cka
from plait.alignment.correlations import cca, svcca
from plait.alignment.discrepancy import mmd
from plait.alignment.features import MOST_SAMPLES, drawn
from plait.alignment.gap import normalised_gap
from plait.alignment.probe import modality_probe
from plait.alignment.retrieving import retrieval
from plait.data.checks import listed
from plait.data.settings import seed_from
from plait.nn.step_fusion.trace import Trace

_LEAST = 4  # samples below which nothing is said

Measure: TypeAlias = Callable[[ndarray, ndarray], float]
"""A number from the features of both modalities."""


def _cca(X: ndarray, Y: ndarray) -> float:
    """The mean correlation; NaN where some are 1 whatever the values are."""
    enough = len(X) >= X.shape[1] + Y.shape[1] + 2
    return float(cca(X, Y).mean()) if enough else float("nan")


def _svcca(X: ndarray, Y: ndarray) -> float:
    return float(svcca(X, Y).mean())


def _cka(X: ndarray, Y: ndarray) -> float:
    return linear_cka(X, Y)


def _debiased_cka(X: ndarray, Y: ndarray) -> float:
    return linear_cka(X, Y, debiased=True)


def _gap(X: ndarray, Y: ndarray) -> float:
    return normalised_gap(X, Y)


def _mmd(X: ndarray, Y: ndarray) -> float:
    return mmd(X, Y, permutations=1, samples=len(X)).value


def _probe(X: ndarray, Y: ndarray) -> float:
    return modality_probe(X, Y, samples=len(X), random_state=0)


def _recall(X: ndarray, Y: ndarray, k: int) -> float:
    """The mean of both directions."""
    return float(retrieval(X, Y, (k,))[f"recall@{k}"].mean())


def _median_rank(X: ndarray, Y: ndarray) -> float:
    """The mean of both directions."""
    return float(retrieval(X, Y, ())["median_rank"].mean())


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "cka": _cka,
        "debiased_cka": _debiased_cka,
        "cca": _cca,
        "svcca": _svcca,
        "gap": _gap,
        "mmd": _mmd,
        "probe": _probe,
        **{f"recall@{k}": partial(_recall, k=k) for k in (1, 5, 10)},
        "median_rank": _median_rank,
    }
)
"""What `alignment_steps` can measure, by the name of its column."""

DEFAULT = ("cka", "debiased_cka", "cca", "gap", "probe", "recall@1")


def alignment_steps(
    trace: Trace, measures: Sequence[str] = DEFAULT, samples: int = MOST_SAMPLES, random_state: Any = 0
) -> pd.DataFrame:
    """How alike every two modalities are before the first step and after each.

    Every pair is measured on the samples that have both, the same ones at all moments. For `cca` and `svcca` it is
    the mean correlation, for the retrieval the mean of both directions.

    Args:
        trace: The way of the modalities through the steps.
        measures: Names out of `MEASURES`.
        samples: At most so many samples a pair, drawn at random, are looked at.
        random_state: Seed of the draw.

    Returns:
        One row a moment and pair, moments first: `moment` (0 is before the first step), `moved` (what the step before
        it moved, names joined by "+"), `a`, `b`, `samples`, and a column for each measure. NaN where fewer than 4
        samples have both, where a measure is not defined, and for `cca` below 2 * width + 2 samples.

    Raises:
        ValueError: For an unknown measure, or features that are not finite.
    """
    unknown = [name for name in measures if name not in MEASURES]
    if unknown:
        raise ValueError(f"Unknown measures: {listed(unknown)}. There are {', '.join(MEASURES)}.")
    seed, moved = seed_from(random_state), targets_of(trace)
    rows = []
    for a, b in combinations(range(len(trace.names)), 2):
        both = np.flatnonzero((trace.present[:, a] & trace.present[:, b]).cpu().numpy())
        chosen = both[drawn(len(both), samples, np.random.default_rng(seed))]
        for moment, pooled in enumerate(trace.pooled[:, chosen].detach().double().cpu().numpy()):
            found = _measured(pooled[:, a], pooled[:, b], measures)
            names = {"a": trace.names[a], "b": trace.names[b]}
            rows.append({"moment": moment, "moved": "+".join(moved[moment]), **names, "samples": len(chosen), **found})
    columns = ["moment", "moved", "a", "b", "samples", *measures]
    return pd.DataFrame(rows, columns=columns).sort_values("moment", kind="stable", ignore_index=True)


def targets_of(trace: Trace) -> list[list[str]]:
    """The names of the modalities that were moved just before each moment; none before the first."""
    moved: list[list[str]] = [[] for _ in range(len(trace.pooled))]
    for record in trace.records:
        moved[record.step].append(trace.names[record.target])
    return moved


def _measured(one: ndarray, other: ndarray, measures: Sequence[str]) -> dict[str, float]:
    if len(one) < _LEAST:
        return dict.fromkeys(measures, float("nan"))
    return {name: MEASURES[name](one, other) for name in measures}
