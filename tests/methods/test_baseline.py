"""What every method has to beat."""

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor

from plait.estimators import FusionClassifier, FusionRegressor
from plait.methods.baseline import Baseline
from samples import three_modalities
from tiny import course, samples

X, Y = three_modalities(60)


@pytest.mark.parametrize("validation", [0.25, 4])
def test_classes_are_predicted_by_their_frequencies(validation):
    """scikit-learn's dummy, whether some samples are held out or not."""
    labels = np.array(["ill", "well", "well", "fine"])[np.arange(60) % 4]
    fitted = FusionClassifier(Baseline(), validation=validation).fit(X, labels)
    known = DummyClassifier(strategy="prior").fit(np.zeros((60, 1)), labels)
    np.testing.assert_allclose(fitted.predict_proba(X), known.predict_proba(np.zeros((60, 1))), rtol=0, atol=1e-12)
    assert set(fitted.predict(X)) == {"well"}


@pytest.mark.parametrize("shape", [(60,), (60, 2)])
def test_values_are_predicted_by_their_mean(shape):
    """scikit-learn's dummy, for one target and for two."""
    target = np.random.default_rng(0).normal(5, 2, shape)
    predicted = FusionRegressor(Baseline()).fit(X, target).predict(X)
    known = DummyRegressor().fit(np.zeros((60, 1)), target).predict(np.zeros((60, 1)))
    np.testing.assert_allclose(predicted, known, rtol=1e-6)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("folds", [1, 4])
def test_validation_samples_are_predicted_by_the_others(task, folds):
    """The prior of the samples outside the fold."""
    data = samples(task, 2, folds=folds)
    fitted = Baseline().fit(course(data))
    target, fold = data.samples.target.double(), data.samples.fold
    for output, place in zip(fitted.validation, data.validation, strict=True):
        expected = target[fold != fold[place]].mean(0)
        said = output.softmax(-1) if task == "classification" else output
        torch.testing.assert_close(said, expected, rtol=0, atol=1e-12)


def test_its_history_is_one_row_with_the_columns_of_a_training():
    """Losses are those of the prior: the entropy of the classes."""
    data = samples("classification", 2, folds=4)
    history = Baseline().fit(course(data)).history
    columns = ["phase", "epoch", "training_loss", "validation_loss", "best_validation_loss", "seconds"]
    assert list(history.columns) == columns
    assert len(history) == 1
    share = data.samples.target.double().mean(0)
    assert history["training_loss"].iloc[0] == pytest.approx(float(-(share * share.log()).sum()))


def test_a_built_module_takes_the_weights():
    """build of the method gives what fit gave."""
    data = samples("classification", 3)
    fitted = Baseline().fit(course(data))
    fresh = fitted.method.build(data.spec)
    fresh.load_state_dict(fitted.module.state_dict())
    assert torch.equal(fresh.prior, fitted.module.prior)
