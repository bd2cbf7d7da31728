"""Students that are trained once: other choices are those that a training of their own would give."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

import tiny
from plait.data.modalities import Modalities
from plait.estimators import FusionClassifier, FusionRegressor
from plait.methods.meta import MetaFusion
from plait.nn.averaging import averaging_for
from plait.reproduce.ablation_arms import CHOICES
from plait.reproduce.ablation_students import ENSEMBLES, Choice, Reselecting, rechosen
from plait.training.ensembling import learn_learners
from plait.training.trainer import Trainer

SMALL = {"extractors": ("identity", "null"), "hidden": (4,), "rhos": (0.0, 1.0), "learners": ("ridge",), "halvings": 1}


def data_of(task: str) -> tuple[Modalities, np.ndarray]:
    """Two modalities that each tell a part of the target."""
    draw = np.random.default_rng(0)
    arrays = {"a": draw.normal(size=(60, 5)), "b": draw.normal(size=(60, 4))}
    target = arrays["a"][:, 0] + arrays["b"][:, 0] * arrays["b"][:, 1] + 0.5 * draw.normal(size=60)
    return Modalities(arrays), np.digitize(target, [-0.5, 0.5]) if task == "classes" else target


def fitted(task: str, method: Any) -> Any:
    """A model on the first 45 samples."""
    X, y = data_of(task)
    kind = FusionClassifier if task == "classes" else FusionRegressor
    return kind(method, trainer=Trainer(epochs=3, threads=1), random_state=3).fit(X[:45], y[:45])


def said(task: str, model: Any) -> np.ndarray:
    """What a model says of the others."""
    new = data_of(task)[0][45:]
    return model.predict_proba(new) if task == "classes" else model.predict(new)


@cache
def trained_once(task: str) -> Any:
    return fitted(task, Reselecting(MetaFusion(**SMALL), CHOICES))


@pytest.mark.parametrize("task", ["classes", "values"])
@pytest.mark.parametrize("name", [name for name, choice in CHOICES.items() if choice.ensemble is not None])
def test_another_ensemble_is_that_of_a_training_of_its_own(task: str, name: str) -> None:
    """The same students with the same weights, bit for bit: the rule takes no part in training."""
    other = fitted(task, MetaFusion(**SMALL, ensemble=CHOICES[name].ensemble))
    again = rechosen(trained_once(task), name)
    np.testing.assert_array_equal(again.module_.weights, other.module_.weights)
    np.testing.assert_array_equal(said(task, again), said(task, other))


@pytest.mark.parametrize("task", ["classes", "values"])
def test_the_method_itself_is_as_it_is(task: str) -> None:
    """The same predictions, cohort and resolved method as without further choices; choosing changes no model."""
    plain, once = fitted(task, MetaFusion(**SMALL)), trained_once(task)
    rechosen(once, "simple")
    np.testing.assert_array_equal(said(task, once), said(task, plain))
    assert repr(once.method_) == repr(plain.method_)
    assert once.cohort_.equals(plain.cohort_)


def test_all_but_networks_choose_among_themselves() -> None:
    """As if there had never been a network: the method's own rule on the others alone."""
    data = tiny.samples(count=40, folds=4)
    method, course = MetaFusion(**SMALL), tiny.course(data)
    weights = Reselecting(method, CHOICES).fit(course).tables[ENSEMBLES]["no-networks"]
    plan = method._learners(data.spec, dict.fromkeys(data.spec.names, SMALL["extractors"]))
    alone = learn_learners(plan, "bagged-greedy", averaging_for(data.spec, "probabilities"), course)
    others = [student.name for student in alone.students]
    np.testing.assert_allclose(weights[others], alone.weights)
    assert weights.drop(others).eq(0).all()
    assert len(weights) > len(others) > 0


def test_weights_are_shares_of_all_students() -> None:
    """One column a choice, one row a student, as the cohort has them; they sum to one."""
    model = trained_once("values")
    table = model.tables_[ENSEMBLES]
    assert list(table) == list(CHOICES)
    assert table.index.equals(model.cohort_.index)
    np.testing.assert_allclose(table.sum(), 1)


def test_a_choice_without_a_rule_is_the_methods_own() -> None:
    """Among all students it is the ensemble of the method."""
    fit = Reselecting(MetaFusion(**SMALL, ensemble="best"), {"own": Choice()}).fit(tiny.course(tiny.samples()))
    np.testing.assert_array_equal(
        torch.from_numpy(fit.tables[ENSEMBLES]["own"].to_numpy(copy=True)), fit.module.weights
    )


def test_it_is_validated_as_the_method_is() -> None:
    """Folds where the method has folds, up to as many samples."""
    for method in (MetaFusion(), MetaFusion(extractors=("sliced-3", "null"))):
        wrapped = Reselecting(method, {})
        assert (wrapped.folds_allowed, wrapped.folds_below) == (method.folds_allowed, method.folds_below)
