"""Co-attention is its formula on the tokens that are there: symmetric, sample by sample, with one set of weights."""

import pytest
import torch
from torch import nn

from plait.skew.coattention import CoAttention, default_heads

WIDTH, HEADS = 12, 4


def made(width=WIDTH, seed=0, **choices):
    choices = {"heads": HEADS, "dropout": 0.0} | choices
    return CoAttention(width, **choices, generator=torch.Generator().manual_seed(seed)).double()


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def here_of(*counts, tokens):
    """The first so many tokens of every sample."""
    return torch.arange(tokens) < torch.tensor(counts)[:, None]


def disturbed(module):
    """The same with norms that scale and shift, as after training."""
    with torch.no_grad():
        for norm in module.joint.norms:
            norm.scale.copy_(1 + 0.3 * drawn(*norm.scale.shape, seed=5))
            norm.shift.copy_(0.3 * drawn(*norm.shift.shape, seed=6))
    return module


def of_torch(module):
    """Torch's own attention, feed-forward layers and norms with the same weights."""
    joint, width = module.joint, module.width
    attention = nn.MultiheadAttention(width, HEADS, batch_first=True).double()
    first, second = joint.perceptron.layers
    up, down = (nn.Linear(*layer.weight.shape[1:]).double() for layer in (first, second))
    norms = [nn.LayerNorm(width).double() for _ in range(2)]
    with torch.no_grad():
        own = joint.attention
        attention.in_proj_weight.copy_(torch.cat([own.query.weight[0], own.memory.weight[0]], 1).T)
        attention.in_proj_bias.copy_(torch.cat([own.query.bias[0], own.memory.bias[0]]))
        for mine, theirs in ((own.out, attention.out_proj), (first, up), (second, down)):
            theirs.weight.copy_(mine.weight[0].T)
            theirs.bias.copy_(mine.bias[0])
        for mine, theirs in zip(joint.norms, norms, strict=True):
            theirs.weight.copy_(mine.scale[0])
            theirs.bias.copy_(mine.shift[0])
    return attention, up, down, *norms


def formula(module, a, b, b_here=None):
    """x0 = LN1(a + MHA(a, b, b)), x = LN2(x0 + W2 ReLU(W1 x0)), by torch's parts."""
    attention, up, down, one, two = of_torch(module)
    read, _ = attention(a, b, b, key_padding_mask=None if b_here is None else ~b_here)
    before = one(a + read)
    return two(before + down(up(before).relu()))


def test_it_is_the_formula():
    """Both directions through the same weights; the mean over the tokens of each, and of the two."""
    module, a, b = disturbed(made()), drawn(5, 3, WIDTH), drawn(5, 4, WIDTH, seed=1)
    expected = (formula(module, a, b).mean(1) + formula(module, b, a).mean(1)) / 2
    torch.testing.assert_close(module(a, b), expected)


def test_only_tokens_that_are_there_are_read_and_averaged():
    """The formula with torch's own padding of keys, and means of different numbers of tokens."""
    module, a, b = disturbed(made()), drawn(3, 4, WIDTH), drawn(3, 5, WIDTH, seed=1)
    a_here, b_here = here_of(4, 1, 2, tokens=4), here_of(2, 5, 1, tokens=5)
    x, y = formula(module, a, b, b_here), formula(module, b, a, a_here)
    means = [(z * here[..., None]).sum(1) / here.sum(1)[:, None] for z, here in ((x, a_here), (y, b_here))]
    torch.testing.assert_close(module(a, b, a_here, b_here), sum(means) / 2)


@pytest.mark.parametrize("filler", [0.0, 1e30, float("nan"), float("inf")])
def test_padding_never_counts(filler):
    """With more padding, of whatever content, on either side, the result is that without any; gradients are finite."""
    module, a, b = made(), drawn(2, 3, WIDTH), drawn(2, 4, WIDTH, seed=1)
    padded = [torch.cat([values, torch.full((2, 3, WIDTH), filler, dtype=a.dtype)], 1) for values in (a, b)]
    here = here_of(3, 3, tokens=6), here_of(4, 4, tokens=7)
    found = module(*padded, *here)
    torch.testing.assert_close(found, module(a, b), atol=1e-12, rtol=0)
    found.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in module.parameters())


def test_padding_may_lie_anywhere():
    """The order of the keys does not matter, nor does that of the tokens that are averaged."""
    module, a, b = made(), drawn(1, 3, WIDTH), drawn(1, 4, WIDTH, seed=1)
    places = torch.tensor([1, 2, 4, 6])
    spread, here = torch.full((1, 7, WIDTH), float("nan"), dtype=b.dtype), torch.zeros(1, 7, dtype=torch.bool)
    spread[:, places.flip(0)], here[:, places] = b, True
    torch.testing.assert_close(module(a, spread, None, here), module(a, b), atol=1e-12, rtol=0)


def test_it_is_exactly_symmetric():
    """In every bit, with unequal numbers of tokens and with padding."""
    module, a, b = disturbed(made()), drawn(4, 3, WIDTH), drawn(4, 5, WIDTH, seed=1)
    assert torch.equal(module(a, b), module(b, a))
    here = here_of(3, 1, 2, 3, tokens=3), here_of(1, 5, 3, 2, tokens=5)
    assert torch.equal(module(a, b, *here), module(b, a, *reversed(here)))


