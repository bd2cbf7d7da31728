"""What holds of both estimators, whatever the method: seeds, samples apart, units, silence, frozen and trained parts."""

import copy
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
import torch
from samples import (
    constructors_that_only_store,
    names_of,
    one_table,
    small_classifier,
    small_method,
    small_regressor,
    small_trainer,
    three_arrays,
    three_modalities,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

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

METHODS = {
    "meta": small_method(),
    "meta encoders": small_method(extractors=("encoder-3", "sliced-3", "null"), encoder_hidden=(4,)),
    "early": EarlyFusion(hidden=(8,)),
    "late": LateFusion(hidden=(8,)),
    "intermediate": IntermediateFusion(width=4, encoder_hidden=(4,), hidden=(8,)),
    "single": SingleModality("sound", hidden=(8,)),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


@pytest.fixture(scope="module")
def fitted() -> FusionClassifier:
    """A classifier on three modalities with absent ones."""
    return small_classifier().fit(*three_modalities())


@every_method
def test_the_same_seed_gives_the_same_numbers(method) -> None:
    """Bit by bit, whatever the state of the global generators; another seed gives others."""
    X, y = three_modalities()
    first = small_classifier(method).fit(X, y).predict_proba(X)
    torch.manual_seed(1)
    np.random.seed(1)
    np.testing.assert_array_equal(small_classifier(method).fit(X, y).predict_proba(X), first)
    assert not np.array_equal(small_classifier(method, random_state=1).fit(X, y).predict_proba(X), first)
