"""Stacked heads: each is by itself, in any batch, and together they find what is planted."""

import numpy as np
import pytest
import torch

from plait.data.batches import Batch, TrainingData
from plait.data.spec import DataSpec
from plait.datasets import make_planted_taps
from plait.skew.heads import TAPS, PairHeads
from plait.skew.scaling import fit_scalings, scaled
from plait.skew.space import Pair, TapSpace
from plait.skew.stacked import OPERATORS
from plait.training.trainer import Trainer

SPACE = TapSpace({"a": 2, "b": 3})
TAPS_OF = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 3)]
EVERY = pytest.mark.parametrize("operator", OPERATORS)


def heads(sets=None, operator="bilinear", seed=0, **kwargs):
    sets = [(pair,) for pair in SPACE.all()] if sets is None else sets
    made = PairHeads(sets, TAPS_OF, 4, 3, operator, 5, generator=torch.Generator().manual_seed(seed), **kwargs)
    return made.double()


def drawn(n=7, seed=0):
    taps = torch.randn(n, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return {TAPS: taps}, torch.ones(n, 2, dtype=torch.bool)


def linear(layer, row):
    return lambda values: values @ layer.weight[row] + layer.bias[row]


FORMULAS = {
    "concat": lambda op, r, a, b: linear(op.both, r)(torch.cat([a, b], 1)),
    "sum": lambda op, r, a, b: linear(op.first, r)(a) + linear(op.second, r)(b),
    "mlp": lambda op, r, a, b: linear(op.out, r)(linear(op.hidden, r)(torch.cat([a, b], 1)).clamp(min=0)),
    "gated": lambda op, r, a, b: (
        torch.sigmoid(linear(op.gate, r)(torch.cat([a, b], 1))) * torch.tanh(linear(op.first, r)(a))
        + (1 - torch.sigmoid(linear(op.gate, r)(torch.cat([a, b], 1)))) * torch.tanh(linear(op.second, r)(b))
    ),
    "bilinear": lambda op, r, a, b: linear(op.first, r)(a) * linear(op.second, r)(b),
    "film": lambda op, r, a, b: (1 + linear(op.scale, r)(b)) * linear(op.first, r)(a) + linear(op.shift, r)(b),
}


@pytest.mark.parametrize("operator", FORMULAS)
def test_operators_are_their_formulas(operator):
    """Pair by pair, with the taps of that pair, then the linear head of its set."""
    net = heads(operator=operator)
    features, present = drawn()
    found = net(features, present)
    for row, pair in enumerate(SPACE.all()):
        a, b = (features[TAPS][:, TAPS_OF.index(tap)] for tap in ((pair.first, pair.i), (pair.second, pair.j)))
        joint = FORMULAS[operator](net.operator, row, a, b)
        torch.testing.assert_close(found[row], linear(net.head, row)(joint))


def test_a_set_is_the_mean_of_its_pairs():
    """Of their joint vectors, before the head; other sets do not matter."""
    one, two = Pair("a", 1, "b", 2), Pair("a", 2, "b", 3)
    net = heads([(one,), (one, two), (two,)])
    features, present = drawn()
    taps = features[TAPS]
    first = FORMULAS["bilinear"](net.operator, 1, taps[:, 0], taps[:, 3])
    second = FORMULAS["bilinear"](net.operator, 2, taps[:, 1], taps[:, 4])
    torch.testing.assert_close(net(features, present)[1], linear(net.head, 1)((first + second) / 2))


@EVERY
def test_samples_do_not_influence_each_other(operator):
    """Alone, in another batch and in another order a sample has the same outputs."""
    net = heads(operator=operator).eval()
    features, present = drawn()
    whole = net(features, present)
    torch.testing.assert_close(net({TAPS: features[TAPS][3:4]}, present[3:4])[:, 0], whole[:, 3], atol=1e-12, rtol=0)
    backwards = net({TAPS: features[TAPS].flip(0)}, present).flip(1)
    torch.testing.assert_close(backwards, whole, atol=1e-12, rtol=0)


@EVERY
def test_linear_operators_see_no_product(operator):
    """Without interaction outputs are additive in the two taps; with it they are not."""
    net = heads(operator=operator)
    features, present = drawn()
    taps = features[TAPS]
    other = torch.randn_like(taps)
    mixed = [torch.cat([x[:, :2], y[:, 2:]], 1) for x in (taps, other) for y in (taps, other)]
    aa, ab, ba, bb = (net({TAPS: values}, present) for values in mixed)
    additive = bool(((aa - ab) - (ba - bb)).abs().max() < 1e-12)
    assert additive != net.operator.interaction


def trained(sets, seed=3, epochs=4):
    """Heads trained on a small problem, drawn with the weights that they have among all."""
    rng = np.random.default_rng(0)
    n = 120
    target = torch.eye(3)[torch.tensor(rng.integers(3, size=n))]
    fold = torch.tensor(np.where(np.arange(n) < 90, -1, 0))
    features, present = drawn(n)
    data = TrainingData(Batch(features, present, target, fold), DataSpec({"a": (4,), "b": (4,)}, 3, "classification"))
    every = heads()
    net = heads(sets)
    rows = torch.tensor([SPACE.all().index(pair) for (pair,) in sets])
    for (_, mine), (_, other) in zip(net.named_parameters(), every.named_parameters(), strict=True):
        mine.data = other.data[rows].clone()
    Trainer(epochs=epochs, batch_size=32, precision="float64", threads=1).run(net, data, seed)
    return net


def test_training_together_is_training_alone():
    """The same batches, no shared weight: 12 digits; best epochs are kept head by head."""
    sets = [(pair,) for pair in SPACE.all()]
    together, alone = trained(sets), trained(sets[4:5])
    for (name, mine), (_, other) in zip(together.named_parameters(), alone.named_parameters(), strict=True):
        torch.testing.assert_close(mine[4], other[0], atol=1e-10, rtol=0, msg=name)


def test_every_weight_belongs_to_a_set():
    """Those of a pair to the set of the pair."""
    one, two = Pair("a", 1, "b", 2), Pair("a", 2, "b", 3)
    net = heads([(one, two), (two,)])
    owners = net.owners()
    assert owners.keys() == net.state_dict().keys()
    assert owners["operator.first.weight"].tolist() == [0, 0, 1]
    assert owners["head.bias"].tolist() == [0, 1]


@pytest.mark.slow
def test_planted_synergy_is_found_by_trained_heads():
    """XOR: the bilinear heads find the pair, those without products are at chance."""
    bunch = make_planted_taps("xor", random_state=0)
    scalings = fit_scalings(bunch.taps, bunch.train, None)
    parts = [scaled(bunch.taps, scalings, rows) for rows in (bunch.train, bunch.validation)]
    taps = torch.tensor(np.concatenate([np.stack(list(part.values()), 1) for part in parts]))
    target = torch.eye(2)[torch.tensor(bunch.target[np.concatenate([bunch.train, bunch.validation])])]
    fold = torch.tensor(np.repeat([-1, 0], [len(bunch.train), len(bunch.validation)]))
    data = TrainingData(
        Batch({TAPS: taps}, torch.ones(len(taps), 2, dtype=torch.bool), target, fold),
        DataSpec({"a": (16,), "b": (16,)}, 2, "classification"),
    )
    space = TapSpace({"a": 6, "b": 6})
    right = {}
    for operator in ("bilinear", "concat"):
        net = PairHeads(
            [(pair,) for pair in space.all()],
            list(scalings),
            16,
            2,
            operator,
            generator=torch.Generator().manual_seed(0),
        )
        Trainer(epochs=30, batch_size=256, learning_rate=1e-2, weight_decay=1e-3, schedule="cosine", threads=1).run(
            net, data, 0
        )
        with torch.no_grad():
            found = net({TAPS: taps[fold == 0].float()}, torch.ones(1000, 2, dtype=torch.bool)).argmax(2)
        right[operator] = (found == target[fold == 0].argmax(1)).float().mean(1).numpy()
    best = space.all()[int(right["bilinear"].argmax())]
    assert (best.first, best.i, best.second, best.j) == bunch.planted[0]
    assert right["bilinear"].max() > 0.9
    assert np.abs(right["concat"] - 0.5).max() < 0.07
