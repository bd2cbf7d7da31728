"""An epoch of a fixed number of samples."""

import pytest
import torch
from torch import nn

from plait.data.batches import Batch, TrainingData
from plait.data.spec import DataSpec
from plait.nn.module import FusionModule
from plait.training.trainer import Trainer
from tiny import course, fresh_cohort, same, weights


class Noting(FusionModule):
    """Remembers the numbers of the samples of its steps; its loss is their mean."""

    def __init__(self):
        super().__init__()
        self.steps = []
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, features, present):
        return 0 * features["a"] + self.weight

    def objective(self, batch, criterion):
        self.steps.append(batch.features["a"][:, 0].tolist())
        return batch.features["a"].mean() + 0 * self.weight


def noted(epochs, **settings):
    """Train on 12 samples, numbered in their only feature; 0, 4 and 8 validate."""
    features = {"a": torch.arange(12.0)[:, None]}
    fold = torch.where(torch.arange(12) % 4 == 0, 0, -1)
    batch = Batch(features, torch.ones(12, 1, dtype=torch.bool), torch.zeros(12, 1), fold)
    module = Noting()
    data = TrainingData(batch, DataSpec({"a": (1,)}, 1, "regression"))
    return module, course(data, epochs=epochs, **settings).run(module, 1, "training")


def drawn(module, steps):
    """The samples of each epoch of so many steps."""
    epochs = [module.steps[start : start + steps] for start in range(0, len(module.steps), steps)]
    return [[sample for step in epoch for sample in step] for epoch in epochs]


def test_an_epoch_has_so_many_training_samples_and_draws_them_anew():
    """Five of nine, without repeats, never one that validates; in time all of them have their turn."""
    module, result = noted(20, epoch_samples=5, batch_size=2)
    assert [len(step) for step in module.steps[:2]] == [2, 3]  # a rest of one joins the step before
    epochs = drawn(module, 2)
    assert len(epochs) == len(result.history) == 20
    assert all(len(epoch) == len(set(epoch)) == 5 for epoch in epochs)
    assert len({frozenset(epoch) for epoch in epochs}) > 10
    assert set().union(*epochs) == {1, 2, 3, 5, 6, 7, 9, 10, 11}


@pytest.mark.parametrize("more", [0, 1, 10**9])
def test_as_many_samples_as_there_are_is_all_of_them(more):
    """The same weights as without a limit, bit for bit."""
    ends = []
    for limit in (None, 30 + more):
        data, cohort = fresh_cohort()
        assert len(data.train) == 30
        course(data, epoch_samples=limit).run(cohort, 1, "training")
        ends.append(weights(cohort))
    assert same(*ends)


def test_the_training_loss_is_the_mean_over_the_samples_of_the_epoch():
    """Batches of three and two of five samples: the mean number of the five."""
    module, result = noted(4, epoch_samples=5, batch_size=3)
    means = [sum(epoch) / 5 for epoch in drawn(module, 2)]
    assert result.history.training_loss.tolist() == pytest.approx(means)


def test_moments_count_the_steps_that_were_taken():
    """Those of whole epochs up to the best one."""
    data, cohort = fresh_cohort()
    result = course(data, epoch_samples=16, epochs=3).run(cohort, 1, "training", keep_moments=True)
    assert torch.equal(result.moments.steps, (result.epochs + 1) * 2)


@pytest.mark.parametrize("value", [0, -1, 2.5, True])
def test_fewer_than_one_sample_are_refused(value):
    """With the value."""
    with pytest.raises(ValueError, match=r"epoch_samples of the trainer must be a whole number of at least 1 \(got"):
        Trainer().set_params(epoch_samples=value).check()
