"""The split of Meta Fusion's simulations into training, validation and test rows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split


class Split(NamedTuple):
    """Row numbers of three parts that do not overlap; together they are all rows."""

    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def split_rows(n: int, random_state: int | None = 0, *, test: float = 0.2, validation: float = 0.2) -> Split:
    """Split rows as Meta Fusion's simulations do: test rows first, then validation rows from the rest.

    Args:
        n: Number of rows, at least 3; 2000 give 1280, 320 and 400.
        random_state: Seed of both draws.
        test: Share of all rows for testing, between 0 and 1.
        validation: Share of the remaining rows for validation, between 0 and 1.

    Returns:
        The rows for training, validation and testing, shuffled.

    Raises:
        ValueError: If a part would be empty (scikit-learn's message says which).
    """
    rest, tested = train_test_split(np.arange(n), test_size=test, random_state=random_state)
    train, validated = train_test_split(rest, test_size=validation, random_state=random_state)
    return Split(train, validated, tested)
