"""Operators of many pairs: each pair by itself, each sample by itself, and what they say about themselves holds."""

import pytest
import torch

from plait.data.batches import Batch
from plait.data.spec import DataSpec
from plait.nn.criteria import criterion_for
from plait.skew.coattention import CoAttention
from plait.skew.heads import TAPS, PairHeads
from plait.skew.space import Pair
from plait.skew.stacked import LEGACY, OPERATORS

PAIRS, BATCH, TOKENS, READ, WIDTH = 3, 6, 2, 12, 10
EVERY = pytest.mark.parametrize("operator", OPERATORS)
ATTENTION = pytest.mark.parametrize("operator", ["coattn", "coattn_vec"])


def made(operator, pairs=PAIRS, read=READ, width=WIDTH, tokens=TOKENS, seed=0):
    module = OPERATORS[operator](pairs, read, width, torch.Generator().manual_seed(seed), tokens=tokens)
    return module.double().eval()


def legacy(pairs=PAIRS):
    generator = torch.Generator().manual_seed(0)
    module = LEGACY["coattn_legacy"](pairs, READ, WIDTH, generator, batch_dependent_allowed=True)
    return module.double().eval()


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def taps(pairs=PAIRS, read=READ):
    return drawn(pairs, BATCH, read), drawn(pairs, BATCH, read, seed=1)


def row_of(module, row, alone):
    """An operator of one pair with the weights of one of several."""
    alone.load_state_dict({name: value[row : row + 1] for name, value in module.state_dict().items()})
    return alone


@EVERY
def test_samples_do_not_influence_each_other(operator):
    """Alone, in a part of the batch and in another order a sample has the same vector."""
    module, (a, b) = made(operator).float(), taps()
    a, b = a.float(), b.float()
    whole = module(a, b)
    for rows in ([0], [4], [1, 5], [3, 2, 0], range(BATCH)[::-1]):
        found = module(a[:, list(rows)], b[:, list(rows)])
        torch.testing.assert_close(found, whole[:, list(rows)], atol=1e-5, rtol=0)


@EVERY
def test_many_pairs_at_once_are_one_after_the_other(operator):
    """Every pair has weights of its own, the leading axis of all of them."""
    module, (a, b) = made(operator), taps()
    assert all(len(parameter) == PAIRS for parameter in module.parameters())
    whole = module(a, b)
    assert whole.shape == (PAIRS, BATCH, WIDTH)
    for row in range(PAIRS):
        alone = row_of(module, row, made(operator, pairs=1))(a[row, None], b[row, None])
        torch.testing.assert_close(alone[0], whole[row])


@EVERY
def test_symmetric_operators_do_not_know_which_is_first(operator):
    """f(a, b) = f(b, a) in every bit; the others do know."""
    module, (a, b) = made(operator), taps()
    assert torch.equal(module(a, b), module(b, a)) == module.symmetric
    assert module.symmetric == (operator in {"coattn", "coattn_vec"})


@EVERY
def test_interaction_is_what_outputs_are_not_additive_without(operator):
    """f(a, b) - f(a, b') does not depend on a, to 12 digits, or plainly does."""
    module, (a, b) = made(operator), taps()
    other_a, other_b = drawn(*a.shape, seed=2), drawn(*b.shape, seed=3)
    change = module(a, b) - module(a, other_b) - module(other_a, b) + module(other_a, other_b)
    assert (change.abs().max() > 1e-3) == module.interaction
    assert (change.abs().max() < 1e-12) != module.interaction


@EVERY
def test_only_operators_on_tokens_ask_for_their_number(operator):
    """Others read one vector, however many tokens lie side by side in it."""
    module, (a, b) = made(operator, tokens=2), taps()
    other = made(operator, tokens=3)
    alike = module.state_dict().keys() == other.state_dict().keys() and torch.equal(module(a, b), other(a, b))
    assert alike != module.needs_tokens
    assert module.needs_tokens == (operator == "coattn")


@EVERY
def test_no_operator_mixes_the_batch_but_the_legacy(operator):
    """Which is in a mapping of its own."""
    assert not OPERATORS[operator].batch_dependent
    assert not LEGACY.keys() & OPERATORS.keys()
    assert all(kind.batch_dependent for kind in LEGACY.values())


@pytest.mark.parametrize("read", [3, 16, 20])
def test_outer_is_a_dense_layer_of_all_products(read):
    """vec(a b^T) of the first 16 features each, the second's fastest; what is beyond them is not read."""
    module, (a, b) = made("outer", read=read), taps(read=read)
    kept = min(read, 16)
    products = torch.stack([a[..., i] * b[..., j] for i in range(kept) for j in range(kept)], -1)
    expected = products @ module.out.weight + module.out.bias[:, None]
    torch.testing.assert_close(module(a, b), expected)


@pytest.mark.parametrize("tokens", [1, 3])
def test_coattn_is_co_attention_of_the_tokens(tokens):
    """Which lie side by side in a tap; nothing comes before it where the widths are equal."""
    module, (a, b) = made("coattn", read=tokens * WIDTH, tokens=tokens), taps(read=tokens * WIDTH)
    assert module.enter is None
    for row in range(PAIRS):
        alone = row_of(module.joint, row, CoAttention(WIDTH).double().joint)
        shape = (1, BATCH, tokens, WIDTH)
        expected = alone.eval()(a[row].reshape(shape), b[row].reshape(shape))
        torch.testing.assert_close(module(a, b)[row], expected[0])


