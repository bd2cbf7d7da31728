"""How sure a fitted model is of each new sample, by the disagreement of its own predictors."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.exceptions import NotFittedError

from plait import (
    Baseline,
    CooperativeLasso,
    EarlyFusion,
    FusionClassifier,
    FusionRegressor,
    GatedFusion,
    IntermediateFusion,
    LateFusion,
    Modalities,
    SingleModality,
    StepFusion,
    load,
    save,
)
from samples import small_classifier, small_method, small_regressor, small_trainer, three_arrays, three_modalities

LATE = LateFusion(hidden=(4,), dropout=0.0)


def only(X, name):
    """The samples with one modality, all others absent: what its student says is then the prediction."""
    return Modalities({other: values if other == name else None for other, values in X.items()}, ids=X.ids)


def complete(n=60):
    """Three modalities that every sample has, and the class."""
    arrays, y = three_arrays(n)
    return Modalities(arrays), y


def test_of_classes_by_hand():
    """Late fusion of three modalities, one held-out set: three students, each asked alone."""
    X, y = complete()
    model = small_classifier(LATE, validation=0.25).fit(X, y)
    each = np.stack([model.predict_proba(only(X, name)) for name in X])
    expected = entropy(each.mean(0), axis=1) - entropy(each, axis=2).mean(0)
    assert model.predict_disagreement(X) == pytest.approx(expected, abs=1e-12)
    assert expected.max() > 0.05


def test_of_values_by_hand():
    """The standard deviation of the students, in units of the target, the mean over two targets."""
    X, y = complete()
    target = np.stack([50 + 7 * y, 3.0 - y + 0.1 * np.arange(60)], axis=1)
    model = small_regressor(LATE, validation=0.25).fit(X, target)
    each = np.stack([model.predict(only(X, name)) for name in X])
    assert model.predict_disagreement(X) == pytest.approx(each.std(0).mean(1), abs=1e-10)


def test_weights_of_the_ensemble_count():
    """Students named by the user with weights 3 and 1; where one of them cannot read, the other agrees with itself."""
    X, y = complete()
    here = np.arange(60) % 5 > 0
    absent = Modalities(dict(X.items()), present={"age": here})
    method = small_method(rhos=(0.0,), ensemble={"sound:identity": 3.0, "age:identity": 1.0})
    model = small_classifier(method, validation=0.25).fit(absent, y)
    sound, age = (model.predict_proba(only(X, name)) for name in ("sound", "age"))
    expected = entropy(0.75 * sound + 0.25 * age, axis=1) - 0.75 * entropy(sound, axis=1) - 0.25 * entropy(age, axis=1)
    found = model.predict_disagreement(absent)
    assert found[here] == pytest.approx(expected[here], abs=1e-7)
    assert (found[~here] == 0).all()


def test_copies_of_the_folds_are_predictors_too():
    """One student, and still it disagrees with itself: its copies learned from other samples."""
    X, y = complete()
    model = small_classifier(EarlyFusion(hidden=(4,), dropout=0.0), validation=3).fit(X, y)
    found = model.predict_disagreement(X)
    assert (found > 0).all()
    assert (found <= np.log(2)).all()


@pytest.mark.parametrize("method", [GatedFusion(width=4), IntermediateFusion(width=4), StepFusion(width=4)])
def test_methods_with_one_network_have_their_copies(method):
    """With folds; where one set is held out there is a single network, and the error says what to do."""
    X, y = three_modalities()
    few = small_trainer(epochs=2)
    found = small_classifier(method, validation=2, trainer=few).fit(X, y).predict_disagreement(X)
    assert (found >= 0).all()
    assert found.max() > 0
    alone = small_classifier(method, validation=0.25, trainer=few).fit(X, y)
    with pytest.raises(ValueError, match=rf"This {type(method).__name__} is a single predictor.*validation=5"):
        alone.predict_disagreement(X)


@pytest.mark.parametrize("method", [Baseline(), EarlyFusion(base="linear"), CooperativeLasso(rhos=(0.0,), n_lambdas=3)])
def test_methods_without_students_say_who_has_some(method):
    """Nothing to compare, folds or not."""
    X, y = complete()
    with pytest.raises(ValueError, match=r"single predictor.*MetaFusion and LateFusion have several students"):
        small_classifier(method).fit(X, y).predict_disagreement(X)


def test_a_sample_that_nobody_can_read_is_unknown():
    """NaN, not 0: its prediction is the prior."""
    X, y = complete()
    model = small_classifier(SingleModality("sound", hidden=(4,)), validation=3).fit(X, y)
    without = Modalities(dict(X.items()), present={"sound": np.arange(60) > 0})
    found = model.predict_disagreement(without)
    assert np.isnan(found[0])
    assert (found[1:] > 0).all()


@pytest.mark.parametrize("kind", [small_classifier, small_regressor])
def test_samples_do_not_influence_each_other(kind):
    """The same alone as among others."""
    X, y = three_modalities()
    model = kind(trainer=small_trainer(epochs=2)).fit(X, y)
    whole = model.predict_disagreement(X)
    assert model.predict_disagreement(X[[7]]) == pytest.approx(whole[[7]], abs=1e-12)


def test_a_loaded_model_is_as_sure_as_the_saved_one(tmp_path):
    """Bit for bit; students in closed form among them."""
    X, y = three_modalities()
    method = small_method(rhos=(0.0,), learners=("ridge", "linear"), ensemble="simple")
    model = small_regressor(method, trainer=small_trainer(epochs=2)).fit(X, y)
    assert (load(save(model, tmp_path / "model")).predict_disagreement(X) == model.predict_disagreement(X)).all()


def test_the_model_is_less_sure_where_it_has_seen_nothing():
    """Three times as far out as the training samples, predictors differ more."""
    rng = np.random.default_rng(0)
    X = {"a": rng.normal(size=(120, 3)), "b": rng.normal(size=(120, 3))}
    y = X["a"][:, 0] + X["b"][:, 0] + 0.1 * rng.normal(size=120)
    model = FusionRegressor(LateFusion(hidden=(16,)), trainer=small_trainer(epochs=20), random_state=0).fit(X, y)
    near, far = (model.predict_disagreement({name: c * x for name, x in X.items()}).mean() for c in (1, 3))
    assert far > 2 * near


def test_units_are_those_of_the_target():
    """A target in millimetres instead of metres: a thousand times the number."""
    X, y = complete()
    fits = [small_regressor(LATE, trainer=small_trainer(epochs=2)).fit(X, scale * y) for scale in (1.0, 1000.0)]
    one, thousand = (model.predict_disagreement(X) for model in fits)
    assert thousand == pytest.approx(1000 * one, rel=1e-4)


def test_values_far_beyond_the_fit_are_refused():
    """As in prediction: no number, not even NaN, for an output that overflowed."""
    X, y = complete()
    model = small_regressor(LATE, trainer=small_trainer(epochs=1)).fit(X, y.astype(float))
    with torch.no_grad():
        for weights in model.module_.parameters():
            weights.fill_(torch.inf)
    with pytest.raises(ValueError, match="no finite prediction"):
        model.predict_disagreement(X)


def test_an_unfitted_model_says_so():
    """As every other prediction does."""
    X, _ = complete()
    with pytest.raises(NotFittedError):
        FusionClassifier().predict_disagreement(X)
