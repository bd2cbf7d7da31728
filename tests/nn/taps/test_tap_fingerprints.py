"""Fingerprints are equal where taps are, and differ where anything that makes them does."""

import copy

import pytest
import torch
from tap_toys import Chain
from torch import nn
from torch.nn.functional import gelu, relu

from plait.nn.taps import ModuleTaps, SmallAudioNet, data_fingerprint
from plait.nn.taps.digests import digest


def mark(net, blocks="blocks.*", **choices):
    return ModuleTaps(net, blocks, **choices).fingerprint()


def test_the_same_weights_have_the_same_fingerprint():
    """Of a copy, in training or not, before and after a reading, under any name."""
    net = Chain()
    before = mark(net)
    ModuleTaps(net, "blocks.*").read(torch.ones(2, 4))
    assert before == mark(net.train()) == mark(copy.deepcopy(net).eval()) == mark(net, name="other") == mark(Chain())
    assert len(before) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda net: net.blocks[3].linear.bias.data.mul_(1.0001),
        lambda net: net.norm.running_mean.add_(1),
        lambda net: setattr(net.norm, "eps", 1e-3),
        lambda net: net.double(),
        lambda net: setattr(net, "activation", relu),
        lambda net: setattr(net, "sizes", (1, [2, {"a": None}])),
        lambda net: setattr(net, "head", nn.Identity()),
        lambda net: setattr(net.blocks[0], "dropout", nn.Dropout1d(0.5)),
        lambda net: net.blocks.append(nn.Identity()),
    ],
)
def test_any_change_of_the_module_changes_it(change):
    """Weights, buffers, settings, number format, functions, parts and their classes."""
    net = Chain()
    before = mark(net)
    change(net)
    assert mark(net) != before


def test_settings_of_the_reading_change_it():
    """Which blocks, how far, and along which axis."""
    net = Chain()
    marks = [mark(net), mark(net, "blocks.0"), mark(net, ["blocks.0", "blocks.1"]), mark(net, width_axis=1)]
    marks += [ModuleTaps(net, "blocks.*").truncated(tap).fingerprint() for tap in (1, 3)]
    assert len(set(marks)) == 5  # cut after block 1 is the same as block 1 alone
    net.activation = relu
    other = mark(net)
    net.activation = gelu
    assert mark(net) != other


def test_preprocessing_inside_the_module_counts():
    """Two rates give other mel filters."""
    torch.manual_seed(0)
    one = SmallAudioNet(2, rate=4000, bands=8)
    other = SmallAudioNet(2, rate=4001, bands=8)
    other.load_state_dict(one.state_dict())
    assert mark(one) != mark(other)


def test_data_of_the_same_content_have_the_same_fingerprint():
    """And any other content, order, form or number format another."""
    values = torch.arange(6.0).reshape(3, 2)
    assert data_fingerprint(values) == data_fingerprint(values.clone()) == data_fingerprint(values.mT.contiguous().mT)
    others = [
        values,
        values.reshape(2, 3),
        values.flip(0),
        values.double(),
        (values, values),
        {"a": values},
        {"b": values},
        ["ab", "c"],
        ["a", "bc"],
        ["abc"],
        [],
    ]
    assert len({data_fingerprint(one) for one in others}) == len(others)
    assert data_fingerprint(["a", "b"]) == data_fingerprint(("a", "b"))
    with pytest.raises(ValueError, match="An encoder reads a tensor"):
        data_fingerprint("a text")


@pytest.mark.parametrize("tensor", [torch.tensor(1.0), torch.zeros(0), torch.ones(2, dtype=torch.bfloat16)])
def test_every_tensor_has_a_digest(tensor):
    """Without axes, without numbers, in halves."""
    assert digest([tensor]) == digest([tensor.clone()]) != digest(["other"])


def test_a_tensor_without_numbers_is_refused():
    """It lies on no real device."""
    with pytest.raises(ValueError, match="'meta' holds no numbers"):
        mark(Chain().to("meta"))
