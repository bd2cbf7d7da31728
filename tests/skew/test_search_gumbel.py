"""Choices of taps that are learned: draws, gradients and prices by their formulas, and the planted pairs."""

import numpy as np
import pytest
import torch
from planted_judges import closed, noise, numbers, planted, values

from plait.data.batches import Batch
from plait.nn.criteria import SquaredError
from plait.skew.heads import TAPS
from plait.skew.searches.gumbel import Gumbel, gumbel_selection
from plait.skew.searches.gumbel_net import JOINS, TapChoice, sides
from plait.skew.searches.ramp import Ramp, of_steps
from plait.skew.space import Pair
from plait.training.trainer import Trainer

FAST = Trainer(batch_size=128, learning_rate=3e-2, weight_decay=0.0, patience=None)
TAPS_OF = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 3)]


def choice(slots=1, operator="bilinear", temperature=(2.0, 0.3), penalty=0.0, seed=0, units=2):
    """A network over 2 + 3 taps of width 4, with 3 outputs, in double precision."""
    allowed = sides([("a", "b")] * units, TAPS_OF)
    generator = torch.Generator().manual_seed(seed)
    ramp = Ramp(*temperature, 10)
    return TapChoice(allowed, slots, 4, 3, operator, 5, ramp, penalty, generator=generator).double()


