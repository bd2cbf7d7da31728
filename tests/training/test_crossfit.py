"""Half of the validation samples chooses the epoch of the other half."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from plait.nn.cohort import Cohort
from plait.training.crossfit import CrossFit, halves
from plait.training.judging import of_own_fold
from plait.training.mutual_learning import MutualLearning, learn
from plait.training.racing import race
from tiny import course, prepared, samples

HALF = torch.tensor([False, False, True, True])


@pytest.mark.parametrize("folds", [1, 4])
def test_every_fold_is_halved(folds):
    data = samples(folds=folds, count=48)
    half, fold = halves(data, 0), data.samples.fold[data.validation]
    assert [int(half[fold == own].sum()) for own in range(folds)] == [6] * folds
    assert not torch.equal(half, halves(data, 1))


def test_groups_are_not_divided():
    data = samples(folds=2, count=48)
    groups = torch.arange(48) // 6 * 2 + torch.arange(48) % 2  # sixteen, each within a fold
    half = halves(replace(data, groups=groups), 0)
    found = {int(group): set(half[groups == group].tolist()) for group in groups.unique()}
    assert all(len(of) == 1 for of in found.values())
    assert half.sum() == 24


def epoch(crossfit, value, first, second, judged=None):
    """An epoch in which one unit says a value everywhere, with a loss in the first half and one in the second."""
    scores = torch.tensor([[first, first, second, second]])
    crossfit.update(torch.full((1, 4, 1), value), scores, judged)


def test_the_epoch_of_a_sample_is_that_of_the_other_half():
    """The first half is best at epoch 1, the second at epoch 2: each hears what the other has chosen."""
    crossfit = CrossFit(HALF, 1, 1)
    for value, first, second in ((0.0, 5.0, 5.0), (1.0, 1.0, 4.0), (2.0, 3.0, 2.0), (3.0, 1.0, 2.0)):
        epoch(crossfit, value, first, second)
    assert crossfit.outputs.flatten().tolist() == [2, 2, 1, 1]


def test_a_half_without_a_sample_that_counts_lets_the_other_choose_for_itself():
    judged = torch.tensor([[True, True, False, False]])
    crossfit = CrossFit(HALF, 1, 1)
    epoch(crossfit, 0.0, 2.0, 0.0, judged)
    epoch(crossfit, 1.0, 1.0, 9.0, judged)
    epoch(crossfit, 2.0, 3.0, 0.0, judged)
    assert crossfit.outputs.flatten()[:2].tolist() == [1, 1]


def test_losses_that_are_no_numbers_are_never_chosen():
    crossfit = CrossFit(HALF, 1, 1)
    epoch(crossfit, 0.0, 2.0, 2.0)
    epoch(crossfit, 1.0, float("nan"), float("nan"))
    assert crossfit.outputs.flatten().tolist() == [0, 0, 0, 0]


def raced(folds, halvings):
    """A race in double precision with large steps, and its data."""
    data, planned = prepared({"a": ("identity", "pca-2", "null"), "b": ("identity", "null")}, folds=folds)
    data = data.to(torch.device("cpu"), torch.float64)
    cohort, lesson = Cohort(planned).double(), course(data, epochs=24, learning_rate=0.3)
    found = race(cohort, lesson, halvings, np.zeros(0), keep_moments=False, half=halves(data, 0)).result
    said = found.crossfit.outputs.reshape(folds, cohort.count, len(data.validation), 1)
    return data, of_own_fold(said, data), found, lesson.runs


@pytest.mark.parametrize("folds", [1, 3])
def test_what_is_kept_is_what_the_students_said(folds):
    """As all epochs tell it by hand, fold by fold."""
    data, kept, _, (run,) = raced(folds, 0)
    rows, target, half = data.samples.rows(data.validation), data.samples.target[data.validation], halves(data, 0)
    said, best = torch.full_like(kept, torch.nan), np.full((folds, 2, len(kept)), np.inf)
    for seen in run["epochs"]:
        cohort = Cohort(run["module"].plan).double()
        cohort.load_state_dict(seen["state"])
        outputs = cohort.eval()(rows.features, rows.present).detach().reshape(folds, *kept.shape)
        for fold in range(folds):
            _choose(said, best[fold], outputs[fold], half, rows.fold == fold, target)
    np.testing.assert_allclose(kept, said, rtol=1e-9)


@pytest.mark.parametrize("halvings", [0, 2])
def test_honest_losses_are_not_below_those_of_the_best_epoch(halvings):
    """Through a race too, whose students stop at other times."""
    data, kept, found, _ = raced(3, halvings)
    honest = (kept - data.samples.target).square().mean((1, 2))
    sizes = torch.bincount(data.samples.fold).double()
    lowest = (found.losses.reshape(3, -1) * sizes[:, None]).sum(0) / sizes.sum()
    assert bool((honest >= lowest - 1e-12).all())
    assert bool((honest > lowest + 1e-6).any())
    assert bool((honest < 3 * lowest).all())


def _choose(said, best, outputs, half, own, target):
    losses = (outputs - target).square().mean(-1)
    for side in (False, True):
        chosen, others = own & (half == side), own & (half != side)
        for place in range(len(outputs)):
            loss = float(losses[place, others].mean())
            if loss < best[int(side), place]:
                best[int(side), place] = loss
                said[place, chosen] = outputs[place, chosen]


def test_students_are_judged_by_them():
    """Loss in the table and predictions for the ensemble; at every rho."""
    data, planned = prepared({"a": ("identity", "null"), "b": ("identity", "null")}, folds=2, absent=0.2)
    how = MutualLearning(rhos=(0.0, 1.0), stopping="cross-fitted")
    found, usual = learn(planned, how, course(data)), learn(planned, replace(how, stopping="same-rows"), course(data))
    target = data.samples.target.double()
    usable = found.cohort.readable(data.samples.present)
    rows = (found.outputs - target).square().mean(-1).where(usable, 0).sum(1) / usable.sum(1)
    assert found.losses == pytest.approx(rows.numpy(), rel=1e-9)
    assert usual.outputs is None
    assert (found.independent >= usual.independent - 1e-12).all()
