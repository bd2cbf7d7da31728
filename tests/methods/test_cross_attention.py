"""The tokens of a modality read those of the others."""

import pytest
import torch
from torch import nn

from plait.methods.cross_attention import CrossAttentionFusion
from plait.nn.module import evaluate
from plait.nn.tokens import modality_mean
from tiny import course, samples

SMALL = {"width": 4, "heads": 2, "tokens": 2, "hidden": (4,)}
SHAPES = {"a": (5,), "b": (3, 2), "c": (1, 2, 2)}


def fresh(data, **settings):
    """The copies with fresh weights in evaluation mode, representations and presence."""
    net = CrossAttentionFusion(**SMALL | settings).build(data.spec).double().eval()
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    return net.net, net.representations(batch.features, batch.present), batch.present


def changed(tokens, place, value):
    """The same tokens, but for one."""
    other = tokens.clone()
    other[:, :, place, 0] += value
    return other


def test_tokens_see_those_of_other_modalities_that_are_there():
    """Never their own modality's, never absent ones."""
    net, read, _ = fresh(samples(shapes=SHAPES))
    _, here = net.tokens(read, torch.tensor([[True, True, False]]).expand(40, -1))
    seen = net.others(here)[0].int().tolist()
    of_a, of_b, of_c = [0, 0, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert seen == [of_a] * 2 + [of_b] * 3 + [of_c] * 4


def test_a_token_changes_what_other_modalities_become():
    """And itself, but not the other tokens of its own modality."""
    net, read, present = fresh(samples(shapes={"a": (5,), "b": (3, 2)}))
    tokens, here = net.tokens(read, present)
    allowed, (block,) = net.others(here), net.blocks
    before = block(tokens, tokens, allowed)
    other = changed(tokens, 1, 1.0)
    moved = (block(other, other, allowed) - before).abs().amax((0, 1, 3)) > 1e-9
    assert moved.tolist() == [False, True, True, True, True]


def test_a_modality_alone_keeps_its_own_tokens():
    """Only the perceptron of every layer changes them."""
    net, read, present = fresh(samples(shapes={"a": (5,)}), layers=2)
    tokens, here = net.tokens(read, present)
    for block in net.blocks:
        tokens = tokens + block.perceptron(block.norms[2](tokens).flatten(1, 2)).view_as(tokens)
    torch.testing.assert_close(net(read, present), net.head(net.norm(tokens).mean(2)))
    assert here.all()


def test_no_layers_are_the_mean_of_the_tokens():
    """By modality, then over the modalities that are there."""
    net, read, present = fresh(samples(shapes=SHAPES, absent=0.4), layers=0)
    tokens, here = net.tokens(read, present)
    torch.testing.assert_close(net(read, present), net.head(modality_mean(net.norm(tokens), here, net.tokens.places)))


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


def test_products_of_two_modalities_are_learned():
    """Better than the prior on samples it has not seen: what each modality alone says nothing about."""
    data = samples(shapes={"a": (1,), "b": (1,)}, count=400)
    a, b = (values.sign_() for values in data.samples.features.values())
    data.samples.target[:] = a * b
    fitted = CrossAttentionFusion(width=8, heads=2, hidden=(16,), dropout=0.0).fit(
        course(data, epochs=12, batch_size=50, learning_rate=0.02)
    )
    batch = data.samples.rows(data.validation).to(torch.device("cpu"), torch.float64)
    errors = (evaluate(fitted.module, batch.features, batch.present) - batch.target).square().mean()
    assert errors < 0.5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"tokens": 0}, "tokens must be a whole number of at least 1"),
        ({"layers": -1}, "layers must be a whole number of at least 0"),
        ({"heads": 0}, "heads must be a whole number of at least 1"),
        ({"width": 6, "heads": 4}, "width must be divisible by heads"),
        ({"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
        ({"hidden": (0,)}, "hidden must list"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    """By name."""
    with pytest.raises(ValueError, match=message):
        CrossAttentionFusion(**wrong).build(samples().spec)
