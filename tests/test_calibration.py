"""Temperature scaling as an option of the classifier."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from plait import FusionClassifier, LateFusion, MetaFusion, Trainer, load, save
from samples import small_classifier, small_method, three_modalities

OVERSURE = Trainer(epochs=60, learning_rate=0.05, weight_decay=0.0, patience=None, threads=1)


def noisy(n, seed):
    """A weak signal, which a network that trains for long is far too sure of."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    return {"a": rng.normal(size=(n, 6)) + 0.7 * np.eye(6)[y], "b": rng.normal(size=(n, 4)) + 0.7 * np.eye(4)[y]}, y


def test_without_calibration_the_temperature_is_one():
    """And probabilities are the softmax of the outputs."""
    X, y = three_modalities()
    assert small_classifier().fit(X, y).temperature_ == 1.0


@pytest.mark.parametrize("validation", [0.3, 3])
def test_temperature_makes_new_probabilities_better_and_changes_no_class(validation):
    """Fitted on samples held out of the training, judged on samples that no fit has seen."""
    X, y = noisy(240, 0)
    new, truth = noisy(1000, 1)
    choices = {"trainer": OVERSURE, "random_state": 0, "validation": validation}
    plain = FusionClassifier(LateFusion(hidden=(32,), dropout=0.0, average="logits"), **choices).fit(X, y)
    scaled = FusionClassifier(
        LateFusion(hidden=(32,), dropout=0.0, average="logits"), calibration="temperature", **choices
    ).fit(X, y)
    assert (scaled.predict(new) == plain.predict(new)).all()
    log_plain = np.log(plain.predict_proba(new)) / scaled.temperature_
    by_hand = np.exp(log_plain) / np.exp(log_plain).sum(1, keepdims=True)
    assert scaled.predict_proba(new) == pytest.approx(by_hand, abs=1e-12)
    assert log_loss(truth, scaled.predict_proba(new)) <= log_loss(truth, plain.predict_proba(new)) + 1e-3


def test_the_temperature_minimises_the_loss_of_the_validation_samples():
    """A neighbouring temperature is worse for predictions by models that were not trained on the sample."""
    X, y = three_modalities()
    for method in (small_method(), MetaFusion(extractors=("identity",), hidden=(4,), rhos=(0.0,))):
        fitted = small_classifier(method, calibration="temperature", validation=4).fit(X, y)
        assert 0.05 <= fitted.temperature_ <= 20


def test_a_calibrated_model_is_saved_with_its_temperature(tmp_path):
    """The same probabilities after loading."""
    X, y = three_modalities()
    fitted = small_classifier(calibration="temperature").fit(X, y)
    again = load(save(fitted, tmp_path / "model"))
    assert again.temperature_ == fitted.temperature_ != 1.0
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()


def test_an_unknown_calibration_is_refused():
    """Before anything is trained."""
    X, y = three_modalities()
    with pytest.raises(ValueError, match="calibration must be one of 'temperature'"):
        small_classifier(calibration="isotonic").fit(X, y)
