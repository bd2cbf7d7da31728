"""scikit-learn's own checks of an estimator, on two-dimensional input; no check is expected to fail."""

from collections.abc import Callable, Iterator

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from plait import FusionClassifier, FusionRegressor, MetaFusion, Trainer
from samples import constructors_that_only_store

SMALL = {
    "method": MetaFusion(extractors=("identity", "pca-1", "null"), hidden=(16,), rhos=(0.0, 1.0)),
    "trainer": Trainer(epochs=10, batch_size=128, learning_rate=0.1, threads=1),
    "random_state": 0,
}


@pytest.fixture(autouse=True)
def _as_outside_tests() -> Iterator[None]:
    with constructors_that_only_store():
        yield


@parametrize_with_checks([FusionClassifier(**SMALL), FusionRegressor(**SMALL)], expected_failed_checks={})
def test_small_estimators_keep_the_contract_of_scikit_learn(estimator: BaseEstimator, check: Callable) -> None:
    """Every check passes, of a small cohort."""
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([FusionClassifier(), FusionRegressor()], expected_failed_checks={})
def test_default_estimators_keep_the_contract_of_scikit_learn(estimator: BaseEstimator, check: Callable) -> None:
    """Every check passes, of the estimators as they come."""
    check(estimator)
