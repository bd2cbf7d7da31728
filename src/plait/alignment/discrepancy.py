"""Maximum mean discrepancy: whether the features of two modalities have the same distribution."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.spatial.distance import cdist

from plait.alignment.features import MOST_SAMPLES, drawn, paired_alike
from plait.data.settings import check_whole, seed_from
from plait.statistics.cka import Features

_DRAWS = 1000  # permutations that are looked at together, to bound memory
Pairs = Float[ndarray, "sample sample"]


class Discrepancy(NamedTuple):
    """The outcome of `mmd`.

    Args:
        value: The squared discrepancy, without bias: 0 in expectation for equal distributions, at most about 2.
        p_value: Share of the permutations with at least this value, in [1 / (1 + permutations), 1].
        bandwidth: Of the kernel exp(-|x - y|^2 / (2 bandwidth^2)), in units of the features.
    """

    value: float
    p_value: float
    bandwidth: float


def mmd(
    X: Any,
    Y: Any,
    bandwidth: float | str = "median",
    permutations: int = 1000,
    samples: int = MOST_SAMPLES,
    random_state: Any = None,
) -> Discrepancy:
    """The squared maximum mean discrepancy of two modalities, with a Gaussian kernel and a permutation test.

    The value is the mean of h_ij = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(y_i, x_j) over i != j (Gretton et al.,
    2012, equation 4). No sample is compared with itself, so it has no bias although x_i and y_i belong together. A
    permutation exchanges the modalities of each sample with probability 1/2, which leaves samples whole: h_ij changes
    its sign where one of the two is exchanged, so that all permutations are products s'Hs with one matrix H.

    Args:
        X: One modality, (sample, feature).
        Y: The other, of the same width; row i is the same sample.
        bandwidth: Of the kernel, in units of the features, > 0; "median" is the median distance of all pairs of
            rows, of X and Y together (of those that differ, if most do not).
        permutations: How many, >= 1; the smallest possible p-value is 1 / (1 + permutations).
        samples: At most so many samples, drawn at random, are looked at: memory grows with their square.
        random_state: Seed of the draw and of the permutations.

    Raises:
        ValueError: For other ranks or widths, numbers that are not finite, rows of different number, or settings out
            of range.
    """
    one, other = paired_alike(X, Y)
    check_whole("permutations", permutations, 1)
    draw = np.random.default_rng(seed_from(random_state))
    rows = drawn(len(one), samples, draw)
    distances = _distances(one[rows], other[rows])
    width = _median(distances) if bandwidth == "median" else _given(bandwidth)
    kernel = _differences(*(np.exp(-block / (2 * width**2)) for block in distances))
    count = len(rows) * (len(rows) - 1)
    observed = float(kernel.sum()) / count
    permuted = _exchanged(kernel, permutations, draw) / count
    reached = int((permuted >= observed - 1e-12).sum())
    return Discrepancy(observed, (1 + reached) / (1 + permutations), width)


def _distances(one: Features, other: Features) -> tuple[Pairs, Pairs, Pairs]:
    """Squared distances within X, within Y, and between."""
    return cdist(one, one, "sqeuclidean"), cdist(other, other, "sqeuclidean"), cdist(one, other, "sqeuclidean")


def _median(distances: tuple[Pairs, Pairs, Pairs]) -> float:
    """The median of the distances of different rows; 1 where all rows are the same."""
    above = np.triu_indices(len(distances[0]), 1)
    squares = np.concatenate([distances[0][above], distances[1][above], distances[2].ravel()])
    middle = float(np.median(squares))
    if middle == 0 and squares.any():
        middle = float(np.median(squares[squares > 0]))
    return float(np.sqrt(middle)) or 1.0


def _given(bandwidth: float | str) -> float:
    if isinstance(bandwidth, str) or not 0 < bandwidth < np.inf:
        raise ValueError(f"bandwidth must be a positive number or 'median', got {bandwidth!r}.")
    return float(bandwidth)


def _differences(within: Pairs, within_other: Pairs, between: Pairs) -> Pairs:
    """h_ij; 0 on the diagonal."""
    matrix = np.asarray(within + within_other - between - between.T)
    np.fill_diagonal(matrix, 0)
    return matrix


def _exchanged(matrix: Pairs, permutations: int, draw: np.random.Generator) -> Float[ndarray, " permutation"]:
    """The sums s'Hs for random signs s, a number of permutations at a time."""
    sizes = [min(_DRAWS, permutations - start) for start in range(0, permutations, _DRAWS)]
    signs = (draw.choice([-1.0, 1.0], (len(matrix), size)) for size in sizes)
    return np.concatenate([(part * (matrix @ part)).sum(axis=0) for part in signs])
