"""The one training loop: best weights of every unit, early stopping, history, what trains."""

import pytest
import torch
from torch import nn

from plait.data.batches import Batch, TrainingData
from plait.data.spec import DataSpec
from plait.nn.criteria import criterion_for
from plait.nn.module import FusionModule
from plait.training.keeper import BestState
from tiny import course, fresh_cohort, of_unit, same, weights

LABELS = ("identity", "pca-2", "encoder-2", "null")
COLUMNS = ["phase", "epoch", "training_loss", "validation_loss", "best_validation_loss", "seconds"]


# Best weights


class Normalised(nn.Module):
    """A user's module with buffers."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(6, 3), nn.BatchNorm1d(3))

    def forward(self, values):
        return self.layers(values)


@pytest.mark.parametrize("module", [False, True])
def test_every_student_ends_with_the_weights_of_its_own_best_epoch(module):
    """Parameters and the buffers of users' modules; the epochs of the students differ."""
    labels = {"a": ("identity", "pca-2", "null"), "b": ("module" if module else "encoder-2", "null")}
    torch.manual_seed(0)
    data, cohort = fresh_cohort(labels, encoders={"b": Normalised()} if module else {}, rhos=(0.0, 0.99))
    lesson = course(data, epochs=8, learning_rate=0.1)
    result = lesson.run(cohort, 1, "training")
    [run] = lesson.runs
    losses = torch.stack([epoch["losses"] for epoch in run["epochs"]])
    assert torch.equal(result.losses, losses.min(0).values)
    assert torch.equal(result.epochs, losses.argmin(0))
    assert len(set(result.epochs.tolist())) > 2
    for unit, epoch in enumerate(result.epochs.tolist()):
        expected = of_unit(cohort, run["epochs"][epoch]["state"], unit)
        found = of_unit(cohort, weights(cohort), unit)
        assert all(torch.equal(found[name], expected[name]) for name in expected)
        reads_module = module and "b" in cohort.plan.students[unit % cohort.count].modalities
        assert any("running_mean" in name for name in found) == reads_module


def test_the_reported_losses_are_those_of_the_restored_weights():
    """The task loss on the validation samples, without mutual learning's share."""
    data, cohort = fresh_cohort(LABELS, rhos=(3.0,), task="classification", outputs=3)
    result = course(data, epochs=5, learning_rate=0.05).run(cohort, 1, "training")
    batch = data.samples.rows(data.validation).to(torch.device("cpu"), torch.float64)
    found = criterion_for(data.spec).loss(cohort(batch.features, batch.present), batch.target)
    torch.testing.assert_close(found, result.losses, rtol=0, atol=1e-12)


def test_students_are_judged_on_the_samples_they_can_read():
    """Of their own fold; infinite where there is none, or none in the other folds to learn from."""
    data, cohort = fresh_cohort(folds=2, absent=0.4)
    data.samples.present[::2, 1] = False  # nobody in fold 0 has modality b
    result = course(data, epochs=1).run(cohort, 1, "training")
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    rows = criterion_for(data.spec).score(cohort(batch.features, batch.present), batch.target).detach()
    for unit in range(cohort.units):
        fold, student = divmod(unit, cohort.count)
        read = [data.spec.names.index(name) for name in cohort.plan.students[student].modalities]
        readable, own = batch.present[:, read].all(1), batch.fold == fold
        able = (readable & own).any() and (readable & ~own).any()
        expected = float(rows[unit, readable & own].mean()) if able else float("inf")
        assert float(result.losses[unit]) == pytest.approx(expected, abs=1e-12)
    assert result.losses.isinf().tolist() == [True, False, True, True, False, True]
    assert result.epochs.tolist() == [-1, 0, -1, -1, 0, -1]


def test_the_keeper_copies_rows_of_units_that_are_strictly_better():
    """Ties and NaN keep the earlier state; a tensor of one unit is copied whole; others are left alone."""
    rows, whole, other = torch.zeros(3, 2), torch.zeros(2), torch.zeros(2)
    keeper = BestState({"rows": rows, "whole": whole, "other": other}, {"rows": torch.arange(3), "whole": 1}, 3)
    history = [[1.0, 2.0, torch.nan], [1.0, 1.5, torch.inf], [0.5, torch.nan, 4.0], [0.7, 1.6, 4.0]]
    for epoch, losses in enumerate(history):
        for tensor in (rows, whole, other):
            tensor.fill_(epoch + 1)
        keeper.update(torch.tensor(losses), epoch)
    keeper.restore()
    assert keeper.losses.tolist() == [0.5, 1.5, 4.0]
    assert keeper.epochs.tolist() == [2, 1, 2]
    assert rows[:, 0].tolist() == [3, 2, 3]
    assert whole.tolist() == [2, 2]
    assert other.tolist() == [4, 4]


# Early stopping and history


class Scripted(FusionModule):
    """A module whose validation losses are given, epoch by epoch; remembers the samples of its steps."""

    def __init__(self, losses):
        super().__init__()
        self.script, self.steps, self.epoch = losses, [], 0
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, features, present):
        self.epoch += not self.training
        loss = torch.tensor(self.script[self.epoch - 1], dtype=self.weight.dtype)
        return loss.sqrt().expand(len(present), 1) + 0 * self.weight

    def objective(self, batch, criterion):
        self.steps.append(batch.features["a"][:, 0].tolist())
        return self.weight.square()