@pytest.mark.parametrize("read", [WIDTH, READ])
def test_coattn_vec_is_coattn_of_one_token(read):
    """With the same weights."""
    one, other = made("coattn_vec", read=read, tokens=2), made("coattn", read=read, tokens=1)
    other.load_state_dict(one.state_dict())
    a, b = taps(read=read)
    assert torch.equal(one(a, b), other(a, b))


@ATTENTION
def test_another_width_of_tokens_is_projected_first(operator):
    """By one dense layer for both taps, token by token, so that the operator stays symmetric."""
    module, (a, b) = made(operator), taps()
    tokens = TOKENS if operator == "coattn" else 1
    assert module.enter.weight.shape == (PAIRS, READ // tokens, WIDTH)
    first, second = (
        torch.einsum("pbtr,prw->pbtw", values.view(PAIRS, BATCH, tokens, -1), module.enter.weight)
        + module.enter.bias[:, None, None]
        for values in (a, b)
    )
    torch.testing.assert_close(module(a, b), module.joint(first, second))


@ATTENTION
def test_attention_has_the_published_settings(operator):
    """Up to 8 heads, a feed-forward part of four times the width, dropout 0.1."""
    module = made(operator, pairs=1, read=16, width=16, tokens=1)
    assert (module.joint.attention.heads, module.joint.dropout) == (8, 0.1)
    assert module.joint.perceptron.layers[0].weight.shape == (1, 16, 64)


def test_coattn_vec_has_as_many_weights_as_the_published_code():
    """7,087,872 a pair at width 768."""
    module = OPERATORS["coattn_vec"](1, 768, 768, torch.Generator().manual_seed(0))
    assert sum(parameter.numel() for parameter in module.parameters()) == 7_087_872


def test_all_pairs_drop_the_same():
    """There is one draw a sample for all of them, so that training together is training each alone."""
    module, (a, b) = made("coattn", pairs=2).train(), taps(pairs=2)
    alone = row_of(module, 1, made("coattn", pairs=1)).train()
    torch.manual_seed(0)
    whole = module(a, b)
    torch.manual_seed(0)
    torch.testing.assert_close(alone(a[1, None], b[1, None])[0], whole[1])
    assert not torch.equal(module(a, b), whole)


@pytest.mark.parametrize(
    ("tokens", "match"), [(5, "tokens must divide the size of a tap"), (0, "tokens must be a whole")]
)
def test_tokens_must_fill_a_tap(tokens, match):
    """A tap of 12 numbers is not 5 tokens of one width."""
    with pytest.raises(ValueError, match=match):
        made("coattn", tokens=tokens)


def test_legacy_reads_the_batch_as_one_sequence():
    """A sample's vector depends on its neighbours, in evaluation too: alone it is that of coattn_vec."""
    module, (a, b) = legacy(), taps()
    whole = module(a, b)
    assert (module(a[:, :1], b[:, :1]) - whole[:, :1]).abs().max() > 0.01
    changed = b.clone()
    changed[:, 3] += 1
    assert (module(a, changed)[:, 0] - whole[:, 0]).abs().max() > 1e-3
    torch.testing.assert_close(module(a.flip(1), b.flip(1)).flip(1), whole)
    vectors = made("coattn_vec")
    vectors.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(a[:, :1], b[:, :1]), vectors(a[:, :1], b[:, :1]))


def test_legacy_is_the_formula_with_samples_for_tokens():
    """Not pooled: a token is a sample."""
    module, (a, b) = legacy(pairs=1), taps(pairs=1)
    first, second = (module.enter(values)[:, None] for values in (a, b))
    expected = (module.joint.read(first, second) + module.joint.read(second, first))[:, 0] / 2
    torch.testing.assert_close(module(a, b), expected)


def test_legacy_is_refused_unless_asked_for():
    """It says why, and what to use."""
    with pytest.raises(ValueError, match=r"depend on the other samples of its batch.*'coattn' or 'coattn_vec'"):
        LEGACY["coattn_legacy"](1, READ, WIDTH, torch.Generator())


@pytest.mark.parametrize("operator", ["coattn", "coattn_vec", "outer"])
def test_heads_learn_through_every_operator(operator):
    """Every weight that can have an influence gets a gradient, and the loss falls."""
    torch.manual_seed(0)
    sets = [(Pair("a", 1, "b", 1),), (Pair("a", 1, "b", 1), Pair("a", 2, "b", 1))]
    listed = [("a", 1), ("a", 2), ("b", 1)]
    net = PairHeads(sets, listed, 6, 2, operator, 5, generator=torch.Generator().manual_seed(0))
    spec = DataSpec({"a": (6,), "b": (6,)}, 2, "classification")
    features = {TAPS: drawn(8, 3, 6).float()}
    target = torch.eye(2)[torch.arange(8) % 2]
    batch = Batch(features, torch.ones(8, 2, dtype=torch.bool), target, torch.full((8,), -1))
    found = []
    for _ in range(12):
        loss = net.objective(batch, criterion_for(spec))
        found.append(loss.detach().sum())
        gradients = torch.autograd.grad(loss.sum(), list(net.parameters()), allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(net.parameters(), gradients, strict=True):
                parameter.sub_(0 if gradient is None else 0.2 * gradient)
    unused = [name for (name, _), given in zip(net.named_parameters(), gradients, strict=True) if given is None]
    assert all(".attention.query." in name for name in unused)
    assert found[-1] < 0.9 * found[0]
