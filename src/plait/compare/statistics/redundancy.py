"""How much modalities say the same: linear centred kernel alignment (CKA) between each two."""

from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from plait.data.modalities import Modalities
from plait.data.texts import holds_texts
from plait.statistics.bootstrap import group_weights, percentile_interval

MOST_SAMPLES = 1000
"""Samples that are looked at; of more, so many are drawn at random, which costs precision alone."""
Gram = Float[ndarray, "sample sample"]


def redundancy_table(
    X: Modalities,
    groups: Int[ndarray, " sample"] | None = None,
    draws: int = 200,
    random_state: int = 0,
) -> pd.DataFrame:
    """The debiased linear CKA of every two modalities, on the samples that have both.

    Features are flattened and standardised (a missing value is the mean, a constant feature is nothing). CKA is 1 for
    the same up to rotation, and around 0 for independent modalities whatever their widths: the estimator is unbiased
    in each of its three parts (Song et al., 2012, for the CKA of Kornblith et al., 2019), so small values may be
    negative. A draw of the interval gives every sample a weight and pairs no sample with itself, so that repetition
    does not look like redundancy.

    Args:
        X: The modalities, of any shape; who has which is known to them. Texts are left out.
        groups: Code of each sample's group; None is every sample its own.
        draws: Draws of groups with replacement.
        random_state: Seed of the draws, and of the samples if there are more than 1,000.

    Returns:
        Columns `a`, `b`, `cka`, `low`, `high` (95 %); NaN where fewer than 4 samples have both.
    """
    chosen = np.sort(np.random.default_rng(random_state).permutation(len(X))[:MOST_SAMPLES])
    codes = chosen if groups is None else groups[chosen]
    names = [name for name, array in X.items() if not holds_texts(array)]
    there = X.present[np.ix_(chosen, [X.names.index(name) for name in names])]
    grams = [_gram(X[name][chosen], there[:, place]) for place, name in enumerate(names)]
    rows = []
    for a, b in combinations(range(len(names)), 2):
        both = np.flatnonzero(there[:, a] & there[:, b])
        cell = np.ix_(both, both)
        weights = group_weights(codes[both], draws, random_state)
        low, high = percentile_interval(weighted_cka(grams[a][cell], grams[b][cell], weights))
        cka = weighted_cka(grams[a][cell], grams[b][cell], np.ones((1, len(both))))
        rows.append((names[a], names[b], float(cka[0]), float(low), float(high)))
    return pd.DataFrame(rows, columns=["a", "b", "cka", "low", "high"])


def linear_cka(one: Float[ndarray, "sample ..."], other: Float[ndarray, "sample ..."]) -> float:
    """The debiased linear CKA of two modalities of the same samples, standardised: see `redundancy_table`."""
    everyone = np.ones(len(one), bool)
    return float(weighted_cka(_gram(one, everyone), _gram(other, everyone), np.ones((1, len(one))))[0])


def weighted_cka(one: Gram, other: Gram, weights: Float[ndarray, "draw sample"]) -> Float[ndarray, " draw"]:
    """HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) of Gram matrices without diagonals, under each weighting.

    HSIC is the U-statistic: the weighted mean of K_ij (L_ij + L_qr - 2 L_iq) over i, j, q, r that all differ. All
    weights one gives the unbiased estimator of Song et al. (2012). NaN where it is undefined.
    """
    cross, first, second = (_hsic(*pair, weights) for pair in ((one, other), (one, one), (other, other)))
    square = first * second
    known = (first > 0) & (square > 0)
    scale = np.sqrt(np.where(known, square, 1))
    return np.asarray(np.divide(cross, scale, out=np.full(len(weights), np.nan), where=known))


def _hsic(one: Gram, other: Gram, weights: Float[ndarray, "draw sample"]) -> Float[ndarray, " draw"]:
    """Sums over distinct samples by inclusion and exclusion: sums over all, less those in which samples coincide."""
    squared, both = weights**2, one * other
    near, far = weights @ one, weights @ other
    hit, hit_squared = weights @ both, squared @ both
    pair = (weights * hit).sum(1)  # over i, j
    triple = (weights * near * far).sum(1) - (squared * hit).sum(1)  # i, j, q
    shared = (squared * near * far).sum(1) - (squared * hit_squared).sum(1)
    apart = (weights * near).sum(1) * (weights * far).sum(1)
    quadruple = apart - 4 * shared - 2 * (squared * hit_squared).sum(1)  # i, j, q, r
    two, three, four = _tuples(weights)
    parts = np.stack([pair, quadruple, -2 * triple])
    counts = np.stack([two, four, three])
    known = (counts > 1e-9 * weights.sum(1)).all(axis=0)
    return np.asarray(np.divide(parts, counts, out=np.full_like(parts, np.nan), where=known).sum(axis=0))


def _tuples(weights: Float[ndarray, "draw sample"]) -> tuple[ndarray, ndarray, ndarray]:
    """Weight of all ordered pairs, triples and quadruples of distinct samples (Newton's identities)."""
    one, two, three, four = (np.power(weights, power).sum(1) for power in (1, 2, 3, 4))
    pairs = one**2 - two
    triples = one**3 - 3 * one * two + 2 * three
    quadruples = one**4 - 6 * one**2 * two + 3 * two**2 + 8 * one * three - 6 * four
    return pairs, triples, quadruples


def _gram(values: ndarray, there: Bool[ndarray, " sample"]) -> Gram:
    """Products of the standardised features of each two samples; 0 on the diagonal, and for who lacks the modality."""
    flat = np.where(there[:, None], values.reshape(len(values), -1).astype(np.float64), np.nan)
    known = np.isfinite(flat)
    count = np.maximum(known.sum(axis=0), 1)
    flat = np.where(known, flat - np.where(known, flat, 0).sum(axis=0) / count, 0)
    scale = np.sqrt(np.square(flat).sum(axis=0) / count)
    size = np.abs(np.where(known, values.reshape(len(values), -1), 0)).max(axis=0, initial=0)
    flat = np.divide(flat, scale, out=np.zeros_like(flat), where=scale > 1e-9 * size)
    gram = flat @ flat.T / max(1, flat.shape[1])
    np.fill_diagonal(gram, 0)
    return np.asarray(gram)
