"""Students in closed form: values, class probabilities, samples left out, limits."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeCV
from sklearn.metrics import log_loss

from plait.data.spec import DataSpec
from plait.nn.closed_head import ClosedHead
from plait.nn.ridge_path import RidgePath

REALS = DataSpec({"a": (4,)}, 2, "regression")
CLASSES = DataSpec({"a": (4,)}, 3, "classification")


def reals(samples=80, seed=0):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(samples, 4))
    return values, np.stack([values @ [1.0, -2, 0, 3] + 1, values[:, 0] * values[:, 1]], 1)


def classes(samples=150, seed=0):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(samples, 4))
    codes = (values[:, :3] + 0.5 * draw.normal(size=(samples, 3))).argmax(1)
    return values, np.eye(3)[codes]


def fit(kind, spec, values, target):
    """A head with the weights of the best fit, and what that says of samples left out."""
    head = ClosedHead(kind, spec, 4)
    path, target = RidgePath(torch.from_numpy(values), products=kind == "quadratic"), torch.from_numpy(target)
    return head, head.take(path.fit(target), target).numpy()


def said(head, values):
    return head(torch.from_numpy(values)).numpy()


def test_ridge_is_a_linear_function():
    """That of scikit-learn with nearly the same penalty."""
    values, target = reals()
    found = said(fit("ridge", REALS, values, target[:, :1].repeat(2, 1))[0], values)
    expected = RidgeCV(np.logspace(-6, 3, 19) * 80).fit(values, target[:, 0]).predict(values)
    assert np.abs(found[:, 0] - expected).max() < 1e-3


def test_quadratic_finds_products():
    """Which no linear function does; on new samples."""
    (values, target), (new, answer) = reals(), reals(seed=1)
    found = said(fit("quadratic", REALS, values, target)[0], new)
    assert np.abs(found - answer).max() < 1e-3
    linear = said(fit("ridge", REALS, values, target)[0], new)
    assert np.square(linear - answer)[:, 1].mean() > 0.5


@pytest.mark.parametrize("kind", ["ridge", "quadratic"])
def test_probabilities_are_calibrated_on_samples_left_out(kind):
    """No other temperature makes those samples more likely, and new ones are nearly as likely."""
    (values, target), (new, answer) = classes(), classes(600, seed=1)
    head, left_out = fit(kind, CLASSES, values, target)

    def loss(outputs, of, times=1.0):
        return log_loss(of.argmax(1), torch.from_numpy(times * outputs).softmax(1).numpy())

    own = loss(left_out, target)
    assert own < loss(left_out, target, 0.9)
    assert own < loss(left_out, target, 1.1)
    assert loss(said(head, new), answer) == pytest.approx(own, abs=0.15)
    assert loss(said(head, new), answer) < 0.8


def test_a_class_that_was_not_there_is_all_but_impossible():
    """And the others share its probability."""
    values, target = classes()
    kept = target[:, 1] == 0
    outputs = said(fit("ridge", CLASSES, values[kept], target[kept])[0], values)
    assert torch.from_numpy(outputs).softmax(1)[:, 1].max() < 1e-8


@pytest.mark.parametrize("kind", ["ridge", "quadratic"])
def test_weights_are_the_state(kind):
    """A head that takes another's state says the same."""
    values, target = reals()
    (one, _), other = fit(kind, REALS, values, target), ClosedHead(kind, REALS, 4)
    other.load_state_dict(one.state_dict())
    np.testing.assert_array_equal(said(one, values), said(other, values))


def test_before_a_fit_it_says_zero():
    """As where there was no sample to fit it on."""
    assert not said(ClosedHead("quadratic", REALS, 4), np.ones((3, 4))).any()


def test_one_sample_is_enough():
    """Its target is predicted everywhere."""
    head, _ = fit("quadratic", REALS, np.ones((1, 4)), np.array([[2.0, 3.0]]))
    np.testing.assert_allclose(said(head, np.zeros((2, 4))), [[2, 3], [2, 3]], atol=1e-6)


@pytest.mark.parametrize(("kind", "most"), [("ridge", 4096), ("quadratic", 512)])
def test_very_many_values_are_refused(kind, most):
    """With what to do instead."""
    ClosedHead(kind, REALS, most)
    with pytest.raises(ValueError, match=f"at most {most} values .got {most + 1}.*'pca-20'"):
        ClosedHead(kind, REALS, most + 1)