def scripted(losses, **settings):
    """Train a scripted module on 12 samples, numbered in their only feature; 0, 4 and 8 validate."""
    features = {"a": torch.arange(12.0)[:, None]}
    fold = torch.where(torch.arange(12) % 4 == 0, 0, -1)
    batch = Batch(features, torch.ones(12, 1, dtype=torch.bool), torch.zeros(12, 1), fold)
    module = Scripted(losses)
    data = TrainingData(batch, DataSpec({"a": (1,)}, 1, "regression"))
    return module, course(data, **{"epochs": len(losses), "batch_size": 4} | settings).run(module, 1, "scripted")


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([1.0, 0.9, 0.8, 0.9, 0.9, 0.1], 2, 5, 2),  # two epochs without progress
        ([1.0, 0.9, 0.8, 0.9, 0.9, 0.1], None, 6, 5),  # never
        ([1.0, 0.9, 0.8, 0.9, 0.9, 0.1], 3, 6, 5),  # just in time
        ([1.0, 0.9995, 0.9991, 0.999], 2, 3, 2),  # less than one part in a thousand is no progress, but is kept
        ([1.0, 0.9995, 0.9985, 0.998, 0.997], 2, 5, 4),  # small steps that add up are
        ([0.0, 0.0, 0.0, 0.0], 2, 3, 0),
        ([torch.nan, torch.inf, 2.0, 2.1, 2.1], 2, 2, None),
        ([torch.nan, torch.inf, 2.0, 2.1, 2.1], 3, 5, 2),
    ],
)
def test_training_stops_when_patience_has_run_out(losses, patience, epochs, best):
    """Counted in epochs since the last progress; the best epoch is kept, whatever made it stop."""
    if best is None:
        with pytest.raises(ValueError, match=f"no validation loss was finite in {epochs} epochs"):
            scripted(losses, patience=patience)
        return
    _, result = scripted(losses, patience=patience)
    assert len(result.history) == epochs
    assert result.epochs.tolist() == [best]
    assert result.losses.tolist() == pytest.approx([losses[best]])


def test_history_has_one_row_an_epoch():
    """Phase, epoch, the three losses, and seconds since the start."""
    _, result = scripted([4.0, 1.0, 2.0])
    history = result.history
    assert list(history) == COLUMNS
    assert history.phase.tolist() == ["scripted"] * 3
    assert history.epoch.tolist() == [0, 1, 2]
    assert history.validation_loss.tolist() == pytest.approx([4, 1, 2])
    assert history.best_validation_loss.tolist() == pytest.approx([4, 1, 1])
    assert history.training_loss[0] == pytest.approx((1 + 0.99**2 + 0.98**2 * 0.25 * 4) / 3, abs=0.01)
    assert history.seconds.is_monotonic_increasing
    assert history.seconds[0] > 0


def test_losses_of_several_units_are_averaged_in_the_history():
    """Over those that are finite."""
    data, cohort = fresh_cohort()
    lesson = course(data)
    result = lesson.run(cohort, 1, "training")
    each = torch.stack([epoch["losses"] for epoch in lesson.runs[0]["epochs"]])
    assert result.history.validation_loss.tolist() == pytest.approx(each.mean(1).tolist())
    lowest = each.cummin(0).values.mean(1)
    assert result.history.best_validation_loss.tolist() == pytest.approx(lowest.tolist())


def test_an_epoch_is_one_pass_over_the_training_samples_in_random_order():
    """Each sample once, batches of five and the rest, never a validation sample, another order each time."""
    module, _ = scripted([1.0, 1.0], batch_size=5, patience=None)
    assert [len(step) for step in module.steps] == [5, 4] * 2
    orders = [[*first, *second] for first, second in (module.steps[:2], module.steps[2:])]
    assert all(sorted(order) == [1, 2, 3, 5, 6, 7, 9, 10, 11] for order in orders)
    assert orders[0] != orders[1]


@pytest.mark.parametrize(("size", "steps"), [(1, [1] * 9), (3, [3, 3, 3]), (4, [4, 5]), (8, [9]), (1000, [9])])
def test_sizes_of_the_steps(size, steps):
    """A rest of one sample joins the step before; a batch may be larger than the data."""
    module, _ = scripted([1.0], batch_size=size)
    assert [len(step) for step in module.steps] == steps


# What training may see


def test_validation_targets_do_not_train():
    """Other targets of the held-out samples, the same weights bit for bit."""
    ends = []
    for change in (0.0, 5.0):
        data, cohort = fresh_cohort(LABELS, rhos=(0.0, 1.0))
        data.samples.target[data.validation] += change
        course(data, epochs=1).run(cohort, 1, "training")
        ends.append(weights(cohort))
    assert same(*ends)


@pytest.mark.parametrize("fold", [0, 2])
def test_a_copy_never_trains_on_its_fold(fold):
    """Other targets in fold f leave all students of copy f as they are, at every rho, bit for bit; the others move."""
    ends = []
    for change in (0.0, 5.0):
        data, cohort = fresh_cohort(folds=3, rhos=(0.0, 1.0), absent=0.2)
        data.samples.target[data.samples.fold == fold] += change
        course(data, epochs=1).run(cohort, 1, "training")
        ends.append(weights(cohort))
    for unit in range(cohort.units):
        copy = unit // cohort.count % 3
        mine, other = (of_unit(cohort, end, unit) for end in ends)
        assert all(torch.equal(mine[name], other[name]) for name in mine) == (copy == fold)
