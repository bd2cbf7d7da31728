"""Correlation fusion: the penalty, whom it is computed on, and its limit."""

import pytest
import torch

from plait.methods.correlation import CorrelationFusion
from plait.nn.averaged_net import AveragedNet
from plait.nn.canonical import squared_correlation
from plait.nn.criteria import criterion_for
from tiny import course, same, samples

SMALL = {"width": 2, "encoder_hidden": (4,), "hidden": (6,)}


def fresh(data, **choices):
    """The network in double precision, in evaluation mode, and the samples as it reads them."""
    net = CorrelationFusion(**SMALL | choices).network(data.spec, torch.Generator().manual_seed(0)).double().eval()
    return net, data.with_features(AveragedNet(net).double().representations).samples


def data_of(**choices):
    return samples(**{"dtype": torch.float64} | choices)


def test_the_objective_is_the_task_loss_minus_the_weighted_correlation():
    """Of the encodings of two modalities, on the samples that have both."""
    data = data_of(absent=0.3)
    net, batch = fresh(data, weight=0.7)
    plain, _ = fresh(data, weight=0.0)
    criterion = criterion_for(data.spec)
    encoded = net.encodings(batch.features, batch.present)[0]
    expected = squared_correlation(encoded[:, 0], encoded[:, 1], batch.present.all(1))
    found = plain.objective(batch, criterion) - net.objective(batch, criterion)
    assert found.item() == pytest.approx(0.7 * expected.item())
    assert expected > 0


def test_a_unit_correlates_the_samples_that_it_learns_from():
    """Other values of its own fold leave its penalty alone, and change that of the other units."""
    data = data_of(folds=3, count=60)
    net, batch = fresh(data, weight=5.0)
    first = net.objective(batch, criterion_for(data.spec))
    batch.features["a/identity"][batch.fold == 1] *= -3
    second = net.objective(batch, criterion_for(data.spec))
    assert (first == second).tolist() == [False, True, False]


def test_without_weight_it_is_the_network_alone():
    """The same numbers as a weight that adds nothing, since no minibatch has enough samples for a pair."""
    data = samples("classification", 3, absent=0.2, folds=2)
    ends = [
        CorrelationFusion(**SMALL, weight=weight).fit(course(data, batch_size=5)).module.state_dict()
        for weight in (0.0, 1.0)
    ]
    assert same(*ends)


def test_training_raises_the_correlation():
    """Of two modalities with a shared signal that the target does not tell of."""
    data = data_of(shapes={"a": (4,), "b": (4,)}, count=200)
    a, b = data.samples.features.values()
    b[:, 0] = a[:, 0] + 0.3 * b[:, 0]
    found = []
    for weight in (0.0, 3.0):
        fitted = CorrelationFusion(weight, 1, (), (4,), 0.0).fit(course(data, epochs=15, batch_size=50))
        net = fitted.module.net
        encoded = net.encodings({"a/identity": a, "b/identity": b}, data.samples.present)[0]
        found.append(squared_correlation(encoded[:, 0], encoded[:, 1], data.samples.present.all(1)).item())
    assert found[1] > found[0] + 0.2


@pytest.mark.parametrize("shapes", [{"a": (3,)}, {"a": (3,), "b": (1, 2), "c": (2, 2, 1)}], ids=len)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_learns_from_one_modality_and_from_three(shapes, precision):
    """In mixed precision too."""
    data = samples(shapes=shapes, count=60)
    fitted = CorrelationFusion(**SMALL).fit(course(data, epochs=2, batch_size=45, precision=precision))
    assert fitted.validation.isfinite().all()


@pytest.mark.parametrize(("choice", "told"), [({"weight": -1.0}, "weight must be"), ({"width": 0}, "width must be")])
def test_settings_out_of_range_are_refused(choice, told):
    """By name."""
    with pytest.raises(ValueError, match=told):
        CorrelationFusion(**choice).build(samples().spec)
