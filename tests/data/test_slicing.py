"""Rows of the container, as users, scikit-learn and joblib ask for them."""

from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RepeatedStratifiedKFold,
    cross_val_predict,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.utils import _safe_indexing, check_consistent_length, indexable, shuffle

from plait.data.modalities import Modalities


def numbered(n: int = 6) -> Modalities:
    """Row i holds i in both modalities; the row 1 lacks b."""
    rows = np.arange(float(n))
    return Modalities(
        {"a": rows, "b": np.repeat(rows, 4).reshape(n, 2, 2)},
        ids=[f"s{row}" for row in range(n)],
        present={"b": rows != 1},
        columns={"a": ["u"]},
    )


KEYS = {
    "list": ([2, 1], [2, 1]),
    "repeated": ([1, 1, 0], [1, 1, 0]),
    "array": (np.array([5, 0]), [5, 0]),
    "unsigned": (np.array([5, 0], dtype=np.uint64), [5, 0]),
    "negative": ([-1, -6], [5, 0]),
    "one": (3, [3]),
    "one from the end": (-1, [5]),
    "NumPy integer": (np.int64(2), [2]),
    "slice": (slice(1, 5, 2), [1, 3]),
    "reversed": (slice(None, None, -1), [5, 4, 3, 2, 1, 0]),
    "booleans": (np.arange(6) % 2 == 1, [1, 3, 5]),
    "list of booleans": ([True] + [False] * 5, [0]),
    "Series of booleans": (pd.Series([False] * 5 + [True]), [5]),
    "Index": (pd.Index([4]), [4]),
    "nothing": ([], []),
    "no booleans": (np.zeros(6, dtype=bool), []),
    "empty slice": (slice(0, 0), []),
    "as scikit-learn": (([4, 2], Ellipsis), [4, 2]),
    "slice as scikit-learn": ((slice(2), Ellipsis), [0, 1]),
}


@pytest.mark.parametrize(("key", "rows"), KEYS.values(), ids=KEYS.keys())
def test_rows_keep_values_ids_presence_and_columns(key: Any, rows: list[int]) -> None:
    """All parts of a sample move together."""
    X = numbered()[key]
    assert X["a"][:, 0].tolist() == rows
    assert X.ids.tolist() == [f"s{row}" for row in rows]
    assert X.present[:, 1].tolist() == [row != 1 for row in rows]
    assert X["b"].shape == (len(rows), 2, 2)
    assert X.columns == {"a": ("u",)}


@pytest.mark.parametrize("key", [6, [-7], [0, 99], [True, False], [0.5], [[0]], None, (0, 1), ["a"], ([0], 0)])
def test_rows_out_of_range_or_of_another_kind_raise(key: Any) -> None:
    """IndexError, as NumPy."""
    with pytest.raises(IndexError):
        numbered()[key]


def test_empty_selections_have_an_overview() -> None:
    """No rows, no division by zero."""
    X = numbered()[[]]
    assert repr(X) == "Modalities(n=0, a=(1,), b=(2, 2))"
    assert X.missing_rows()["share_absent"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("key", [[1, 3], np.array([1, 3]), (1, 3), np.array([False, True, False, True, False, False])])
def test_scikit_learn_indexes_rows(key: Any) -> None:
    """`_safe_indexing` writes array[key, ...]."""
    assert _safe_indexing(numbered(), key).ids.tolist() == ["s1", "s3"]


def test_scikit_learn_counts_samples() -> None:
    """The length is compared with that of the target."""
    X = numbered()
    check_consistent_length(X, np.zeros(6))
    assert indexable(X, np.zeros(6))[0] is X
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_consistent_length(X, np.zeros(5))


def test_split_and_shuffle_give_modalities() -> None:
    """The usual helpers return containers whose rows belong together."""
    train, test, y_train, y_test = train_test_split(numbered(), np.arange(6), random_state=0)
    assert train["a"][:, 0].tolist() == y_train.tolist()
    assert test["a"][:, 0].tolist() == y_test.tolist()
    mixed, y = shuffle(numbered(), np.arange(6), random_state=0)
    assert mixed["a"][:, 0].tolist() == y.tolist()


class Threshold(ClassifierMixin, BaseEstimator):
    """Reads modality a: is it above a threshold?"""

    def __init__(self, above: float = 10.0) -> None:
        self.above = above

    def fit(self, X: Modalities, y: Any) -> "Threshold":
        """Nothing to learn, but X must be the container."""
        assert isinstance(X, Modalities)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Modalities) -> Any:
        """Class 1 above the threshold."""
        return (X["a"][:, 0] >= self.above).astype(int)


def test_cross_validation_and_search_take_the_container() -> None:
    """Folds, groups, out-of-fold predictions, curves and searches hand it on in rows."""
    X, y = numbered(20), (np.arange(20) >= 10).astype(int)
    folds = RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)
    assert cross_validate(Threshold(), X, y, cv=folds)["test_score"].tolist() == [1.0] * 4
    scores = cross_validate(Threshold(), X, y, groups=np.arange(20) // 2, cv=GroupKFold(2))["test_score"]
    assert scores.tolist() == [1.0] * 2
    assert cross_val_predict(Threshold(), X, y, cv=4).tolist() == y.tolist()
    assert learning_curve(Threshold(), X, y, train_sizes=[4, 8], cv=2, shuffle=True)[2].min() == 1.0
    search = GridSearchCV(Threshold(), {"above": [0.0, 10.0]}, cv=2).fit(X, y)
    assert search.best_params_ == {"above": 10.0}


def test_workers_get_the_container() -> None:
    """joblib sends it to other processes and hashes it by content."""
    X = numbered()
    sums = joblib.Parallel(n_jobs=2)(joblib.delayed(np.sum)(part["a"]) for part in (X[:3], X[3:]))
    assert sums == [3.0, 12.0]
    assert joblib.hash(numbered()) == joblib.hash(numbered())
    assert joblib.hash(numbered()) != joblib.hash(numbered(7))
