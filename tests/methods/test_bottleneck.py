"""A few latents read all modalities."""

import pytest
import torch
from torch import nn

from plait.methods.bottleneck import BottleneckFusion
from plait.nn.module import evaluate
from tiny import course, samples

SMALL = {"width": 4, "latents": 3, "heads": 2, "tokens": 2, "hidden": (4,)}
SHAPES = {"a": (5,), "b": (3, 2), "c": (1, 2, 2)}


def fresh(data, **settings):
    """The copies with fresh weights in evaluation mode, representations and presence."""
    net = BottleneckFusion(**SMALL | settings).build(data.spec).double().eval()
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    return net.net, net.representations(batch.features, batch.present), batch.present


def test_the_order_of_the_latents_does_not_matter():
    """They are a set."""
    net, read, present = fresh(samples(shapes=SHAPES, absent=0.3))
    before = net(read, present)
    net.latents.data = net.latents.data.flip(1)
    torch.testing.assert_close(net(read, present), before)


def test_one_latent_that_attends_alike_reads_the_mean_of_the_tokens():
    """Zero query weights: the mean of the values of the tokens that are there."""
    net, read, present = fresh(samples(shapes=SHAPES, absent=0.4), latents=1, layers=1)
    for parameter in net.readers[0].attention.query.parameters():
        nn.init.zeros_(parameter)
    tokens, here = net.tokens(read, present)
    reader, mixer = net.readers[0], net.mixers[0]
    values = reader.attention.memory(reader.norms[1](tokens).flatten(1, 2))[..., 4:].view_as(tokens)
    mean = (values * here[None, :, :, None]).sum(2) / here.sum(1)[None, :, None]
    latent = net.latents + reader.attention.out(mean)
    latent = latent + reader.perceptron(reader.norms[2](latent))
    latent = latent + mixer.attention.out(mixer.attention.memory(mixer.norms[1](latent))[..., 4:])
    latent = latent + mixer.perceptron(mixer.norms[2](latent))
    torch.testing.assert_close(net(read, present), net.head(net.norm(latent)))


def test_a_sample_without_a_modality_is_one_of_the_others():
    """The network of two modalities with the same weights predicts the same where the third is absent."""
    data = samples(shapes=SHAPES)
    data.samples.present[:, 2] = False
    net, read, present = fresh(data)
    smaller, _, _ = fresh(samples(shapes={"a": (5,), "b": (3, 2)}))
    weights = {name: value for name, value in net.state_dict().items() if name in smaller.state_dict()}
    weights["tokens.mark"] = weights["tokens.mark"][:, :2]
    smaller.load_state_dict(weights)
    torch.testing.assert_close(net(read, present), smaller(read, present[:, :2]))


def test_what_nobody_has_is_the_same_for_all():
    """With nothing to read, latents are what they learned; such samples then get the prior."""
    net, read, present = fresh(samples(shapes=SHAPES))
    nobody = torch.zeros_like(present)
    found = net(read, nobody)
    torch.testing.assert_close(found, found[:, :1].expand_as(found))


def test_copies_are_so_many_single_networks():
    """Three folds, and three networks with their weights."""
    data = samples(shapes=SHAPES, folds=3, absent=0.3)
    net, read, present = fresh(data)
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    for unit, found in enumerate(net(read, present)):
        alone, _, _ = fresh(samples(shapes=SHAPES))
        alone.load_state_dict({name: value[unit : unit + 1] for name, value in net.state_dict().items()})
        torch.testing.assert_close(alone(read, present)[0], found)


def test_all_weights_learn():
    """With one modality as with three: everything gets a gradient."""
    for shapes in ({"a": (5,)}, SHAPES):
        net, read, present = fresh(samples(shapes=shapes))
        net(read, present).square().sum().backward()
        assert not [name for name, part in net.named_parameters() if part.grad is None or not part.grad.any()]


def test_a_sum_over_modalities_is_learned():
    """Better than the prior on samples it has not seen."""
    data = samples(shapes={"a": (2,), "b": (2,)}, count=400)
    data.samples.target[:] = sum(values.sum(1, keepdim=True) for values in data.samples.features.values()) / 2
    fitted = BottleneckFusion(width=8, latents=2, heads=2, layers=1, hidden=(16,), dropout=0.0).fit(
        course(data, epochs=10, batch_size=50, learning_rate=0.02)
    )
    batch = data.samples.rows(data.validation).to(torch.device("cpu"), torch.float64)
    errors = (evaluate(fitted.module, batch.features, batch.present) - batch.target).square().mean()
    assert errors < 0.3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"latents": 0}, "latents must be a whole number of at least 1"),
        ({"tokens": 0}, "tokens must be a whole number of at least 1"),
        ({"layers": 0}, "layers must be a whole number of at least 1"),
        ({"heads": 0}, "heads must be a whole number of at least 1"),
        ({"width": 6, "heads": 4}, "width must be divisible by heads"),
        ({"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
        ({"hidden": (0,)}, "hidden must list"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    """By name."""
    with pytest.raises(ValueError, match=message):
        BottleneckFusion(**wrong).build(samples().spec)
