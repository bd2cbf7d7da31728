"""Heads in closed form among learners: one fit serves every fold and the end."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from plait.nn.dictionary import whole_student
from plait.nn.learners import plan_learners
from plait.nn.representations import Representations
from plait.training.learners import fit_learners
from tiny import course, samples


def fitted(data, bases=("ridge",)):
    """Learners on both modalities side by side."""
    student = whole_student(data.spec, data.spec.names)
    read = Representations(data.spec, [student])
    data = data.to(torch.device("cpu"), torch.float64)
    data = data.with_features(read)
    return fit_learners(plan_learners(data.spec, bases, [[student]] * len(bases)), course(data)), data


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
