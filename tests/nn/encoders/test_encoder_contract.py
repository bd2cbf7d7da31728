"""What every encoder promises, whatever it reads."""

import copy
from math import prod

import pytest
import torch

from plait.nn.encoders import (
    ImageConvolution,
    ImagePatches,
    Perceptron,
    SeriesConvolution,
    SeriesPatches,
    TokenEncoder,
)

KINDS = {
    "perceptron": (Perceptron, (5,), {}),
    "linear": (Perceptron, (5,), {"hidden": ()}),
    "volume": (Perceptron, (2, 3, 2, 2), {}),
    "series-patches": (SeriesPatches, (40, 2), {}),
    "short-patches": (SeriesPatches, (3, 2), {}),
    "series-convolution": (SeriesConvolution, (30, 2), {}),
    "series-stem": (SeriesConvolution, (30, 2), {"layers": 0}),
    "one-step": (SeriesConvolution, (1, 2), {}),
    "image-patches": (ImagePatches, (2, 13, 9), {}),
    "image-convolution": (ImageConvolution, (2, 13, 9), {}),
    "image-attention": (ImageConvolution, (2, 13, 9), {"layers": 1}),
    "one-pixel": (ImageConvolution, (3, 1, 1), {}),
}
WIDTH = 8
EVERY = pytest.mark.parametrize("name", KINDS)


def made(name, seed=0):
    kind, shape, choices = KINDS[name]
    torch.manual_seed(seed)
    return kind(shape, width=WIDTH, **choices)


def samples(name, rows=6):
    return torch.randn(rows, *KINDS[name][1], generator=torch.Generator().manual_seed(1))


@EVERY
def test_samples_become_as_many_tokens_as_told(name):
    """One row of `tokens` tokens of `width` each for every sample, none for none."""
    encoder = made(name)
    assert isinstance(encoder, TokenEncoder)
    assert encoder(samples(name)).shape == (6, encoder.tokens, encoder.width)
    assert encoder(samples(name, 0)).shape == (0, encoder.tokens, encoder.width)


@EVERY
def test_samples_may_come_flattened(name):
    """With the same result."""
    encoder, values = made(name).eval(), samples(name)
    assert torch.equal(encoder(values.flatten(1)), encoder(values))


@EVERY
def test_another_shape_is_refused(name):
    """With both shapes named."""
    encoder = made(name)
    wrong = (*encoder.shape[:-1], encoder.shape[-1] + 1)
    with pytest.raises(ValueError, match=r"reads samples of shape") as told:
        encoder(torch.zeros(2, *wrong))
    assert str(encoder.shape) in str(told.value)
    assert f"have shape {wrong}" in str(told.value)
    with pytest.raises(ValueError, match="have shape"):
        encoder(torch.zeros(2, prod(wrong)))


@EVERY
def test_samples_do_not_influence_each_other(name):
    """Neither at prediction nor, where nothing is dropped, in training."""
    encoder, values = made(name).double().eval(), samples(name).double()
    whole = encoder(values)
    others = values.clone()
    others[1:] = 1e3
    torch.testing.assert_close(encoder(others)[0], whole[0], rtol=0, atol=1e-9)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(encoder(values[order]), whole[order], rtol=0, atol=1e-9)


@EVERY
def test_different_samples_have_different_tokens(name):
    """What is read is not lost."""
    tokens = made(name).eval()(samples(name))
    assert not torch.allclose(tokens[0], tokens[1], atol=1e-3)


@EVERY
def test_zeros_are_read_without_harm(name):
    """An absent modality arrives so: tokens and gradients are finite, and constant values are no trouble either."""
    encoder = made(name)
    for value in (0.0, 7.0):
        tokens = encoder(torch.full((3, *encoder.shape), value))
        (tokens * torch.randn(tokens.shape)).sum().backward()
        assert tokens.isfinite().all()
        assert all(parameter.grad.isfinite().all() for parameter in encoder.parameters())


@EVERY
def test_every_parameter_learns(name):
    """There is no part of the network that the loss does not reach."""
    encoder = made(name)
    tokens = encoder(samples(name))
    (tokens * torch.randn(tokens.shape)).sum().backward()
    dead = [key for key, parameter in encoder.named_parameters() if not parameter.grad.abs().max() > 0]
    assert not dead


