"""How far a map of gains is concentrated on few pairs: 1 is one pair, 0 is all alike."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import entr


def hoyer(values: Float[ndarray, " pair"]) -> float:
    """Hoyer's (2004) sparseness of the positive parts: (sqrt(K) - l1 / l2) / (sqrt(K) - 1).

    Args:
        values: A gain of each pair.

    Returns:
        1 where one of them is positive, 0 where all are and equal; NaN where none is, or there is one pair.
    """
    positive, root = np.maximum(values, 0.0), float(np.sqrt(len(values)))
    length = float(np.linalg.norm(positive))
    if length == 0 or root == 1:
        return float("nan")
    return (root - float(positive.sum()) / length) / (root - 1)


def gini(values: Float[ndarray, " pair"]) -> float:
    """The Gini coefficient of the positive parts: half the mean difference of two of them over their mean.

    Args:
        values: A gain of each pair.

    Returns:
        0 where all are positive and equal, 1 - 1/K where one of K is positive; NaN where none is.
    """
    positive = np.sort(np.maximum(values, 0.0))
    count, total = len(positive), float(positive.sum())
    if total == 0:
        return float("nan")
    return float((2 * np.arange(1, count + 1) - count - 1) @ positive) / (count * total)


def entropy(frequency: Float[ndarray, " pair"]) -> float:
    """Entropy of frequencies that sum to 1, in nats: 0 is one pair, log K all alike."""
    return float(entr(frequency).sum())
