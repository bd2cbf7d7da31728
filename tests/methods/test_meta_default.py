"""Meta Fusion as it is by default: parts that are found, students of three kinds, who stops, who is spared."""

import numpy as np
import pytest

from plait import FusionRegressor, MetaFusion, Trainer
from plait.datasets import make_data_sharing
from samples import small_classifier, three_modalities
from tiny import course, samples


@pytest.fixture(scope="module")
def quadratic():
    """A model of 500 samples whose response is quadratic in what both modalities share, and 100 others."""
    made = make_data_sharing("2.2", n=600, random_state=0)
    model = FusionRegressor(MetaFusion(hidden=(8,)), trainer=Trainer(epochs=16, threads=1), random_state=0)
    return model.fit(made.data[:500], made.target[:500]), made.data[500:], made.target[500:]


def test_the_right_representation_and_head_are_found(quadratic):
    """Rank 20 is that of the generator; the heads that read it explain nearly everything, networks hardly a third."""
    model, data, target = quadratic
    assert model.method_.extractors["m0"] == ("identity", "pca-70", "shared-20", "individual-50", "null")
    assert model.score(data, target) > 0.95
    assert max(model.method_.ensemble, key=model.method_.ensemble.get).startswith("quadratic of m0:shared-20")
    networks = model.cohort_[model.cohort_.kind == "network"]
    assert networks.validation_loss.min() > 10 * model.cohort_.validation_loss.min()


def test_networks_that_are_beaten_stop_and_do_not_learn_together(quadratic):
    """The race is over when all of them are in the worse half; no rho above zero is trained."""
    model, _, _ = quadratic
    assert model.history_.phase.unique().tolist() == ["rho 0"]
    assert not model.cohort_.teaches[model.cohort_.kind == "network"].any()
    assert np.isfinite(model.cohort_.validation_loss).all()


@pytest.mark.parametrize(("count", "folds"), [(2000, 5), (2001, 1)])
def test_five_folds_validate_up_to_two_thousand_samples(count, folds):
    draw = np.random.default_rng(0)
    data = {"a": draw.normal(size=(count, 2)), "b": draw.normal(size=(count, 2))}
    method = MetaFusion(("identity", "null"), hidden=(2,), rhos=(0.0,), learners=())
    model = FusionRegressor(method, trainer=Trainer(epochs=1, threads=1), random_state=0).fit(data, data["a"][:, 0])
    assert model.spec_.folds == folds


def test_as_many_students_of_each_kind_at_most():
    """Every single modality and the full set stay."""
    data, y = three_modalities(60)
    model = small_classifier(MetaFusion(hidden=(4,), rhos=(0.0,), max_students=5)).fit(data, y)
    assert model.cohort_.kind.value_counts().max() == 5
    for kind, students in model.cohort_.groupby("kind"):
        read = (students[["sound", "image", "age"]] != "null").sum(axis=1)
        assert sorted(read)[:3] == [1, 1, 1], kind
        assert read.max() == 3


def test_the_settings_that_were_found_fit_again_to_the_same():
    """The resolved method names ranks, rho and weights, and has nothing left to choose."""
    data = samples(count=60, folds=3)
    first = MetaFusion(hidden=(4,)).fit(course(data, epochs=10))
    again = first.method.fit(course(data, epochs=10))
    one, other = (fitted.method.get_params(deep=False) for fitted in (first, again))
    assert other.pop("ensemble") == pytest.approx(one.pop("ensemble"), rel=1e-12)
    assert other == one
    features, present = data.samples.features, data.samples.present
    said = [fitted.module(values, present).detach() for fitted in (first, again) for values in [double(features)]]
    np.testing.assert_allclose(*said, rtol=1e-9)


def double(features):
    return {name: values.double() for name, values in features.items()}
