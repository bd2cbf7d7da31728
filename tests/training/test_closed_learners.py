"""Heads in closed form among learners: one fit serves every fold and the end."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from plait.nn.dictionary import whole_student
from plait.nn.learners import plan_learners
from plait.nn.representations import Representations
from plait.nn.ridge_path import RidgePath
from plait.training.learners import fit_learners
from tiny import course, samples


def fitted(data, bases=("ridge",), rhos=(0.0,)):
    """Learners on both modalities side by side."""
    student = whole_student(data.spec, data.spec.names)
    read = Representations(data.spec, [student])
    data = data.to(torch.device("cpu"), torch.float64)
    data = data.with_features(read)
    plan = plan_learners(data.spec, bases, [[student]] * len(bases))
    return fit_learners(replace(plan, rhos=rhos), course(data)), data


def by_hand(data, folds, head):
    """A fit without each fold, with the head's penalty (that of its weights) on features standardised over all."""
    values = torch.cat([one.flatten(1) for one in data.samples.features.values()], 1).numpy()
    values = (values - values.mean(0)) / values.std(0)
    target, fold = data.samples.target.numpy(), data.samples.fold.numpy()
    found = np.full_like(target, np.nan)
    for own in range(folds):
        model = Ridge(head * len(fold)).fit(values[fold != own], target[fold != own])
        found[fold == own] = model.predict(values[fold == own]).reshape(-1, target.shape[1])
    return found


@pytest.mark.parametrize("folds", [1, 4])
def test_what_is_said_of_a_fold_has_not_seen_it(folds):
    """As refits without the fold say, at one of the penalties."""
    found, data = fitted(samples(folds=folds, outputs=2))
    outputs = found.outputs[0].numpy()
    errors = [
        np.abs(by_hand(data, folds, 10.0**power)[data.validation.numpy()] - outputs).max()
        for power in np.arange(-6, 3.5, 0.5)
    ]
    assert min(errors) < 1e-6


def test_groups_are_left_out_together():
    """Copies of samples in one group do not make a head too sure: the penalty is larger than with single samples."""
    data = samples(count=30, shapes={"a": (20,), "b": (20,)})
    rows = torch.arange(30).repeat_interleave(4)
    noise = torch.randn(30, 1, generator=torch.Generator().manual_seed(0))[rows]
    copied = replace(data.samples.rows(rows), target=noise, fold=torch.where(rows % 4 == 0, 0, -1))
    alone = replace(data, samples=copied)
    weights = []
    for given in (alone, replace(alone, groups=rows)):
        found, _ = fitted(given)
        weights.append(float(found.learners.learners[0].linear.norm()))
    assert weights[1] < 0.5 * weights[0]


def test_a_head_that_reads_samples_of_one_fold_alone_is_not_judged():
    """There is nothing else that it could have learned from."""
    data = samples(count=20)
    data.samples.present[data.samples.fold < 0] = torch.tensor([True, False])
    found, data = fitted(data)
    assert not found.usable.any()
    assert np.isinf(found.losses).all()


def test_heads_stand_beside_learners_of_scikit_learn():
    """Each in its place."""
    found, _ = fitted(samples("classification", 3), ("quadratic", "linear", "ridge"))
    assert found.usable.all()
    assert np.isfinite(found.losses).all()
    torch.testing.assert_close(found.outputs[1].exp().sum(-1), torch.ones(10, dtype=torch.float64))


# Mutual learning


def drawn_by_hand(data, path, rho, own):
    """What one head, its own teacher, says of a fold after learning from itself: refitted without the fold."""
    target, fold = data.samples.target, data.samples.fold
    values = torch.cat([one.flatten(1) for one in data.samples.features.values()], 1)
    others = fold != own
    penalty = path.fit(target, fold).penalty
    lesson = path.left_out(target, fold, penalty, ~others)
    soft = (target[others] + rho * lesson) / (1 + rho)
    standard = (values - values.mean(0)) / values.std(0, correction=0)
    model = Ridge(penalty * len(values)).fit(standard[others].numpy(), soft.numpy())
    return model.predict(standard[~others].numpy()).reshape(-1, target.shape[1])


@pytest.mark.parametrize("rho", [0.5, 3.0])
def test_mutual_learning_is_a_fit_to_the_soft_target(rho):
    """(y + rho * teacher) / (1 + rho), the teacher asked without the fold that is judged and without each sample's."""
    data = samples(folds=4, outputs=2)
    found, data = fitted(data, rhos=(rho,))
    values = torch.cat([one.flatten(1) for one in data.samples.features.values()], 1)
    path = RidgePath(values, products=False)
    for own in range(4):
        rows = data.samples.fold == own
        expected = drawn_by_hand(data, path, rho, own)
        np.testing.assert_allclose(found.outputs[0][rows], expected, rtol=1e-5, atol=1e-7)
    assert found.rho == rho
    assert found.teaches.tolist() == [True]


def test_the_final_fit_learns_from_what_is_said_of_samples_left_out():
    """On all samples, with the lesson of each fold by the fit without it."""
    found, data = fitted(samples(folds=4, outputs=2), rhos=(1.0,))
    values = torch.cat([one.flatten(1) for one in data.samples.features.values()], 1)
    path, target = RidgePath(values, products=False), data.samples.target
    alone = path.fit(target, data.samples.fold)
    expected = path.fit((target + alone.left_out) / 2, penalty=alone.penalty)(values)
    torch.testing.assert_close(found.learners.learners[0](values), expected, rtol=1e-5, atol=1e-6)


def test_labels_of_a_fold_do_not_reach_what_is_said_of_it():
    """At a fixed strength, other labels in a fold change what is said of it by the penalty alone: with noise for labels
    everywhere nothing can be said, with or without mutual learning."""
    draw = torch.Generator().manual_seed(0)
    data = samples(folds=4, count=200)
    data = replace(data, samples=replace(data.samples, target=torch.randn(200, 1, generator=draw)))
    for rho in (0.0, 3.0):
        found, _ = fitted(data, ("ridge", "quadratic"), (rho,))
        for said in found.outputs:
            correlation = np.corrcoef(said[:, 0].numpy(), data.samples.target[:, 0].numpy())[0, 1]
            assert correlation < 0.1


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("groups", [False, True])
def test_the_rho_is_that_of_the_best_heads(task, groups):
    """Of those that are listed; 0 competes if it is among them."""
    data = samples(task, 3 if task == "classification" else 1, count=60, absent=0.2)
    data = replace(data, groups=torch.arange(60) // 2) if groups else data
    each = {rho: fitted(data, ("ridge", "quadratic"), (rho,))[0] for rho in (0.0, 0.7, 5.0)}
    both, _ = fitted(data, ("ridge", "quadratic"), (0.0, 0.7, 5.0))
    top = each[5.0].teaches
    levels = {rho: found.losses[top].mean() for rho, found in each.items()}
    assert both.rho == min(levels, key=levels.get)
    assert both.losses == pytest.approx(each[both.rho].losses, rel=1e-9)
    assert both.independent == pytest.approx(each[0.0].losses, rel=1e-9)
