"""How alike the taps of two modalities are, and whether their heads err on the same samples."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from plait.skew.findings.evidence import Evidence
from plait.skew.findings.grid import numbers
from plait.skew.judge import Judge, Split
from plait.skew.ridge import Tap
from plait.skew.scaling import fit_scalings, scaled
from plait.skew.space import Pair
from plait.statistics.cka import comparable, cosine, unbiased_overlap

_SAMPLES = 1000
"""Judged samples at most of which taps are compared, at equal distances."""
_LEAST = 4


def similarity_table(seen: Evidence) -> pd.DataFrame:
    """Of every two taps of different modalities: alignment, and errors that are not shared."""
    pairs = list(seen.space.all())
    right = _right(seen)
    both = [(right[pair.first, pair.i], right[pair.second, pair.j]) for pair in pairs] if right else []
    unknown = np.full(len(pairs), np.nan)
    return pd.DataFrame(
        {
            **numbers(pairs),
            "cka": _ckas(seen.judge, pairs),
            "disagreement": [float((one != other).mean()) for one, other in both] or unknown,
            "double_fault": [float((~one & ~other).mean()) for one, other in both] or unknown,
        }
    )


def is_classification(judge: Judge) -> bool:
    """Whether heads tell classes: the target has a code a sample, the outputs an indicator a class."""
    data = judge.splits[0].data
    return data.target.ndim == 1 and data.outputs.shape[1] > 1


def _right(seen: Evidence) -> dict[Tap, Bool[ndarray, " held"]]:
    """Which samples the head of each tap decides rightly; none for values."""
    if not is_classification(seen.judge):
        return {}
    taps = seen.judge.taps
    right = seen.judge.outputs([((tap,),) for tap in taps]).argmax(axis=2) == seen.judge.target
    return dict(zip(taps, right, strict=True))


def _ckas(judge: Judge, pairs: list[Pair]) -> Float[ndarray, " pair"]:
    """Debiased linear CKA of judged samples, mean over the splits by their samples."""
    shares = [len(split.validation) for split in judge.splits]
    return np.average([_of_split(split, pairs) for split in judge.splits], axis=0, weights=shares)


def _of_split(split: Split, pairs: list[Pair]) -> list[float]:
    """Of the features of standardised taps, all of them; NaN where there are too few samples."""
    places = np.linspace(0, len(split.validation) - 1, min(len(split.validation), _SAMPLES)).round().astype(int)
    if len(places) < _LEAST:
        return [float("nan")] * len(pairs)
    taps = scaled(split.data.taps, fit_scalings(split.data.taps, split.train, None), split.validation[places])
    ready = {tap: comparable(values) for tap, values in taps.items()}
    own = {tap: unbiased_overlap(values, values) for tap, values in ready.items()}
    both = [((pair.first, pair.i), (pair.second, pair.j)) for pair in pairs]
    return [cosine(unbiased_overlap(ready[one], ready[other]), own[one], own[other]) for one, other in both]
