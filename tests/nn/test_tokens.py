"""Modalities of any shape become tokens."""

import pytest
import torch
from torch import nn

from plait.data.spec import DataSpec
from plait.nn.encodings import whole_readers
from plait.nn.representations import Representations
from plait.nn.tokens import Patches, Tokens, modality_mean

WIDTH = 4


def tokens(shapes, units=2, encoders=None):
    spec = DataSpec(shapes, 1, "regression", encoders or {})
    return Tokens(spec, WIDTH, 3, units, torch.Generator().manual_seed(0)), Representations(spec, whole_readers(spec))


def made(shapes, units=2, present=None, encoders=None, rows=5):
    layer, read = tokens(shapes, units, encoders)
    features = {name: torch.randn(rows, *shape, generator=draw()) for name, shape in shapes.items()}
    present = torch.ones(rows, len(shapes), dtype=torch.bool) if present is None else present
    return layer, read(features, present), present


def draw():
    return torch.Generator().manual_seed(1)


def patches(shape, most, **choices):
    return Patches(shape, most, WIDTH, 1, torch.Generator().manual_seed(0), **choices)


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((5,), 3),
        ((7, 2), 7),
        ((32, 2), 32),
        ((33, 2), 17),
        ((1000, 1), 32),
        ((3, 8, 8), 64),
        ((1, 9, 9), 25),
        ((3, 32, 32), 64),
        ((1, 2, 300), 60),
        ((1, 6, 6, 6), 27),
        ((1, 1), 1),
    ],
)
def test_the_number_of_tokens_goes_by_the_shape(shape, count):
    """As asked for a vector, up to 32 windows of a series, up to 64 patches of an image or a volume."""
    layer, read, present = made({"a": shape})
    found, here = layer(read, present)
    assert found.shape == (2, 5, count, WIDTH)
    assert here.shape == (5, count)


def test_a_series_is_cut_into_windows_of_steps():
    """In order, all channels of a step together; zeros fill the last window up."""
    layer = patches((5, 2), 3, series=True)
    steps = torch.arange(10.0).view(1, 5, 2)
    assert layer.patches(steps.flatten(1))[0].tolist() == [[0, 2, 1, 3], [4, 6, 5, 7], [8, 0, 9, 0]]


def test_an_image_is_cut_into_squares():
    """Row by row; zeros fill the last ones up."""
    layer = patches((1, 4, 3), 4, series=False)
    found = layer.patches(torch.arange(12.0)[None])[0].tolist()
    assert found == [[0, 1, 3, 4], [2, 0, 5, 0], [6, 7, 9, 10], [8, 0, 11, 0]]


def test_patches_are_a_convolution_with_its_stride():
    """Embedding equals torch's with the same weights; positions are added."""
    layer, images = patches((3, 8, 12), 24, series=False).double(), torch.randn(5, 3, 8, 12, dtype=torch.float64)
    kernel = layer.embed.weight[0].T.reshape(WIDTH, 3, 2, 2)
    expected = nn.functional.conv2d(images, kernel, layer.embed.bias[0], stride=2).flatten(2).mT
    torch.testing.assert_close(layer(images.flatten(1))[0], expected + layer.position[0])


def test_every_token_bears_the_mark_of_its_modality():
    """Which is all that is left where values, biases and positions are zero."""
    layer, read, present = made({"a": (5,), "b": (6, 2)})
    for name, parameter in layer.named_parameters():
        if name != "mark":
            nn.init.zeros_(parameter)
    found, _ = layer(read, present)
    assert torch.equal(layer.places, torch.tensor([0] * 3 + [1] * 6))
    assert torch.equal(found, layer.mark[:, layer.places][:, None].expand_as(found))


def test_tokens_of_absent_modalities_are_not_there():
    """All tokens of a modality, in the samples that lack it."""
    present = torch.tensor([[True, False], [False, True], [False, False]])
    layer, read, present = made({"a": (5,), "b": (2, 2)}, present=present, rows=3)
    _, here = layer(read, present)
    assert here.tolist() == [[True] * 3 + [False] * 2, [False] * 3 + [True] * 2, [False] * 5]


@pytest.mark.parametrize("frozen", [False, True])
def test_the_users_module_is_read_as_a_vector(frozen):
    """Whatever the shape of what it reads and gives."""
    module = nn.Conv1d(2, 3, 1).requires_grad_(not frozen)
    layer, read, present = made({"a": (2, 7)}, encoders={"a": module})
    found, _ = layer(read, present)
    assert found.shape == (2, 5, 3, WIDTH)
    assert len(layer.modules_given) == (not frozen)


def test_copies_are_so_many_single_networks():
    """With their weights."""
    shapes = {"a": (5,), "b": (6, 2), "c": (1, 4, 4)}
    layer, read, present = made(shapes, units=3)
    found, _ = layer(read, present)
    for unit in range(3):
        alone, _ = tokens(shapes, units=1)
        alone.load_state_dict({name: value[unit : unit + 1] for name, value in layer.state_dict().items()})
        torch.testing.assert_close(found[unit], alone(read, present)[0][0])


def test_modalities_have_equal_voices_in_the_mean():
    """However many tokens they have; absent ones have none, and the mean of nothing is zero."""
    places = torch.tensor([0, 0, 0, 1, 2])
    values = torch.tensor([1.0, 2.0, 3.0, 10.0, float("1e9")])[None, None, :, None].expand(1, 3, -1, 1)
    here = torch.tensor([[1, 1, 1, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=torch.bool)
    assert modality_mean(values, here, places).flatten().tolist() == [6.0, 10.0, 0.0]
