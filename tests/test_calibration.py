"""Temperature scaling as an option of the classifier."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from plait import FusionClassifier, LateFusion, Trainer, load, save
from samples import small_classifier, three_modalities

LONG = Trainer(epochs=60, learning_rate=0.05, weight_decay=0.0, patience=None, threads=1)


def noisy(n, seed):
    """A weak signal in each of two modalities."""
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
    choices = {"trainer": LONG, "random_state": 0, "validation": validation}
    plain = FusionClassifier(LateFusion(hidden=(32,), dropout=0.0, average="logits"), **choices).fit(X, y)
    scaled = FusionClassifier(
        LateFusion(hidden=(32,), dropout=0.0, average="logits"), calibration="temperature", **choices
    ).fit(X, y)
    assert (scaled.predict(new) == plain.predict(new)).all()
    log_plain = np.log(plain.predict_proba(new)) / scaled.temperature_
    by_hand = np.exp(log_plain) / np.exp(log_plain).sum(1, keepdims=True)
    assert scaled.predict_proba(new) == pytest.approx(by_hand, abs=1e-12)
    assert scaled.temperature_ < 0.9  # averaged logits of two modalities are not sure enough
    assert log_loss(truth, scaled.predict_proba(new)) < log_loss(truth, plain.predict_proba(new))


@pytest.mark.parametrize(("validation", "count"), [(0.25, 15), (4, 60)])
def test_the_temperature_is_fitted_on_the_validation_samples(monkeypatch, validation, count):
    """All of them and no other, with their classes: a part of the samples, or all where there are folds."""
    seen = []
    monkeypatch.setattr("plait.estimators.temperature", lambda outputs, target: seen.append((outputs, target)) or 2.0)
    X, y = three_modalities()
    fitted = small_classifier(calibration="temperature", validation=validation).fit(X, y)
    ((outputs, target),) = seen
    assert outputs.shape == (count, 2)
    assert fitted.temperature_ == 2.0
    assert count < 60 or (target == y).all()


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