@EVERY
def test_every_value_is_read(name):
    """The tokens depend on each step, pixel and channel of a sample."""
    values = samples(name, 2).requires_grad_()
    tokens = made(name).eval()(values)
    (tokens * torch.randn(tokens.shape)).sum().backward()
    assert (values.grad != 0).all()


@EVERY
def test_a_seed_decides_the_weights_and_the_dropout(name):
    """Same seed, same numbers."""
    first, second, other = made(name), made(name), made(name, seed=1)
    outputs = []
    for encoder in (first, second, other):
        torch.manual_seed(2)
        outputs.append(encoder(samples(name)))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.allclose(outputs[0], outputs[2])


@EVERY
def test_weights_travel(name):
    """Through a state_dict, and with a deep copy that then is another encoder."""
    encoder, values = made(name).eval(), samples(name)
    expected = encoder(values)
    restored = made(name, seed=5).eval()
    restored.load_state_dict(encoder.state_dict())
    twin = copy.deepcopy(encoder)
    assert torch.equal(restored(values), expected)
    assert torch.equal(twin(values), expected)
    with torch.no_grad():
        next(twin.parameters()).add_(1)
    assert torch.equal(encoder(values), expected)


@EVERY
def test_weights_lie_as_files_want_them(name):
    """Contiguous, as safetensors demands."""
    assert all(value.is_contiguous() for value in made(name).state_dict().values())


@EVERY
def test_precision_is_the_users(name):
    """Double precision stays double and agrees with single; bfloat16 autocast comes near."""
    encoder, values = made(name).eval(), samples(name)
    single = encoder(values)
    double = made(name).double().eval()(values.double())
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, rtol=1e-3, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        half = encoder.train()(values)
        half.float().square().mean().backward()
    assert half.isfinite().all()
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(encoder.eval()(values).float(), single, rtol=0.1, atol=0.1)


def test_a_network_can_be_exported():
    """torch.export gives a program with the same numbers."""
    encoder, values = made("series-convolution").eval(), samples("series-convolution")
    program = torch.export.export(encoder, (values,))
    torch.testing.assert_close(program.module()(values), encoder(values))


@pytest.mark.parametrize("name", ["perceptron", "series-patches", "series-convolution", "image-patches"])
def test_dropout_is_for_training(name):
    """Two passes differ in training and agree at prediction; without dropout they always agree."""
    kind, shape, choices = KINDS[name]
    values = samples(name)
    encoder = made(name)
    assert not torch.equal(encoder(values), encoder(values))
    encoder.eval()
    assert torch.equal(encoder(values), encoder(values))
    still = kind(shape, width=WIDTH, dropout=0.0, **choices)
    assert torch.equal(still(values), still(values))


@pytest.mark.parametrize(
    ("kind", "shape", "choices", "told"),
    [
        (SeriesPatches, (5,), {}, r"\(time, channel\)"),
        (SeriesConvolution, (5, 0), {}, "at least 1"),
        (ImagePatches, (5, 2), {}, r"\(channel, height, width\)"),
        (ImageConvolution, (1, 2, 3, 4), {}, "encoder_for"),
        (Perceptron, (), {}, "at least one axis"),
        (Perceptron, (5,), {"width": 0}, "width must be a whole number of at least 1"),
        (Perceptron, (5,), {"hidden": (4, 0)}, "hidden must list"),
        (SeriesConvolution, (5, 1), {"width": 1}, "width must be a whole number of at least 2"),
        (SeriesConvolution, (5, 1), {"stride": 0}, "stride must be a whole number of at least 1"),
        (SeriesPatches, (50, 1), {"patch": 4, "stride": 5}, "patch must be a whole number of at least 5"),
        (SeriesPatches, (50, 1), {"layers": -1}, "layers must be a whole number of at least 0"),
        (ImagePatches, (1, 5, 5), {"patch": 0}, "patch must be a whole number of at least 1"),
        (ImagePatches, (1, 5, 5), {"width": 10}, "width=12"),
        (SeriesConvolution, (5, 1), {"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
    ],
)
def test_arguments_out_of_range_are_refused(kind, shape, choices, told):
    """With the range."""
    with pytest.raises(ValueError, match=told):
        kind(shape, **choices)
