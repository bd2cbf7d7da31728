"""Every unit's gradient is held within a norm by itself."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from plait.nn.criteria import criterion_for
from plait.nn.module import FusionModule
from plait.training.clipping import Clipping
from tiny import course, fresh_cohort, of_unit, same, samples, weights

LABELS = {"a": ("identity", "encoder-2", "null"), "b": ("module",)}


class Alone(FusionModule):
    """A module of one unit, with parameters of several shapes."""

    def __init__(self):
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        shapes = {"number": (), "row": (3,), "picture": (2, 3, 4), "unused": (2,), "fixed": (2,)}
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.randn(shape, generator=draw, dtype=torch.float64)))
        self.fixed.requires_grad = False

    def forward(self, features, present):
        return self.row.expand(len(present), -1)


def gradients(module):
    return {name: part.grad.clone() for name, part in module.named_parameters() if part.grad is not None}


@pytest.mark.parametrize("limit", [1e-3, 1.0, 5.0, 1e6])
def test_one_unit_is_clipped_as_torch_does(limit):
    """Numbers, rows and pictures, whatever has no gradient left out; 1e-15 in double precision."""
    ours, theirs = Alone(), Alone()
    for module in (ours, theirs):
        (module.number**3 + module.row.square().sum() + 2 * module.picture.exp().sum()).backward()
    Clipping(ours, limit)()
    clip_grad_norm_(theirs.parameters(), limit)
    found, expected = gradients(ours), gradients(theirs)
    assert set(found) == {"number", "row", "picture"}
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-14, atol=0)


def test_nothing_to_clip_is_nothing_done():
    """A step in which no parameter has a gradient."""
    module = Alone()
    Clipping(module, 1.0)()
    assert gradients(module) == {}


def stepped(limit, scale=None):
    """A cohort of students with encoders and users' modules in two copies, after a backward pass and clipping.

    Args:
        scale: Times the loss of unit 3, 0 is no change.
    """
    torch.manual_seed(0)
    user = nn.Sequential(nn.Flatten(), nn.Linear(6, 3))
    data, cohort = fresh_cohort(LABELS, encoders={"b": user}, folds=2, rhos=(0.0, 1.0))
    losses = cohort.objective(data.samples, criterion_for(data.spec))
    if scale is not None:
        losses = losses * torch.where(torch.arange(cohort.units) == 3, scale, 1.0)
    losses.sum().backward()
    before = gradients(cohort)
    Clipping(cohort, limit)()
    return cohort, before, gradients(cohort)


def test_every_unit_of_a_cohort_is_clipped_by_its_own_norm():
    """As torch would, unit by unit: those above the norm come down to it, the others stay bit for bit."""
    cohort, before, after = stepped(1.0)
    norms = []
    for unit in range(cohort.units):
        mine, found = of_unit(cohort, before, unit), of_unit(cohort, after, unit)
        alone = [nn.Parameter(torch.zeros_like(part)) for part in mine.values()]
        for parameter, gradient in zip(alone, mine.values(), strict=True):
            parameter.grad = gradient.clone()
        norms.append(float(clip_grad_norm_(alone, 1.0)))
        for parameter, name in zip(alone, mine, strict=True):
            torch.testing.assert_close(found[name], parameter.grad, rtol=1e-5, atol=0)
            assert norms[-1] > 1 or torch.equal(found[name], mine[name])
    assert min(norms) < 1 < max(norms)


@pytest.mark.parametrize("scale", [0.0, 1e6, float("nan")])
def test_a_unit_does_not_feel_the_gradients_of_others(scale):
    """One whose loss vanishes, explodes or is no number: all others are clipped as before, bit for bit."""
    cohort, _, plain = stepped(1.0)
    _, _, found = stepped(1.0, scale)
    for unit in range(cohort.units):
        mine, other = of_unit(cohort, plain, unit), of_unit(cohort, found, unit)
        assert all(torch.equal(mine[name], other[name]) for name in mine) == (unit != 3)


def trained(**settings):
    data, cohort = fresh_cohort(LABELS, encoders={"b": nn.Sequential(nn.Flatten(), nn.Linear(6, 3))}, folds=2)
    course(data, **settings).run(cohort, 1, "training")
    return weights(cohort)


def test_the_trainer_clips():
    """A norm that is never reached changes nothing, bit for bit; a small one does."""
    torch.manual_seed(0)
    state = torch.get_rng_state()
    ends = []
    for clip in (None, 1e9, 1e-3):
        torch.set_rng_state(state)
        ends.append(trained(clip=clip))
    assert same(ends[0], ends[1])
    assert not same(ends[0], ends[2])


def test_parameters_of_no_unit_are_left_alone():
    """Those that the module does not list among its owners."""

    class Shared(Alone):
        def owners(self):
            return {"row": 0}

    module = Shared()
    (100 * module.row.sum() + 100 * module.number).backward()
    Clipping(module, 1.0)()
    assert float(module.number.grad) == 100
    assert float(module.row.grad.norm()) == pytest.approx(1.0, abs=1e-6)


def test_a_step_is_that_of_the_clipped_gradient():
    """Where the optimiser has no memory yet and one step is taken, Adam hides the scale: its memory does not."""
    data, module = samples(outputs=3, dtype=torch.float64), Alone()
    memory = {}
    for clip in (None, 0.5):
        one = copy.deepcopy(module)
        one.objective = lambda batch, criterion, one=one: (one.row - 7).square().sum().reshape(1)
        result = course(data, epochs=1, batch_size=100, clip=clip).run(one, 1, "training", keep_moments=True)
        memory[clip] = result.moments.first["row"]
    torch.testing.assert_close(memory[0.5] / memory[0.5].norm(), memory[None] / memory[None].norm())
    assert float(memory[0.5].norm()) == pytest.approx(0.1 * 0.5, rel=1e-5)  # one minus the decay, times the norm
