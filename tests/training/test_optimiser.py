"""The optimiser of many units at once is one Adam for each of them."""

import pytest
import torch
from torch import nn

from plait.nn.module import FusionModule
from plait.training.optimiser import Moments, moment_tensors, stacked_optimiser, unit_optimiser

SETTINGS = {"lr": 0.05, "weight_decay": 0.1}


class Units(FusionModule):
    """Three units: a row of a matrix each, a number of the second unit's own, and one that is not trained."""

    units = 3

    def __init__(self):
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        self.rows = nn.Parameter(torch.randn(3, 2, generator=draw, dtype=torch.float64))
        self.number = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
        self.fixed = nn.Parameter(torch.ones(3, 2, dtype=torch.float64), requires_grad=False)

    def forward(self, features, present):
        return self.rows[:, None]

    def losses(self, step):
        """One loss a unit, another one at every step."""
        own = (self.rows - step).square().sum(1)
        return own + torch.tensor([0, 1, 0]) * (self.number + step).square()

    def owners(self):
        return {"rows": torch.arange(3), "number": 1, "fixed": torch.arange(3)}


def train(module, optimiser, steps):
    for step in range(steps):
        optimiser.zero_grad()
        module.losses(step).sum().backward()
        optimiser.step()


def separate(unit, steps, start=None):
    """Unit's parameters after so many steps of a torch optimiser of its own, and the optimiser."""
    module = Units()
    own = [nn.Parameter(module.rows[unit].detach().clone())] + [module.number] * (unit == 1)
    optimiser = torch.optim.AdamW(own, **SETTINGS)
    if start is not None:
        optimiser.load_state_dict(start)
    for step in range(steps):
        loss = (own[0] - step).square().sum() + sum((number + step).square() for number in own[1:])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return own, optimiser


def test_one_optimiser_for_all_is_one_for_each():
    """Decoupled weight decay included, 1e-15 in double precision."""
    module = Units()
    train(module, stacked_optimiser(module, 0.05, 0.1), 7)
    for unit in range(3):
        own, _ = separate(unit, 7)
        torch.testing.assert_close(module.rows[unit], own[0], rtol=0, atol=1e-15)
    torch.testing.assert_close(module.number, separate(1, 7)[0][1], rtol=0, atol=1e-15)


def test_every_unit_goes_on_with_its_own_memory_and_step_count():
    """Units that had taken 0, 3 and 8 steps equal torch optimisers continued from their saved states."""
    taken, states = [0, 3, 8], []
    module = Units()
    first = {"rows": torch.zeros(3, 2).double(), "number": torch.zeros(()).double()}
    second = {name: tensor.clone() for name, tensor in first.items()}
    for unit, steps in enumerate(taken):
        own, optimiser = separate(unit, steps)
        states.append(optimiser.state_dict())
        for name, parameter in zip(("rows", "number"), own, strict=False):
            if steps:
                place = unit if name == "rows" else ...
                first[name][place] = optimiser.state[parameter]["exp_avg"]
                second[name][place] = optimiser.state[parameter]["exp_avg_sq"]
    moments = Moments(first | {"fixed": torch.zeros(3, 2)}, second | {"fixed": torch.zeros(3, 2)}, torch.tensor(taken))
    train(module, unit_optimiser(module, moments, 0.05, 0.1), 5)
    for unit, state in enumerate(states):
        own, _ = separate(unit, 5, state)
        torch.testing.assert_close(module.rows[unit], own[0], rtol=0, atol=1e-15)
        if unit == 1:
            torch.testing.assert_close(module.number, own[1], rtol=0, atol=1e-15)


@pytest.mark.parametrize("continued", [False, True])
def test_parameters_that_are_not_trained_do_not_decay(continued):
    """Weight decay passes them by, whether training starts or goes on."""
    module = Units()
    moments = Moments(*empty(module))
    optimiser = unit_optimiser(module, moments, 0.05, 0.1) if continued else stacked_optimiser(module, 0.05, 0.1)
    before = module.rows.detach().clone()
    train(module, optimiser, 3)
    assert torch.equal(module.fixed, torch.ones(3, 2).double())
    assert not torch.equal(module.rows, before)


def empty(module):
    """The memory of an optimiser that has not taken a step."""
    zeros = {name: torch.zeros_like(parameter) for name, parameter in module.named_parameters()}
    return zeros, zeros, torch.zeros(3, dtype=torch.long)


def test_an_empty_memory_is_a_fresh_start():
    """Unit by unit from nothing is the stacked optimiser."""
    stacked, apart = Units(), Units()
    train(stacked, stacked_optimiser(stacked, 0.05, 0.1), 6)
    train(apart, unit_optimiser(apart, Moments(*empty(apart)), 0.05, 0.1), 6)
    for one, other in zip(stacked.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-15)


def test_the_memory_is_live():
    """Zeros before the first step; afterwards what the optimiser holds, under the parameter's name."""
    module = Units()
    optimiser = stacked_optimiser(module, 0.05, 0.1)
    memory = moment_tensors(module, optimiser)
    assert set(memory) == {f"{name}/{kind}" for name in ("rows", "number", "fixed") for kind in ("first", "second")}
    assert not any(tensor.any() for tensor in memory.values())
    train(module, optimiser, 2)
    assert torch.equal(memory["rows/first"], optimiser.state[module.rows]["exp_avg"])
    assert torch.equal(memory["rows/second"], optimiser.state[module.rows]["exp_avg_sq"])
    assert memory["rows/second"].all()
