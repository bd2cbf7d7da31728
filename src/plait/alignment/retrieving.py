"""Finding a sample in one modality by its features in the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from plait.alignment.features import paired_alike
from plait.data.settings import check_whole
from plait.statistics.cka import Features

_TIE = 1e-12  # cosines that differ by less are the same but for rounding
_CELLS = 2**22  # similarities that are held at a time

Counts = Float[ndarray, " sample"]


def retrieval(X: Any, Y: Any, at: Sequence[int] = (1, 5, 10)) -> pd.DataFrame:
    """Cross-modal retrieval by cosine: how often a sample's other modality is among the k nearest.

    Ties are broken at random and the expectation is told: features that are the same for all samples find nothing
    more often than chance, k / n. All samples are candidates, so values of different n do not compare.

    Args:
        X: One modality, (sample, feature).
        Y: The other, of the same width; row i is the same sample.
        at: Numbers of nearest candidates k, each at least 1.

    Returns:
        Rows "X to Y" and "Y to X"; a column "recall@k" for each k, in [0, 1], and "median_rank", in [1, n].

    Raises:
        ValueError: For other ranks or widths, numbers that are not finite, rows of different number, or k below 1.
    """
    for k in at:
        check_whole("Each number in at", k, 1)
    one, other = (_directions(values) for values in paired_alike(X, Y))
    ways = {"X to Y": _rivals(one, other), "Y to X": _rivals(other, one)}
    return pd.DataFrame([_summary(*rivals, at) for rivals in ways.values()], index=list(ways))


def _directions(values: Features) -> Features:
    """Rows of length 1; rows that are 0 stay so."""
    largest = np.abs(values).max(axis=1, keepdims=True)
    values = values / np.where(largest > 0, largest, 1)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(lengths > 0, lengths, 1))


def _rivals(queries: Features, candidates: Features) -> tuple[Counts, Counts]:
    """How many candidates are nearer to each query than its own one, and how many are as near."""
    right = (queries * candidates).sum(axis=1)
    step = max(1, _CELLS // len(candidates))
    better, equal = [], []
    for start in range(0, len(queries), step):
        cosines = queries[start : start + step] @ candidates.T - right[start : start + step, None]
        better.append((cosines > _TIE).sum(axis=1))
        equal.append((np.abs(cosines) <= _TIE).sum(axis=1) - 1)  # less itself
    return np.concatenate(better).astype(np.float64), np.concatenate(equal).astype(np.float64)


def _summary(better: Counts, equal: Counts, at: Sequence[int]) -> dict[str, float]:
    found = {f"recall@{k}": float(np.clip((k - better) / (equal + 1), 0, 1).mean()) for k in at}
    return {**found, "median_rank": float(np.median(1 + better + equal / 2))}
