"""Attention of many copies at once."""

import pytest
import torch
from torch import nn

from plait.data.settings import check_heads
from plait.nn.attention import Attention, AttentionBlock, Norm

WIDTH, HEADS = 8, 2


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def attention(units=1):
    return Attention(units, WIDTH, HEADS, torch.Generator().manual_seed(0)).double()


def of_torch(ours):
    """Torch's multi-head attention with the same weights."""
    theirs = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight[0], ours.memory.weight[0]], 1).T)
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias[0], ours.memory.bias[0]]))
        theirs.out_proj.weight.copy_(ours.out.weight[0].T)
        theirs.out_proj.bias.copy_(ours.out.bias[0])
    return theirs


def single(stacked, unit, make):
    """A module of one unit with the weights of one of several."""
    other = make()
    other.load_state_dict({name: value[unit : unit + 1] for name, value in stacked.state_dict().items()})
    return other


@pytest.mark.parametrize("masked", [False, True])
def test_one_copy_is_torchs_multi_head_attention(masked):
    """With the same weights, with and without keys that may not be seen."""
    ours, queries, sources = attention(), drawn(1, 5, 3, WIDTH), drawn(1, 5, 4, WIDTH, seed=1)
    here = torch.ones(5, 4, dtype=torch.bool)
    here[:, 1:] = drawn(5, 3) > 0 if masked else True
    expected, _ = of_torch(ours)(queries[0], sources[0], sources[0], key_padding_mask=~here)
    allowed = here[:, None].expand(-1, 3, -1) if masked else None
    torch.testing.assert_close(ours(queries, sources, allowed)[0], expected)


def test_keys_that_may_not_be_seen_have_no_influence():
    """Not in any bit, forward or backward."""
    layer, queries = attention(2), drawn(2, 5, 3, WIDTH)
    allowed = torch.ones(5, 3, 4, dtype=torch.bool)
    allowed[:, :, 2] = False
    found = []
    for value in (0.0, 100.0):
        sources = drawn(2, 5, 4, WIDTH)
        sources[:, :, 2] = value
        layer.zero_grad()
        read = layer(queries, sources, allowed)
        read.square().sum().backward()
        found.append((read, layer.query.weight.grad.clone()))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_a_query_that_may_see_nothing_reads_zeros():
    """Never NaN, in the values and in the gradients; the other queries are as they were."""
    layer, queries, sources = attention(2), drawn(2, 5, 3, WIDTH).requires_grad_(), drawn(2, 5, 4, WIDTH)
    allowed = torch.ones(5, 3, 4, dtype=torch.bool)
    allowed[1, 2] = allowed[4] = False
    read = layer(queries, sources, allowed)
    assert read[:, 1, 2].abs().max() == 0
    assert read[:, 4].abs().max() == 0
    torch.testing.assert_close(read[:, 0], layer(queries, sources)[:, 0])
    read.sum().backward()
    assert queries.grad.isfinite().all()
    assert queries.grad[:, 4].abs().max() == 0
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters())


def test_uniform_attention_is_the_mean_of_the_values():
    """With no weights on the queries, of the values that may be seen."""
    layer, queries, sources = attention(), drawn(1, 5, 3, WIDTH), drawn(1, 5, 4, WIDTH)
    nn.init.zeros_(layer.query.weight)
    nn.init.zeros_(layer.query.bias)
    allowed = torch.ones(5, 3, 4, dtype=torch.bool)
    allowed[:, 0, 1:] = False
    values = layer.memory(sources.flatten(1, 2))[..., WIDTH:].view(1, 5, 4, WIDTH)
    expected = torch.stack([values[:, :, 0], values.mean(2), values.mean(2)], 2)
    read = layer(queries, sources, allowed)
    torch.testing.assert_close(read.flatten(1, 2), layer.out(expected.flatten(1, 2)))


def test_the_order_of_the_sources_does_not_matter():
    """Attention sees a set."""
    layer, queries, sources = attention(), drawn(1, 5, 3, WIDTH), drawn(1, 5, 4, WIDTH)
    torch.testing.assert_close(layer(queries, sources), layer(queries, sources.flip(2)))


@pytest.mark.parametrize("kind", [Attention, AttentionBlock])
def test_copies_are_so_many_single_networks(kind):
    """With their weights, and a mask."""

    def make(units=1):
        return kind(units, WIDTH, HEADS, torch.Generator().manual_seed(0)).double().eval()

    stacked, tokens, sources = make(3), drawn(3, 5, 3, WIDTH), drawn(3, 5, 4, WIDTH)
    allowed = drawn(5, 3, 4) > 0
    found = stacked(tokens, sources, allowed)
    for unit in range(3):
        alone = single(stacked, unit, make)(tokens[unit, None], sources[unit, None], allowed)
        torch.testing.assert_close(found[unit], alone[0])


def test_a_norm_is_torchs_with_weights_of_each_copy():
    """At the start and with other weights."""
    norm, values = Norm(2, WIDTH).double(), drawn(2, 5, 3, WIDTH)
    theirs = nn.LayerNorm(WIDTH).double()
    torch.testing.assert_close(norm(values), theirs(values))
    with torch.no_grad():
        theirs.weight.copy_(drawn(WIDTH))
        theirs.bias.copy_(drawn(WIDTH, seed=1))
        norm.scale[1], norm.shift[1] = theirs.weight, theirs.bias
    torch.testing.assert_close(norm(values)[1], theirs(values[1]))
    torch.testing.assert_close(norm(values.flatten(1, 2))[1], theirs(values[1]).flatten(0, 1))


def test_a_block_is_that_of_torchs_transformer():
    """A pre-norm encoder layer with the same weights, for tokens that read each other."""
    block = AttentionBlock(1, WIDTH, HEADS, torch.Generator().manual_seed(0)).double()
    theirs = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, 0.0, batch_first=True, norm_first=True).double()
    theirs.self_attn = of_torch(block.attention)
    with torch.no_grad():
        for mine, other in zip(block.perceptron.layers, (theirs.linear1, theirs.linear2), strict=True):
            other.weight.copy_(mine.weight[0].T)
            other.bias.copy_(mine.bias[0])
    tokens = drawn(1, 5, 3, WIDTH)
    torch.testing.assert_close(block(tokens)[0], theirs(tokens[0]))


def test_a_block_that_may_see_nothing_keeps_its_tokens():
    """What follows is the perceptron on each of them."""
    block = AttentionBlock(1, WIDTH, HEADS, torch.Generator().manual_seed(0)).double()
    tokens, nothing = drawn(1, 5, 3, WIDTH), torch.zeros(5, 3, 3, dtype=torch.bool)
    changed = block.perceptron(block.norms[2](tokens).flatten(1, 2)).view_as(tokens)
    torch.testing.assert_close(block(tokens, tokens, nothing), tokens + changed)


def test_heads_must_share_the_width():
    """The error gives a width that fits."""
    check_heads(12, 4)
    with pytest.raises(ValueError, match=r"divisible by heads.*width=10 and heads=4.*width=12"):
        check_heads(10, 4)
