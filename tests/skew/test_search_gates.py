"""Gates of pairs: the formulas and their limits, the gated sum as a plain loop, and the shortlist."""

from dataclasses import replace

import pytest
import torch
from planted_judges import closed, noise, numbers, planted, values

from plait.data.batches import Batch
from plait.nn.criteria import SquaredError
from plait.skew.heads import TAPS
from plait.skew.searches.gate_net import GATED, GatedPairs
from plait.skew.searches.gate_search import Gates, gate_shortlist, gated_elimination
from plait.skew.searches.gates import drawn_gates, open_probability, settled_gates
from plait.skew.searches.ramp import Ramp
from plait.skew.space import Pair, TapSpace
from plait.training.trainer import Trainer

FAST = Trainer(batch_size=128, learning_rate=3e-2, weight_decay=0.0, patience=None)
SPACE = TapSpace({"a": 2, "b": 3, "c": 1})
TAPS_OF = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 3), ("c", 1)]
LIMITS = torch.tensor([-1e4, 1e4], dtype=torch.float64)


def test_a_gate_at_its_limits_is_shut_or_open():
    """Log alpha at minus or plus infinity: 0 or 1, drawn or not, with probability 0 or 1 to be open."""
    uniform = torch.tensor([0.001, 0.5, 0.999], dtype=torch.float64)[:, None].expand(3, 2)
    for found in (drawn_gates(LIMITS.expand(3, 2), uniform), settled_gates(LIMITS), open_probability(LIMITS)):
        torch.testing.assert_close(found, torch.tensor([0.0, 1.0], dtype=torch.float64).expand_as(found))


