"""Multinomial logistic regression: against scikit-learn, and against fits that really leave samples out."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from plait.nn import logistic_path
from plait.nn.closed_path import Lessons
from plait.nn.logistic_path import PENALTIES, LogisticPath


@pytest.fixture(autouse=True)
def _to_the_end(monkeypatch):
    """Steps until nothing changes, so that known answers are met in many digits."""
    monkeypatch.setattr(logistic_path, "_FLAT", 1e-14)
    monkeypatch.setattr(logistic_path, "_LEVEL", 1e-9)


def drawn(samples, width, classes=3, seed=0):
    """Features of unequal means and scales, one-hot classes, and five blocks."""
    draw = np.random.default_rng(seed)
    latent = draw.normal(size=(samples, width))
    codes = (latent[:, :classes] + draw.normal(size=(samples, classes))).argmax(1)
    values = latent * draw.uniform(0.5, 3, width) + draw.normal(size=width)
    return torch.as_tensor(values), torch.eye(classes, dtype=torch.float64)[codes], torch.arange(samples) % 5


def reference(values, target, penalty, rows, weight=None):
    """Scikit-learn's probabilities for all samples, fitted on some rows of them with soft targets as weights."""
    standard = ((values - values.mean(0)) / values.std(0, correction=0)).numpy()
    classes = target.shape[1]
    repeated = np.repeat(standard[rows], classes, axis=0)
    model = LogisticRegression(C=1 / (penalty * len(values)), max_iter=10_000, tol=1e-10)
    model.fit(repeated, np.tile(np.arange(classes), int(rows.sum())), target[rows].numpy().ravel())
    return model.predict_proba(standard)


def losses(values, target, blocks):
    """Cross-entropy of what is left out, for every penalty."""
    found = {}
    for penalty in PENALTIES:
        said = LogisticPath(values).fit(target, blocks, penalty).left_out
        found[penalty] = log_loss(target.numpy(), said.softmax(1).numpy())
    return found


@pytest.mark.parametrize(("samples", "width"), [(90, 6), (40, 60)])
def test_the_fit_and_those_without_a_block_are_those_of_scikit_learn(samples, width):
    """With the same penalty on standardised features: more samples than features, and more features than samples."""
    values, target, blocks = drawn(samples, width)
    found = LogisticPath(values).fit(target, blocks, 0.03)
    whole = reference(values, target, 0.03, np.ones(samples, dtype=bool))
    np.testing.assert_allclose(found(values).softmax(1), whole, atol=1e-5)
    without = reference(values, target, 0.03, (blocks != 2).numpy())
    np.testing.assert_allclose(found.left_out[blocks == 2].softmax(1), without[blocks == 2], atol=1e-5)


def test_the_penalty_is_the_best_of_all_for_what_is_left_out():
    """The search from the strongest on finds what trying everything finds."""
    for seed in range(4):
        values, target, blocks = drawn(80, 12, seed=seed)
        tried = losses(values, target, blocks)
        found = LogisticPath(values).fit(target, blocks)
        assert found.penalty == min(tried, key=tried.get)


def test_targets_may_be_probabilities():
    """As scikit-learn does with every class of a sample, weighted."""
    values, target, blocks = drawn(60, 4)
    soft = (target + 2 * target.roll(1, 0)) / 3
    found = LogisticPath(values).fit(soft, blocks, 0.1)
    np.testing.assert_allclose(found(values).softmax(1), reference(values, soft, 0.1, np.ones(60, bool)), atol=1e-5)


def test_two_kinds_of_left_out():
    """What is said of samples left out, by fits that have not seen others either, is that of a fit without both."""
    values, target, blocks = drawn(60, 4)
    path, gone = LogisticPath(values), blocks == 4
    found = path.left_out(target, blocks, 0.1, gone)
    without = reference(values, target, 0.1, ((blocks != 1) & ~gone).numpy())
    np.testing.assert_allclose(found[blocks[~gone] == 1].softmax(1), without[blocks == 1], atol=1e-5)


def test_who_stands_alone_is_left_out_in_parts():
    """Blocks of -1 beside numbered ones: nobody is judged by a fit that has seen it."""
    values, target, blocks = drawn(60, 4)
    some = blocks.where(blocks == 0, -1)
    found = LogisticPath(values).fit(target, some, 0.1)
    alone = torch.nonzero(some < 0)[:, 0]
    part = alone[::5]
    rows = torch.ones(60, dtype=torch.bool).index_fill(0, part, value=False)
    without = reference(values, target, 0.1, rows.numpy())
    np.testing.assert_allclose(found.left_out[part].softmax(1), without[part], atol=1e-5)


def test_drawn_to_teachers_fold_by_fold():
    """Soft targets; what is left out of a fold has heard the lesson that does not know of the fold."""
    values, target, blocks = drawn(60, 4)
    draw = torch.Generator().manual_seed(0)
    said = [torch.rand(60, 3, generator=draw).double().softmax(1) for _ in range(6)]
    path = LogisticPath(values)
    alone = path.fit(target, blocks, 0.1)
    found = path.drawn(alone, Lessons(target, said, blocks, blocks), (1.0, 3.0))[1]
    whole = reference(values, (target + 3 * said[0]) / 4, 0.1, np.ones(60, dtype=bool))
    np.testing.assert_allclose(found(values).softmax(1), whole, atol=1e-5)
    without = reference(values, (target + 3 * said[3]) / 4, 0.1, (blocks != 2).numpy())
    np.testing.assert_allclose(found.left_out[blocks == 2].softmax(1), without[blocks == 2], atol=1e-5)


def test_a_lesson_that_repeats_the_targets_changes_nothing():
    """The limit: nothing is learned from who says what is known."""
    values, target, blocks = drawn(60, 4)
    path = LogisticPath(values)
    alone = path.fit(target, blocks, 0.1)
    found = path.drawn(alone, Lessons(target, [target] * 6, blocks, blocks), (5.0,))[0]
    np.testing.assert_allclose(found.linear, alone.linear, atol=1e-5)
    np.testing.assert_allclose(found.left_out, alone.left_out, atol=1e-4)


def test_constant_features_and_absent_classes_do_no_harm():
    """A feature without variance counts as 0, and a class without samples becomes improbable."""
    values, target, blocks = drawn(60, 4)
    values[:, 1] = 7.0
    target = torch.cat([target, torch.zeros(60, 1).double()], 1)
    found = LogisticPath(values).fit(target, blocks)
    assert bool((found.linear[1] == 0).all())
    assert float(found(values).softmax(1)[:, 3].max()) < 1e-4
    assert bool(found.left_out.isfinite().all())


def test_nothing_but_constants_says_the_frequencies():
    """No direction at all: the bias is what is left."""
    target = torch.eye(2).double()[torch.arange(10) % 5 // 4]
    found = LogisticPath(torch.ones(10, 3).double()).fit(target)
    np.testing.assert_allclose(found(torch.ones(1, 3).double()).softmax(1)[0], [0.8, 0.2], atol=1e-6)
