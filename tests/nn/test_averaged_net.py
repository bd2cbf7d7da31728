"""Copies that predict as one."""

import torch

from plait.methods.correlation import CorrelationFusion
from plait.methods.gated import GatedFusion
from plait.nn.averaged_net import AveragedNet
from plait.nn.criteria import criterion_for
from plait.nn.module import evaluate
from tiny import samples

SMALL = {"width": 4, "encoder_hidden": (), "hidden": (4,), "dropout": 0.0}


def built(method, folds=1):
    data = samples("classification", 3, folds=folds, absent=0.3)
    return data, method.build(data.spec)


def test_the_prediction_is_the_mean_of_the_copies_probabilities():
    """Of three copies, for samples that have some modality."""
    data, net = built(GatedFusion(**SMALL), folds=3)
    batch = data.samples
    each = net.eval().net(net.representations(batch.features, batch.present), batch.present).softmax(-1)
    torch.testing.assert_close(evaluate(net, batch.features, batch.present).softmax(-1), each.mean(0))


def test_a_sample_without_modalities_gets_the_prior():
    """Whatever its values are."""
    data, net = built(GatedFusion(**SMALL))
    net.prior.copy_(torch.tensor([0.1, 0.2, 0.3]))
    nobody = torch.zeros_like(data.samples.present)
    assert torch.equal(evaluate(net, data.samples.features, nobody), net.prior.expand(len(nobody), 3))


def test_a_loop_of_ones_own_has_the_objective_of_the_network():
    """With what it asks for beside the task: the correlation of the encodings."""
    data, net = built(CorrelationFusion(weight=2.0, **SMALL))
    criterion = criterion_for(data.spec)
    assert isinstance(net, AveragedNet)
    plain = criterion.loss(net(data.samples.features, data.samples.present), data.samples.target)
    with_reward = net.objective(data.samples, criterion)
    assert with_reward.shape == (1,)
    assert with_reward.item() < plain.item()
