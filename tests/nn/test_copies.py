"""Copies of a network: what each learns from, is judged on, and owns."""

import torch
from torch import nn

from plait.data.batches import Batch
from plait.data.spec import DataSpec
from plait.nn.averaged_net import AveragedNet
from plait.nn.copies import Copies
from plait.nn.criteria import criterion_for
from plait.nn.encodings import Encodings
from plait.nn.layers import StackedLinear
from tiny import samples


class Plain(Copies):
    """A linear map of the one modality; `given` is a user's module."""

    def __init__(self, spec: DataSpec, settings: int = 1) -> None:
        super().__init__(spec, settings)
        draw = torch.Generator().manual_seed(0)
        self.encodings = Encodings(spec, spec.outputs, (), self.units, draw)

    def forward(self, features, present):
        return self.encodings(features, present).sum(2)


def batch_of(fold, present):
    """Samples of two modalities."""
    count = len(fold)
    features = {"a/identity": torch.randn(count, 5), "b/identity": torch.randn(count, 6)}
    return Batch(features, torch.tensor(present), torch.randn(count, 1), torch.tensor(fold))


def spec(folds, **choices):
    return DataSpec({"a": (5,), "b": (6,)}, 1, "regression", folds=folds, **choices)


def test_every_fold_is_judged_on_itself_and_learns_from_the_others():
    """At every setting; samples without any modality count nowhere."""
    batch = batch_of([0, 1, 2, 0], [[True, True], [True, False], [False, True], [False, False]])
    net = Plain(spec(3), settings=2)
    own = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], dtype=torch.bool)
    others = torch.tensor([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0]], dtype=torch.bool)
    assert torch.equal(net.judged(batch), own.repeat(2, 1))
    assert torch.equal(net.taught(batch), others.repeat(2, 1))


def test_one_hold_out_set_needs_no_choice():
    """But of the samples that have some modality."""
    net = Plain(spec(1), settings=2)
    full = batch_of([-1, -1], [[True, False], [True, True]])
    assert net.judged(full) is None
    assert net.taught(full) is None
    some = batch_of([-1, -1], [[True, False], [False, False]])
    assert net.taught(some).tolist() == [[True, False]] * 2


def test_the_objective_is_the_mean_loss_of_what_each_copy_learns_from():
    """By hand."""
    batch = batch_of([0, 1, 0, 1], [[True, True]] * 4)
    net = Plain(spec(2))
    losses = net.objective(batch, criterion_for(net.spec))
    errors = (net(batch.features, batch.present) - batch.target).square()[:, :, 0]
    torch.testing.assert_close(losses, torch.stack([errors[0, [1, 3]].mean(), errors[1, [0, 2]].mean()]))


def test_every_row_belongs_to_its_copy():
    """Parameters by their leading axis, those of users' modules by their place."""
    given = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    net = Plain(spec(2, encoders={"b": given}), settings=2)
    owners = net.owners()
    assert set(owners) == set(net.state_dict())
    for name, owner in owners.items():
        if ".each." in name:
            assert owner == int(name.split(".each.")[1].split(".")[0])
        else:
            assert owner.tolist() == [0, 1, 2, 3]
    assert sum(".each." in name for name in owners) == 8


def test_copies_do_not_reach_each_other():
    """The loss of one has gradients in its own rows alone."""
    batch = batch_of([0, 1, 2, 0], [[True, True]] * 4)
    net = Plain(spec(3))
    net.objective(batch, criterion_for(net.spec))[1].backward()
    for layer in net.modules():
        if isinstance(layer, StackedLinear):
            assert layer.weight.grad.flatten(1).any(1).tolist() == [False, True, False]


def test_the_average_is_of_predictions():
    """Probabilities of classes; the prior where nothing is there."""
    data = samples("classification", 3, folds=2)
    net = AveragedNet(Plain(data.spec)).eval()
    net.prior.copy_(torch.tensor([0.2, 0.3, 0.5]).log())
    features, present = data.samples.features, data.samples.present.clone()
    present[0] = False
    found = net(features, present).softmax(-1)
    copies = net.net(net.representations(features, present), present).softmax(-1)
    torch.testing.assert_close(found[1:], copies.mean(0)[1:])
    torch.testing.assert_close(found[0], torch.tensor([0.2, 0.3, 0.5]))
