"""EmbraceNet: who is drawn, how often, and what is read at prediction."""

import pytest
import torch

from plait.methods.embrace import EmbraceFusion, drawn_modalities, some_dropped
from plait.nn.averaged_net import AveragedNet
from tiny import course, same, samples

THREE = torch.tensor([[True, True, True], [True, False, True], [False, True, False]])


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def net(**choices):
    data = samples(shapes=dict.fromkeys("abc", (3,)))
    made = EmbraceFusion(**{"width": 64, "encoder_hidden": ()} | choices)
    return made.network(data.spec, torch.Generator().manual_seed(0))


def constant_encodings(width=64):
    """The encoding of modality m is m everywhere."""
    return torch.arange(3.0)[None, None, :, None].expand(1, 3, 3, width)


def test_modalities_that_are_present_are_drawn_equally_often():
    """A third, a half, or always; absent ones never."""
    found = drawn_modalities(THREE, 30_000)
    shares = torch.stack([(found == place).double().mean(1) for place in range(3)], 1)
    expected = torch.tensor([[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, 1 / 2], [0, 1, 0]], dtype=torch.float64)
    torch.testing.assert_close(shares, expected, rtol=0, atol=0.02)
    assert not shares[expected == 0].any()


def test_coordinates_and_samples_are_drawn_independently():
    """Two coordinates, or two samples, agree in a third of the cases."""
    found = drawn_modalities(torch.ones(20_000, 3, dtype=torch.bool), 2)
    assert (found[:, 0] == found[:, 1]).double().mean() == pytest.approx(1 / 3, abs=0.02)
    assert (found[1:, 0] == found[:-1, 0]).double().mean() == pytest.approx(1 / 3, abs=0.02)


def test_every_coordinate_in_training_is_that_of_one_present_modality():
    """And all of them occur."""
    found = net().train().embrace(constant_encodings(), THREE)[0]
    assert [sorted(set(row.tolist())) for row in found] == [[0, 1, 2], [0, 2], [1]]


def test_a_prediction_reads_the_mean_of_those_present():
    """The expectation of the draw: the mean of many draws comes near it. Nothing of a sample without any."""
    module = net()
    encoded = torch.randn(1, 3, 3, 64)
    drawn = torch.stack([module.train().embrace(encoded, THREE) for _ in range(1000)]).mean(0)
    mean = module.eval().embrace(encoded, THREE)
    torch.testing.assert_close(drawn, mean, rtol=0, atol=0.3)
    torch.testing.assert_close(mean[0, 1], (encoded[0, 1, 0] + encoded[0, 1, 2]) / 2)
    assert not module.embrace(encoded, torch.zeros_like(THREE)).any()


def test_predictions_are_the_same_at_every_call():
    """Whatever the state of the generator, and alone as among others."""
    data = samples(absent=0.3, dtype=torch.float64)
    module = EmbraceFusion(drop_modality=0.5).build(data.spec).double().eval()
    features, present = data.samples.features, data.samples.present
    first, again = (module(features, present) for _ in range(2))
    assert torch.equal(first, again)
    alone = module({name: values[:1] for name, values in features.items()}, present[:1])
    torch.testing.assert_close(alone, first[:1])


def test_gradients_go_to_what_was_drawn_alone():
    """One modality a coordinate and sample, with slope 1."""
    encoded = torch.randn(2, 3, 3, 8, requires_grad=True)
    net().train().embrace(encoded, THREE).sum().backward()
    assert encoded.grad.unique().tolist() == [0, 1]
    assert encoded.grad.sum(2).unique().tolist() == [1]
    assert not encoded.grad[:, ~THREE].any()


def test_the_copies_share_a_draw():
    """As they share that of dropout."""
    encoded = constant_encodings().expand(4, -1, -1, -1)
    found = net().train().embrace(encoded, THREE)
    assert torch.equal(found, found[:1].expand_as(found))


# Modality dropout


def test_modality_dropout_leaves_a_proper_part():
    """With share 1: 1 or 2 of three, equally likely, each modality as often; 1 of two; the only one stays."""
    present = THREE.repeat(8000, 1)
    kept = some_dropped(present, 1.0).reshape(-1, 3, 3)
    assert not (kept & ~THREE).any()
    counts = kept.sum(2).double()
    assert [counts[:, row].unique().tolist() for row in range(3)] == [[1, 2], [1], [1]]
    assert counts[:, 0].mean() == pytest.approx(1.5, abs=0.02)
    torch.testing.assert_close(kept[:, 0].double().mean(0), torch.full((3,), 0.5).double(), rtol=0, atol=0.02)


def test_the_share_of_samples_that_lose_modalities():
    """A third of them here; none without any modality gets one."""
    present = torch.ones(30_000, 3, dtype=torch.bool)
    assert (~some_dropped(present, 1 / 3).all(1)).double().mean() == pytest.approx(1 / 3, abs=0.02)
    assert not some_dropped(~present, 0.5).any()


def test_modality_dropout_is_of_training_alone():
    """At share 1 training reads parts, prediction all."""
    module, encoded = net(drop_modality=1.0), constant_encodings()
    drawn = module.train().embrace(encoded, torch.ones_like(THREE))
    assert all(len(row.unique()) < 3 for row in drawn[0])
    assert torch.equal(module.eval().embrace(encoded, torch.ones_like(THREE)), torch.ones(1, 3, 64))


def test_training_draws_from_the_seed():
    """The same seed gives the same weights, another one others."""
    data = samples("classification", 3, absent=0.3)
    method = EmbraceFusion(width=8, encoder_hidden=(), hidden=(), drop_modality=0.5)
    one, again, other = (method.fit(course(data, seed, epochs=2)).module for seed in (0, 0, 1))
    assert isinstance(one, AveragedNet)
    assert same(one.state_dict(), again.state_dict())
    assert not same(one.state_dict(), other.state_dict())


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_out_of_range_is_refused(share):
    """By name."""
    with pytest.raises(ValueError, match="drop_modality must be"):
        EmbraceFusion(drop_modality=share).build(samples().spec)
