"""Small data with several modalities, and estimators that learn it in a tenth of a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plait import (
    EarlyFusion,
    FusionClassifier,
    FusionRegressor,
    IntermediateFusion,
    LateFusion,
    MetaFusion,
    Modalities,
    SingleModality,
    Trainer,
)
from plait.nn.cohort import CohortPlan
from plait.training.mutual_learning import MutualLearning

METHODS = (EarlyFusion, IntermediateFusion, LateFusion, MetaFusion, SingleModality)
PARTS = (FusionClassifier, FusionRegressor, Trainer, *METHODS, MutualLearning, CohortPlan)


def small_trainer(**changed: Any) -> Trainer:
    """Few epochs with large steps."""
    return Trainer(**{"epochs": 8, "batch_size": 64, "learning_rate": 0.05, "threads": 1, **changed})


def small_method(**changed: Any) -> MetaFusion:
    """A cohort of up to three networks a modality."""
    usual = {"extractors": ("identity", "pca-1", "null"), "hidden": (8,), "rhos": (0.0, 1.0), "learners": ()}
    given = {**usual, **changed}
    return MetaFusion(**given)


def small_classifier(method: Any = None, **changed: Any) -> FusionClassifier:
    """A classifier that learns `three_modalities` at once."""
    return FusionClassifier(method or small_method(), **{"trainer": small_trainer(), "random_state": 0, **changed})


def small_regressor(method: Any = None, **changed: Any) -> FusionRegressor:
    """A regressor likewise."""
    return FusionRegressor(method or small_method(), **{"trainer": small_trainer(), "random_state": 0, **changed})


def three_arrays(n: int = 60, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Vectors, pictures and one number a sample, and the class (0 or 1) that each of them tells a part of."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 2)
    signal = 2.0 * y - 1
    arrays = {
        "sound": rng.normal(size=(n, 4)) + signal[:, None],
        "image": rng.normal(size=(n, 2, 3)) + signal[:, None, None],
        "age": 50 + 10 * (rng.normal(size=(n, 1)) + signal[:, None]),
    }
    return arrays, y


def three_modalities(n: int = 60, seed: int = 0) -> tuple[Modalities, np.ndarray]:
    """The same with ids p000, p001, ..., and a third of the images and a fifth of the ages absent."""
    arrays, y = three_arrays(n, seed)
    present = {"image": np.arange(n) % 3 != 0, "age": np.arange(n) % 5 != 0}
    return Modalities(arrays, ids=names_of(n), present=present), y


def names_of(n: int) -> np.ndarray:
    """Ids of n people."""
    return np.array([f"p{row:03d}" for row in range(n)])


def one_table(n: int = 60, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Two modalities of vectors in one table, columns a_0, a_1, a_2, b_0 and b_1, ids p000, ..."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 2)
    values = rng.normal(size=(n, 5)) + (2.0 * y - 1)[:, None]
    return pd.DataFrame(values, index=names_of(n), columns=["a_0", "a_1", "a_2", "b_0", "b_1"]), y


@contextmanager
def constructors_that_only_store() -> Iterator[None]:
    """As outside tests: constructors check no types, so that the errors are those that users meet."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in PARTS:
            patch.setattr(kind, "__init__", getattr(kind.__init__, "__wrapped__", kind.__init__))
        yield
