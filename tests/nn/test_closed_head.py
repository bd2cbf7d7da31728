"""Students in closed form: values, class probabilities, samples left out, limits."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeCV
from sklearn.metrics import log_loss

from plait.data.spec import DataSpec
from plait.nn.closed_head import ClosedHead, warmth
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
    return head, head.take(path.fit(target), target, torch.full((len(target),), -1)).numpy()


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
    """Hardly any other temperature makes those samples more likely, and new ones are nearly as likely."""
    (values, target), (new, answer) = classes(), classes(600, seed=1)
    head, left_out = fit(kind, CLASSES, values, target)

    def loss(outputs, of, times=1.0):
        return log_loss(of.argmax(1), torch.from_numpy(times * outputs).softmax(1).numpy())

    own = loss(left_out, target)
    assert own < min(loss(left_out, target, times) for times in np.linspace(0.5, 2, 16)) + 0.01
    assert loss(said(head, new), answer) == pytest.approx(own, abs=0.15)
    assert loss(said(head, new), answer) < 0.8


def test_what_is_said_of_a_fold_is_as_sure_as_the_others_are_right():
    """The output of the fit without the fold, times what makes the other folds most likely."""
    values, target = (torch.from_numpy(part) for part in classes(60))
    fold = torch.arange(60) % 3
    found = RidgePath(values, products=False).fit(target, fold)
    said = ClosedHead("ridge", CLASSES, 4).take(found, target, fold)
    for own in (fold == place for place in range(3)):
        expected = warmth(found.left_out[~own], target[~own]) * found.left_out[own]
        torch.testing.assert_close(said[own], expected)


def test_few_samples_that_are_all_right_make_nobody_certain():
    """Twelve samples that a line divides widely: what is left out is as sure as (12 + 2) / (12 + 4)."""
    values = torch.linspace(-1, 1, 12)[:, None].repeat(1, 4).double()
    values = 3 * values.sign() + 0.01 * values
    target = torch.nn.functional.one_hot((values[:, 0] > 0).long(), 2).double()
    head = ClosedHead("ridge", DataSpec({"a": (4,)}, 2, "classification"), 4)
    left_out = head.take(RidgePath(values, products=False).fit(target), target, torch.full((12,), -1))
    assert (left_out.argmax(1) == target.argmax(1)).all()
    assert left_out.softmax(1).amax(1).mean() == pytest.approx(14 / 16, abs=1e-3)


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
