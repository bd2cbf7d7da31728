"""What each modality contributes: exact Shapley values of a game over subsets."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import comb

MOST_PLAYERS = 12


def shapley_values(worth: Mapping[frozenset[str], float], names: Sequence[str]) -> dict[str, float]:
    """Share the worth of all names fairly among them (Shapley, 1953).

    The value of a name is what it adds to the names before it, averaged over all orders of arrival. The
    values sum to worth(all) - worth(empty); interchangeable names get the same, one that never adds gets 0.

    Args:
        worth: Worth of every subset of the names, the empty one included (for example the accuracy with these
            modalities present). Any unit; the values have the same. Subsets with other names are not read.
        names: The players, at most 12: all 2^K subsets are needed.

    Returns:
        Value of each name, in the order of `names`.

    Raises:
        ValueError: If there are more than 12 names, a name is twice, or a subset is absent.
    """
    inside = _subsets(names)
    total = _worth_of(inside, worth, names)
    count = len(names)
    masks, bits = np.arange(len(inside)), 1 << np.arange(count)
    # |S|! (K - |S| - 1)! / K! = 1 / (K binom(K - 1, |S|)); the full set is joined by nobody
    weight = 1 / (count * comb(count - 1, np.minimum(inside.sum(axis=1), count - 1)))
    gain = total[masks[:, None] | bits] - total[:, None]
    values = np.where(inside, 0.0, weight[:, None] * gain).sum(axis=0)
    return dict(zip(names, values.tolist(), strict=True))


def _subsets(names: Sequence[str]) -> np.ndarray:
    """Bool (subset, name): who is in the subset whose number has these bits."""
    if not 0 < len(names) <= MOST_PLAYERS:
        raise ValueError(
            f"Exact Shapley values need 1 to {MOST_PLAYERS} names, since all 2^K subsets are evaluated "
            f"(got {len(names)}). Join modalities into groups and share the worth among the groups."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"Expected distinct names, got {list(names)}. Name each modality once.")
    return (np.arange(1 << len(names))[:, None] >> np.arange(len(names)) & 1).astype(bool)


def _worth_of(inside: np.ndarray, worth: Mapping[frozenset[str], float], names: Sequence[str]) -> np.ndarray:
    """The worth of each subset, in the order of `inside`."""
    subsets = [frozenset(name for name, chosen in zip(names, row, strict=True) if chosen) for row in inside]
    absent = [subset for subset in subsets if subset not in worth]
    if absent:
        raise ValueError(
            f"Expected the worth of all {len(subsets)} subsets, the empty one included (got none for "
            f"{len(absent)}, the first is {sorted(absent[0])}). Evaluate them and add them to `worth`."
        )
    return np.array([worth[subset] for subset in subsets], dtype=np.float64)
