"""Encodings of all modalities in one width, and the head behind them."""

import pytest
import torch
from torch import nn

from plait.data.spec import DataSpec
from plait.nn.encodings import Encodings, Head, stacked_linear, whole_readers
from plait.nn.representations import Representations

SHAPES = {"a": (5,), "b": (6,)}
PRESENT = torch.tensor([[True, True], [True, False], [False, True], [False, False]])


def made(units=2, encoders=None, **choices):
    """Encodings, and representations of four samples."""
    spec = DataSpec(SHAPES, 1, "regression", encoders or {})
    draw = torch.Generator().manual_seed(0)
    layer = Encodings(spec, 3, (4,), units, draw, **choices)
    features = {name: torch.randn(4, *shape, generator=draw) for name, shape in SHAPES.items()}
    return layer, Representations(spec, whole_readers(spec))(features, PRESENT)


def test_absent_modalities_are_encoded_as_zero():
    """In every copy; the others are those of their own perceptrons."""
    layer, read = made()
    encoded = layer(read, PRESENT)
    assert encoded.shape == (2, 4, 2, 3)
    assert encoded[:, ~PRESENT].abs().max() == 0
    torch.testing.assert_close(encoded[:, 0, 1], layer.encoders[1](read["b/identity"])[:, 0])


def test_copies_are_so_many_single_networks():
    """With their weights."""
    layer, read = made(units=3)
    for unit, found in enumerate(layer(read, PRESENT)):
        alone, _ = made(units=1)
        alone.load_state_dict({name: value[unit : unit + 1] for name, value in layer.state_dict().items()})
        torch.testing.assert_close(alone(read, PRESENT)[0], found)


def test_copies_start_from_different_weights():
    """Every unit has draws of its own."""
    layer, _ = made()
    assert all(not torch.equal(*parameter) for parameter in layer.parameters())


@pytest.mark.parametrize("frozen", [False, True])
def test_the_users_module_is_read_before_the_perceptron(frozen):
    """A frozen one is cached, a trained one is copied for every unit."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 2)).requires_grad_(not frozen)
    layer, read = made(encoders={"b": module})
    assert layer.keys == ["a/identity", "b/module"]
    values = read["b/module"] if frozen else torch.stack([module(read["b/module"])] * 2)
    torch.testing.assert_close(layer(read, PRESENT)[:, 0, 1], layer.encoders[1](values)[:, 0])
    assert len(layer.modules_given) == (not frozen)


def test_the_head_leaves_what_it_reads_alone():
    """It begins with an activation; then come dense layers."""
    head = Head(2, (3, 4, 1), torch.Generator().manual_seed(0)).eval()
    joint = torch.randn(2, 5, 3)
    before = joint.clone()
    found = head(joint)
    assert torch.equal(joint, before)
    torch.testing.assert_close(found, head.layers(joint.relu()))


def test_a_stacked_layer_starts_by_torchs_law():
    """Uniform within one over the root of the width."""
    layer = stacked_linear(3, 16, 50, torch.Generator().manual_seed(0))
    assert layer.weight.shape == (3, 16, 50)
    assert 0.24 < layer.weight.abs().max() <= 0.25
    assert 0.22 < layer.bias.abs().max() <= 0.25


@pytest.mark.parametrize("shape", [(9, 2), (1, 6, 5)])
def test_a_series_or_an_image_has_a_convolution(shape):
    """Of every copy its own; the encoding is the perceptron on what it gives, and training reaches all of it."""
    spec = DataSpec({"a": (3,), "b": shape}, 1, "regression")
    layer = Encodings(spec, 4, (), 2, torch.Generator().manual_seed(0))
    values = torch.randn(5, *shape)
    present = torch.ones(5, 2, dtype=torch.bool)
    found = layer({"a/identity": torch.randn(5, 3), "b/identity": values.flatten(1)}, present)
    one, other = layer.modules_given["1"].each
    assert not torch.equal(one.linear.weight, other.linear.weight)
    torch.testing.assert_close(found[0, :, 1], layer.encoders[1](torch.stack([one(values), other(values)]))[0])
    found[:, :, 1].sum().backward()
    assert all(parameter.grad is not None for parameter in layer.modules_given.parameters())