@pytest.mark.parametrize("log_alpha", [-4.0, -1.6, 0.0, 1.0, 3.0])
def test_the_probability_to_be_open_is_that_of_draws(log_alpha):
    """The share of 100,000 draws that are not 0, within a hundredth."""
    uniform = torch.rand(100_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value = torch.tensor(log_alpha, dtype=torch.float64)
    drawn = drawn_gates(value.expand(100_000), uniform)
    assert float((drawn != 0).double().mean()) == pytest.approx(float(open_probability(value)), abs=0.01)
    assert float(drawn.min()) >= 0
    assert float(drawn.max()) <= 1


def test_the_formulas_are_those_of_the_paper():
    """One gate by hand: u = 0.3, log alpha = 0.7."""
    s = 1 / (1 + ((0.7 / 0.3) * 2.718281828459045**-0.7) ** 1.5)
    found = drawn_gates(torch.tensor(0.7, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64))
    assert float(found) == pytest.approx(1.2 * s - 0.1)
    settled = settled_gates(torch.tensor(0.7, dtype=torch.float64))
    assert float(settled) == pytest.approx(1.2 / (1 + 2.718281828459045**-0.7) - 0.1)
    half = open_probability(torch.tensor(0.0, dtype=torch.float64))
    assert float(half) == pytest.approx(1 / (1 + (0.1 / 1.1) ** (2 / 3)))


def gated(operator="bilinear", units=2, price=(0.1, 0.4)):
    generator = torch.Generator().manual_seed(0)
    net = GatedPairs(SPACE.all(), TAPS_OF, units, 4, 3, operator, 5, Ramp(*price, 3), generator=generator).double()
    with torch.no_grad():
        net.log_alpha += torch.randn(net.log_alpha.shape, dtype=torch.float64, generator=generator)
    return net


def drawn(n=7):
    taps = torch.randn(n, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return {TAPS: taps}, torch.ones(n, 3, dtype=torch.bool)


@pytest.mark.parametrize("operator", GATED)
def test_the_gated_sum_is_a_loop_over_all_pairs(operator):
    """Of three modalities with unequal depths: every pair's joint vector times its gate."""
    net = gated(operator).eval()
    features, present = drawn()
    gates = settled_gates(net.log_alpha)[1]

    def projected(tap):
        place = TAPS_OF.index(tap)
        return features[TAPS][:, place] @ net.project.weight[1, place] + net.project.bias[1, place]

    both = {"sum": lambda a, b: a + b, "bilinear": lambda a, b: a * b}[operator]
    joint = sum(
        gate * both(projected((pair.first, pair.i)), projected((pair.second, pair.j)))
        for gate, pair in zip(gates, SPACE.all(), strict=True)
    )
    torch.testing.assert_close(net(features, present)[1], joint @ net.head.weight[1] + net.head.bias[1])
    alone = net({TAPS: features[TAPS][:1]}, present[:1])
    torch.testing.assert_close(alone[:, 0], net(features, present)[:, 0])


def test_the_objective_adds_the_price_of_open_gates():
    """The expected number of them, at a price that rises step by step."""
    net = gated().eval()
    features, present = drawn()
    batch = Batch(features, present, torch.zeros(7, 3, dtype=torch.float64), torch.full((7,), -1))
    loss = SquaredError().loss(net(features, present), batch.target)
    expected = open_probability(net.log_alpha).sum(1)
    for price in (0.1, 0.2, 0.4, 0.4):
        torch.testing.assert_close(net.objective(batch, SquaredError()), loss + price * expected)


def test_gates_are_drawn_in_training_alone():
    """Two passes differ in training, and the price shuts gates by its gradient."""
    net = gated()
    features, present = drawn()
    assert not torch.equal(net.train()(features, present), net(features, present))
    assert torch.equal(net.eval()(features, present), net(features, present))
    batch = Batch(features, present, torch.zeros(7, 3, dtype=torch.float64), torch.full((7,), -1))
    with torch.no_grad():
        net.head.weight.zero_()
    net.objective(batch, SquaredError()).sum().backward()
    assert (net.log_alpha.grad > 0).all()


def test_planted_pairs_are_on_the_shortlist():
    """ADD: and elimination keeps the pair alone."""
    judge, bunch = planted("add")
    how = Gates("sum", restarts=1, steps=100, prices=(0.02, 0.3), trainer=FAST)
    tried = gated_elimination(judge, closed(judge, "concat"), how)
    (planted_pair,) = bunch.planted
    assert str(Pair(*planted_pair)) in tried.history["pairs"][0].split("; ")
    assert numbers(tried.chosen) == set(bunch.planted)
    assert tried.history["size"].iloc[-1] == 1


@pytest.mark.slow
@pytest.mark.parametrize("task", ["xor", "multi"])
@pytest.mark.parametrize("seed", range(2))
def test_planted_synergy_is_left_by_elimination(task, seed):
    """XOR and MULTI with one run: exactly the planted pairs after heads were fitted anew."""
    judge, bunch = planted(task, "small", seed)
    tried = gated_elimination(judge, closed(judge, "outer"), Gates(restarts=1, random_state=seed))
    assert numbers(tried.chosen) == set(bunch.planted)


def test_a_price_that_shuts_every_gate_leaves_the_last_ones():
    """Of pure noise, which is worth nothing: never an empty list, and not all pairs either."""
    judge = noise({"a": 3, "b": 3})
    how = Gates(restarts=2, steps=30, prices=(0.05, 5.0), trainer=replace(FAST, learning_rate=0.2))
    found = gate_shortlist(judge, how)
    assert 1 <= len(found) < 9
    assert found == gate_shortlist(judge, how)


def test_elimination_begins_with_few():
    """No more pairs than asked for: the best by themselves."""
    judge = values()
    tried = gated_elimination(judge, closed(judge, "concat"), Gates("sum", restarts=1, steps=1), most=2)
    first = tried.history["pairs"][0].split("; ")
    assert len(first) == 2
    order = judge.sets("concat", [(pair,) for pair in judge.space.all()]).values.argsort()
    assert set(first) == {str(judge.space.all()[row]) for row in order[-2:]}
    assert tried.chosen == (Pair("a", 2, "b", 1),)


@pytest.mark.parametrize("wrong", [{"operator": "mlp"}, {"restarts": 0}, {"prices": (0.0, 1.0)}])
def test_settings_out_of_range_are_told(wrong):
    """By their name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        gate_shortlist(noise({"a": 1, "b": 1}), Gates(**wrong))