def test_samples_do_not_influence_each_other():
    """Alone, in another order, and in a batch of longer sequences a sample has the same vector."""
    module, a, b = made().float(), drawn(6, 4, WIDTH).float(), drawn(6, 3, WIDTH, seed=1).float()
    a_here = here_of(4, 2, 1, 3, 4, 2, tokens=4)
    whole = module(a, b, a_here)
    for row, count in enumerate(a_here.sum(1)):
        alone = module(a[row, None, :count], b[row, None])
        torch.testing.assert_close(alone[0], whole[row], atol=1e-5, rtol=0)
    backwards = module(a.flip(0), b.flip(0), a_here.flip(0)).flip(0)
    torch.testing.assert_close(backwards, whole, atol=1e-5, rtol=0)


def test_vectors_are_single_tokens():
    """Of either or both."""
    module, a, b = made(), drawn(5, WIDTH), drawn(5, 3, WIDTH, seed=1)
    torch.testing.assert_close(module(a, b), module(a[:, None], b))
    torch.testing.assert_close(module(a, b[:, 0]), module(a[:, None], b[:, :1]))


@pytest.mark.parametrize("tokens", [1, 3])
def test_a_single_key_is_read_as_by_torchs_attention(tokens):
    """The affine map is what its softmax over one key comes to, for one query and for several."""
    module, a, b = disturbed(made()), drawn(5, tokens, WIDTH), drawn(5, 1, WIDTH, seed=1)
    expected = (formula(module, a, b).mean(1) + formula(module, b, a).mean(1)) / 2
    torch.testing.assert_close(module(a, b), expected)


def test_attention_to_one_token_is_an_affine_map():
    """A softmax over one key is 1: queries and keys have no influence, and no gradient."""
    module, a, b = disturbed(made()), drawn(5, WIDTH), drawn(5, WIDTH, seed=1)
    own = module.joint.attention
    weight = own.memory.weight[0, :, WIDTH:] @ own.out.weight[0]
    shift = own.memory.bias[0, WIDTH:] @ own.out.weight[0] + own.out.bias[0]
    _, up, down, one, two = of_torch(module)
    before = [one(values + other @ weight + shift) for values, other in ((a, b), (b, a))]
    x, y = (two(values + down(up(values).relu())) for values in before)
    found = module(a, b)
    torch.testing.assert_close(found, (x + y) / 2)
    found.square().sum().backward()
    assert own.query.weight.grad is None
    assert own.memory.weight.grad[..., :WIDTH].abs().max() == 0
    assert own.memory.weight.grad[..., WIDTH:].abs().max() > 1e-3


def test_it_has_as_many_weights_as_the_published_code():
    """7,087,872 at width 768: attention, feed-forward and two norms, once for both directions."""
    module = CoAttention(768)
    parts = module.joint.attention, module.joint.perceptron, module.joint.norms
    counts = [sum(parameter.numel() for parameter in part.parameters()) for part in parts]
    assert counts == [2_362_368, 4_722_432, 3_072]
    assert sum(parameter.numel() for parameter in module.parameters()) == 7_087_872
    assert module.joint.attention.heads == 8


@pytest.mark.parametrize(("width", "heads"), [(768, 8), (64, 8), (12, 6), (10, 5), (7, 7), (11, 1), (4, 4), (1, 1)])
def test_heads_share_the_width(width, heads):
    """As many as divide it, at most 8."""
    assert default_heads(width) == heads
    assert CoAttention(width).joint.attention.heads == heads


def test_dropout_acts_in_training_alone():
    """And keeps the mean of what is added, so that a small share changes little."""
    a, b = drawn(4, 3, WIDTH), drawn(4, 2, WIDTH, seed=1)
    module = made(dropout=0.1)
    assert not torch.equal(module(a, b), module(a, b))
    module.eval()
    torch.testing.assert_close(module(a, b), made(dropout=0.0)(a, b))


def test_every_step_of_the_formula_is_dropped():
    """With nearly everything dropped what is left are the two norms, one after the other."""
    torch.manual_seed(0)
    a = drawn(4, 3, WIDTH)
    module = made(dropout=1 - 1e-9)
    normal = nn.functional.layer_norm(nn.functional.layer_norm(a, (WIDTH,)), (WIDTH,)).mean(1)
    torch.testing.assert_close(module(a, a), normal)


def test_the_same_seed_gives_the_same_weights():
    """And another one others; without a generator torch's own is used."""
    a, b = drawn(2, WIDTH), drawn(2, WIDTH, seed=1)
    assert torch.equal(made(seed=1)(a, b), made(seed=1)(a, b))
    assert not torch.allclose(made(seed=1)(a, b), made(seed=2)(a, b))
    torch.manual_seed(3)
    one = CoAttention(WIDTH)
    torch.manual_seed(3)
    assert torch.equal(one.joint.attention.query.weight, CoAttention(WIDTH).joint.attention.query.weight)


def test_a_sample_without_tokens_is_named():
    """There is nothing to read."""
    module, a = made(), drawn(3, 2, WIDTH)
    with pytest.raises(ValueError, match="Row 1 of b has no token that is there"):
        module(a, a, None, here_of(2, 0, 1, tokens=2))


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        ({"width": 0}, "width must be a whole number of at least 1"),
        ({"heads": 5}, r"width must be divisible by heads \(got width=12 and heads=5\)"),
        ({"heads": 0}, "heads must be a whole number of at least 1"),
        ({"wider": 0}, "wider must be a whole number of at least 1"),
        ({"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
    ],
)
def test_settings_out_of_range_are_refused(choices, match):
    """By their names."""
    with pytest.raises(ValueError, match=match):
        CoAttention(**({"width": WIDTH} | choices))