def drawn(n=7, seed=0):
    taps = torch.randn(n, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return {TAPS: taps}, torch.ones(n, 2, dtype=torch.bool)


def test_a_ramp_goes_by_equal_factors():
    """From the first value to the last, and stays there."""
    ramp = Ramp(2.0, 0.5, 5)
    np.testing.assert_allclose([ramp(step) for step in range(7)], [2, 2**0.5, 1, 0.5**0.5, 0.5, 0.5, 0.5])
    assert Ramp(2.0, 0.5, 1)(0) == 2.0


@pytest.mark.parametrize(
    ("samples", "steps", "taken", "epochs", "seen"),
    [(2000, 800, 800, 100, 2000), (100, 20, 20, 20, 100), (2100, 800, 801, 89, 2100), (10**6, 800, 800, 1, 204800)],
)
def test_steps_are_whole_epochs(samples, steps, taken, epochs, seen):
    """At least as many as asked for; an epoch that would be longer than all is cut short."""
    trainer, found = of_steps(Trainer(batch_size=256), steps, samples)
    assert (found, trainer.epochs, trainer.epoch_samples) == (taken, epochs, seen)


@pytest.mark.parametrize("operator", JOINS)
def test_in_evaluation_it_is_a_head_on_the_likeliest_taps(operator):
    """Projected tap by tap, joined, the mean over slots, then the linear head."""
    net = choice(2, operator).eval()
    with torch.no_grad():
        net.choice[1, 0, 0, 1] = net.choice[1, 0, 1, 4] = net.choice[1, 1, 1, 3] = 1
    features, present = drawn()
    assert net.chosen()[1].tolist() == [[1, 4], [0, 3]]

    def projected(tap):
        return features[TAPS][:, tap] @ net.project.weight[1, tap] + net.project.bias[1, tap]

    both = {"sum": lambda a, b: a + b, "bilinear": lambda a, b: a * b}[operator]
    joint = (both(projected(1), projected(4)) + both(projected(0), projected(3))) / 2
    expected = joint @ net.head.weight[1] + net.head.bias[1]
    torch.testing.assert_close(net(features, present)[1], expected)
    torch.testing.assert_close(net({TAPS: features[TAPS][2:3]}, present[2:3])[:, 0], net(features, present)[:, 2])


def test_draws_follow_the_logits():
    """Shares of 20,000 draws are the softmax of the logits at any temperature, of allowed taps alone."""
    net = choice(slots=40_000, units=1)
    with torch.no_grad():
        net.choice += torch.tensor([0.2, -0.1, 0.3, 0.0, -0.3])
    for net.steps in (0, 9):
        shares = net._drawn().detach().mean((0, 1))
        expected = net.logits[0, 0].softmax(1)
        torch.testing.assert_close(shares, expected, atol=0.015, rtol=0)
        assert shares[0, 2:].abs().max() < 1e-12


def test_draws_are_one_hot_forward_and_soft_backward():
    """The values are 0 and 1; the gradient is that of a softmax, never of a tap that is not allowed."""
    torch.manual_seed(0)
    net = choice()
    one = net._drawn()
    torch.testing.assert_close(one.detach().round(), one.detach())
    torch.testing.assert_close(one.sum(3).detach(), torch.ones(2, 1, 2, dtype=torch.float64))
    (one * torch.randn_like(one)).sum().backward()
    slope = net.choice.grad
    assert (slope[:, :, 0, :2] != 0).all()
    assert (slope[:, :, 1, 2:] != 0).all()
    assert (slope[:, :, 0, 2:] == 0).all()
    torch.testing.assert_close(slope.sum(3), torch.zeros(2, 1, 2, dtype=torch.float64))


def test_logits_move_three_times_as_fast_as_what_is_learned():
    """So that one rate of Adam is 1e-2 for weights and 3e-2 for logits."""
    net = choice()
    with torch.no_grad():
        net.choice += 0.5
    torch.testing.assert_close(net.logits[0, 0, 0, :2], torch.tensor([1.5, 1.5], dtype=torch.float64))
    assert (net.logits[0, 0, 0, 2:] == -torch.inf).all()


def test_the_price_is_the_probability_to_choose_alike():
    """Of uniform choices over 2 and 3 taps 1/6 for each two slots; 1 for two that are sure and equal."""
    net = choice(slots=3)
    torch.testing.assert_close(net.alike(), torch.full((2,), 3 / 6, dtype=torch.float64))
    with torch.no_grad():
        net.choice[0, :2, 0, 0] = net.choice[0, :2, 1, 2] = 30
        net.choice[0, 2, 0, 1] = net.choice[0, 2, 1, 3] = 30
    torch.testing.assert_close(net.alike()[0], torch.tensor(1.0, dtype=torch.float64))
    assert not choice(slots=1).alike().detach().any()


def test_the_objective_adds_the_price_and_counts_steps():
    """Loss of the task plus penalty; the temperature falls with every step."""
    target = torch.zeros(7, 3, dtype=torch.float64)
    batch = Batch(*drawn(), target, torch.full((7,), -1))
    dear, free = choice(3, penalty=2.0), choice(3)
    found = [net.eval().objective(batch, SquaredError()) for net in (dear, free)]
    torch.testing.assert_close(found[0] - found[1], torch.full((2,), 1.0, dtype=torch.float64))
    assert (dear.steps, free.temperature(free.steps)) == (1, pytest.approx(2 * 0.15 ** (1 / 9)))


def test_the_planted_pair_is_chosen():
    """ADD: by every run, and it goes into the selection rule with the scores of heads of its own."""
    judge, bunch = planted("add")
    tried = gumbel_selection(judge, closed(judge, "concat"), Gumbel("sum", restarts=2, steps=100, trainer=FAST))
    assert tried.pairs == (tried.chosen,)
    assert numbers(tried.chosen) == set(bunch.planted)
    assert tried.history["pairs"].tolist() == ["a@3 + b@1"] * 2
    assert tried.search(judge).selection.verdict == "skew pair"


@pytest.mark.slow
@pytest.mark.parametrize(("task", "how"), [("add", "sum"), ("decoy", "sum"), ("xor", "bilinear")])
@pytest.mark.parametrize("seed", range(3))
def test_planted_pairs_are_chosen(task, how, seed):
    """In every one of two runs: complementary taps, a decoy that is the best single tap, synergy."""
    judge, bunch = planted(task, "small", seed)
    scan = closed(judge, {"sum": "concat", "bilinear": "outer"}[how])
    tried = gumbel_selection(judge, scan, Gumbel(how, restarts=2, random_state=seed))
    assert tried.pairs == (tried.chosen,)
    assert numbers(tried.chosen) == set(bunch.planted)


@pytest.mark.slow
def test_two_planted_pairs_are_chosen():
    """MULTI, with two slots: both pairs, none twice."""
    judge, bunch = planted("multi", "small")
    tried = gumbel_selection(judge, closed(judge, "outer"), Gumbel(restarts=2, most=2))
    assert numbers(tried.chosen) == set(bunch.planted)


def test_the_right_two_of_three_modalities_are_chosen():
    """TRI: every two modalities have their runs, and scores decide between them."""
    judge, bunch = planted("tri")
    tried = gumbel_selection(judge, closed(judge, "concat"), Gumbel("sum", restarts=1, steps=100, trainer=FAST))
    assert len(tried.history) == 3
    assert numbers(tried.chosen) == set(bunch.planted)


def test_values_and_unequal_depths():
    """Regression with 3 and 2 taps: the planted pair."""
    judge = values()
    tried = gumbel_selection(judge, closed(judge, "concat"), Gumbel("sum", restarts=1, steps=100, trainer=FAST))
    assert tried.chosen == (Pair("a", 2, "b", 1),)


def test_the_same_seed_gives_the_same_choices():
    """Runs and scores; runs draw for themselves."""
    judge = noise({"a": 4, "b": 5})
    how = Gumbel(restarts=6, steps=20, random_state=3)
    one, two = (gumbel_selection(judge, closed(judge, "outer"), how) for _ in range(2))
    assert one.history.equals(two.history)
    assert one.history["pairs"].nunique() > 1
    assert len(one.sets) == one.history["pairs"].nunique()


@pytest.mark.parametrize(
    "wrong", [{"operator": "mlp"}, {"most": 0}, {"steps": 0}, {"temperatures": (0.0, 1.0)}, {"penalty": -1.0}]
)
def test_settings_out_of_range_are_told(wrong):
    """By their name."""
    judge = noise({"a": 1, "b": 1})
    with pytest.raises(ValueError, match=next(iter(wrong))):
        gumbel_selection(judge, closed(judge, "concat"), Gumbel(**wrong))
