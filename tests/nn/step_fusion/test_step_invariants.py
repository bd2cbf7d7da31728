"""What holds exactly for a step block, in the order of the specification's list (7.1, items 1 to 10)."""

import itertools
import math

import pytest
import torch
from small_blocks import (
    BATCH,
    SCHEDULES,
    WIDTH,
    block,
    drawn,
    furthest,
    holes,
    largest,
    lively,
    names,
    padding,
    tokens,
)

from plait.nn.step_fusion.block import StepFusionBlock
from plait.nn.step_fusion.cayley import CayleyRotation, cayley
from plait.nn.step_fusion.starting import Start

STILL = {"film": {"shift": "film"}, "toward": {"shift": "toward", "beta_init": -math.inf}}


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("shift", STILL)
def test_fresh_steps_change_nothing(shift, schedule, steps, gaps):
    """7.1-1: bit for bit, and the joint state is the mean of the modalities."""
    made, values = block(3, schedule=schedule, steps=steps, **STILL[shift]), tokens(3)
    present, valid = (holes(count=3), padding(values)) if gaps else (None, None)
    found = made.fuse(values, present, valid)
    for place, name in enumerate(names(3)):
        expected = values[name] * found.valid[name][..., None]
        assert torch.equal(found.tokens[name], expected)
        counts = found.valid[name].sum(1, keepdim=True).clamp(min=1)
        torch.testing.assert_close(found.pooled[:, place], expected.sum(1) / counts)
    mean = found.pooled.sum(1) / found.present.sum(1, keepdim=True)
    assert largest(found.joint, mean) < 1e-15


def quiet(made, *parts):
    """The block with the named parts of every step at zero."""
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if any(part in name for part in parts):
                parameter.zero_()
    return made


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_forced_identity_is_the_identity(schedule):
    """7.1-2: s = 1, R = I, delta = D = beta = 0 give back the tokens whatever the other weights are."""
    made = lively(schedule=schedule, alpha=0.0, beta_init=-math.inf)
    values = tokens()
    assert furthest(made.fuse(values).tokens, values) > 0.1
    quiet(made, "displacement", "rotation", "local.out")
    assert furthest(made.fuse(values).tokens, values) == 0


@pytest.mark.parametrize("alpha", [0.1, math.log(2), 2.0])
def test_zoom_bounds_the_norm_of_every_token(alpha):
    """7.1-2: with zoom and rotation alone, norms stay within factors exp(-alpha) and exp(alpha) an update."""
    made = quiet(lively(steps=2, alpha=alpha, shift="film", local=False, init_scale=3.0), "displacement")
    values = tokens()
    found = made.fuse(values).tokens
    ratios = torch.cat([(found[name].norm(dim=2) / values[name].norm(dim=2)).flatten() for name in values])
    assert ratios.min() >= math.exp(-alpha) - 1e-12
    assert ratios.max() <= math.exp(alpha) + 1e-12
    assert ratios.max() > 1 + alpha / 10


def test_rotations_stay_orthogonal_through_training():
    """7.1-3: ||R R' - I|| < 1e-12 and det R = 1, before and after 100 steps; the gradient is finite."""
    layer = CayleyRotation(6, Start(torch.Generator().manual_seed(0), 1.0)).double()
    optimiser, aim = torch.optim.Adam(layer.parameters(), 0.05), drawn(6, 6)
    for _ in range(100):
        optimiser.zero_grad()
        (layer() - aim).square().sum().backward()
        assert torch.isfinite(layer.free.grad).all()
        optimiser.step()
    for matrix in (layer(), cayley(drawn(6, 6) * 100), cayley(torch.zeros(6, 6, dtype=torch.float64))):
        assert largest(matrix @ matrix.T, torch.eye(6, dtype=torch.float64)) < 1e-12
        assert torch.linalg.det(matrix).item() == pytest.approx(1, abs=1e-12)


def dead(made, values, exempt=()):
    """Names of parameters without gradient of a random projection of z."""
    made.zero_grad()
    found = made(values).z
    (found * drawn(*found.shape, seed=9)).sum().backward()
    none = [name for name, each in made.named_parameters() if each.grad is None or not each.grad.abs().max() > 0]
    return [name for name in none if not name.endswith(("null", *exempt))]


OPTIONS = [
    {},
    {"shift": "film"},
    {"beta": "feature"},
    {"beta": "context"},
    {"guides": "learned"},
    {"use_global": False},
    {"joint": "mean"},
    {"joint": "tokens"},
    {"pool": "attention"},
    {"rotation": "dense"},
    {"rotation": "none"},
    {"local": False},
    {"alpha": 0.0},
    {"zoom": "linear"},
    {"share_steps": True},
    {"share_modalities": True},
    {"variant": "literal"},
    {"variant": "literal", "phi": "none", "joint": "mean"},
    {"schedule": "sequential"},
    {"schedule": "parallel"},
    {"schedule": "parallel", "share_steps": True, "share_modalities": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_no_parameter_is_dead(options):
    """7.1-4: all parameters get gradients, except null vectors and what moves a joint state that nobody reads."""
    made = lively(3, size=5, **{"steps": 4, **options})
    assert not dead(made, tokens(3, size=5, lengths=dict.fromkeys("abc", 3)))
    if made.course.pace is not None:
        moved = (made.course.pace.grad != 0).tolist()
        assert all(moved[:-1])
        assert moved[-1] == (options.get("joint") != "tokens")


def test_only_heads_learn_in_the_first_step_of_a_fresh_block():
    """7.1-4: what feeds zero-started heads waits for them, and gets its gradient after one step of the optimiser."""
    values = tokens(2, size=5)
    made = block(size=5, shift="film", steps=2)
    waiting = dead(made, values)
    assert {name.split(".")[-2] for name in waiting} >= {"context", "query", "memory", "norm_target", "norm_guides"}
    assert not any(
        part in name for name in waiting for part in ("displacement", "rotation", "local.out", "guidance.zoom")
    )
    torch.optim.SGD(made.parameters(), 0.1).step()
    assert not dead(made, values)


@pytest.mark.parametrize("joint", ["concat", "mean", "tokens"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_gradients_reach_every_modality(schedule, joint):
    """7.1-5: from z to all inputs."""
    values = {name: one.requires_grad_() for name, one in tokens(3).items()}
    found = lively(3, schedule=schedule, joint=joint)(values).z
    (found * drawn(*found.shape)).sum().backward()
    assert all(one.grad.abs().amax((1, 2)).min() > 0 for one in values.values())


def test_a_target_learns_from_its_guides_unless_they_are_cut_off():
    """7.1-5: the moved modality depends on both, the other one on itself; with a detached guide only on itself."""
    made, values = lively(steps=1), {name: one.requires_grad_() for name, one in tokens().items()}

    def slopes(name, given):
        grads = torch.autograd.grad(made.fuse(given).tokens[name].sum(), [*values.values()], allow_unused=True)
        return [None if grad is None else grad.abs().max().item() > 0 for grad in grads]

    assert slopes("a", values) == [True, True]
    assert slopes("b", values)[0] is not True
    assert slopes("a", {**values, "b": values["b"].detach()}) == [True, None]


@pytest.mark.parametrize("count", [2, 3])
def test_shared_parallel_steps_do_not_tell_modalities_apart(count):
    """7.1-6: permuting the modalities permutes the tokens and leaves z as it is."""
    made, values = lively(count, schedule="parallel", share_modalities=True, joint="mean"), tokens(count)
    found = made.fuse(values)
    for order in itertools.permutations(names(count)):
        other = made.fuse({name: values[source] for name, source in zip(names(count), order, strict=True)})
        assert largest(other.z, found.z) < 1e-12
        for name, source in zip(names(count), order, strict=True):
            assert largest(other.tokens[name], found.tokens[source]) < 1e-12


@pytest.mark.parametrize("schedule", ["alternate", "sequential"])
def test_steps_in_turns_tell_modalities_apart(schedule):
    """7.1-6: who is moved first matters, even with shared weights."""
    made, values = lively(schedule=schedule, share_modalities=True, joint="mean"), tokens()
    swapped = made.fuse({"a": values["b"], "b": values["a"]})
    assert largest(swapped.z, made.fuse(values).z) > 1e-3


@pytest.mark.parametrize("joint", ["concat", "mean"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_names_of_modalities_carry_no_meaning(schedule, joint):
    """7.1-6: relabelling together with the order and the weights of the modalities leaves z as it is."""
    order, listed, relisted = ["b", "c", "a"], ["a", "b", "c"], ["c", "a", "b"]
    one = lively(3, size=5, schedule=schedule, joint=joint, order=order)
    options = {"width": WIDTH, "heads": 2, "dropout": 0.0, "schedule": schedule, "joint": joint, "order": order}
    other = StepFusionBlock(dict.fromkeys(relisted, 5), **options).double()
    places = [listed.index(name) for name in relisted]
    state = one.state_dict()
    moved = dict(state)
    for new, old in enumerate(places):
        for part in ("linear.weight", "linear.bias", "norm.weight", "norm.bias", "mark"):
            moved[f"projections.{new}.{part}"] = state[f"projections.{old}.{part}"]
    if joint == "concat":
        columns = state["join.linear.weight"].split(WIDTH, 1)
        moved["join.linear.weight"] = torch.cat([*(columns[old] for old in places), columns[-1]], 1)
    if schedule == "parallel":  # weights are held target by target
        for name in [name for name in state if name.startswith("course.steps.")]:
            head, number, rest = name.split(".", 3)[1], int(name.split(".")[2]), name.split(".", 3)[3]
            turn, new = divmod(number, 3)
            moved[name] = state[f"course.{head}.{3 * turn + places[new]}.{rest}"]
    other.load_state_dict(moved)
    values = tokens(3, size=5)
    assert largest(other(values).z, one(values).z) < 1e-12


@pytest.mark.parametrize("gaps", [False, True])
def test_samples_do_not_influence_each_other(gaps):
    """7.1-7: permuting or splitting a batch permutes or splits what comes of it."""
    made, values = lively(3), tokens(3)
    present, valid = (holes(count=3), padding(values)) if gaps else (torch.ones(BATCH, 3, dtype=torch.bool), {})
    found = made(values, present, valid).z

    def of(rows):
        chosen = {name: mask[rows] for name, mask in valid.items()}
        return made({name: one[rows] for name, one in values.items()}, present[rows], chosen).z

    order = torch.tensor([3, 1, 4, 0, 2])
    assert largest(of(order), found[order]) < 1e-12
    assert largest(torch.cat([of(torch.tensor([row])) for row in range(BATCH)]), found) < 1e-12


@pytest.mark.parametrize("pool", ["mean", "attention"])
def test_tokens_have_no_order(pool):
    """7.1-8: permuting a guide's leaves z and the target; permuting the target's permutes what comes of them."""
    made, values, order = lively(pool=pool), tokens(), torch.tensor([2, 0, 1])
    found = made(values)
    of_guide = made({**values, "b": values["b"][:, order]})
    assert largest(of_guide.z, found.z) < 1e-12
    assert largest(of_guide.tokens["a"], found.tokens["a"]) < 1e-12
    order = torch.tensor([3, 1, 0, 2])
    of_target = made({**values, "a": values["a"][:, order]})
    assert largest(of_target.z, found.z) < 1e-12
    assert largest(of_target.tokens["a"], found.tokens["a"][:, order]) < 1e-12


@pytest.mark.parametrize("filling", [1e6, math.nan, math.inf])
@pytest.mark.parametrize("options", [{}, {"pool": "attention"}, {"local": False}, {"variant": "literal"}], ids=str)
def test_padding_has_no_influence(options, filling):
    """7.1-9: tokens that are not valid may hold anything, forward and backward, and come out as zeros."""
    same = dict.fromkeys("ab", 3)
    made, values = lively(size=5, **options), tokens(size=5, lengths=same)
    expected = made(values)
    expected.z.sum().backward()
    slopes = [each.grad.clone() for each in made.parameters() if each.grad is not None]
    more = {name: torch.cat([one, torch.full((BATCH, 2, 5), filling).double()], 1) for name, one in values.items()}
    valid = {name: torch.arange(5).expand(BATCH, 5) < 3 for name in values}
    made.zero_grad()
    found = made(more, valid=valid)
    found.z.sum().backward()
    assert largest(found.z, expected.z) < 1e-10
    assert all(torch.equal(found.tokens[name][:, 3:], torch.zeros(BATCH, 2, WIDTH).double()) for name in values)
    for slope, each in zip(slopes, (each for each in made.parameters() if each.grad is not None), strict=True):
        torch.testing.assert_close(each.grad, slope)


@pytest.mark.parametrize(("options", "filling"), [*((each, math.nan) for each in OPTIONS), ({}, 1e6)], ids=str)
def test_absent_modalities_have_no_influence(options, filling):
    """7.1-10: whatever they hold, forward and backward; a mixed batch is its samples one by one; no NaN."""
    values = tokens(3, size=5, lengths=dict.fromkeys("abc", 3))
    made, present = lively(3, size=5, **{"steps": 3, **options}), holes(count=3)
    found = made(values, present, return_trace=True)
    other = {name: one.clone() for name, one in values.items()}
    for place, one in enumerate(other.values()):
        one[~present[:, place]] = filling
    changed = made({name: one.requires_grad_() for name, one in other.items()}, present)
    assert largest(changed.z, found.z) < 1e-12
    assert not found.pooled[~present].any()
    changed.z.square().sum().backward()
    assert all(torch.isfinite(each.grad).all() for each in made.parameters() if each.grad is not None)
    assert all(torch.isfinite(one.grad).all() for one in other.values())
    for row in range(BATCH):
        alone = made({name: one[row : row + 1] for name, one in values.items()}, present[row : row + 1])
        assert largest(alone.z[0], found.z[row]) < 1e-12


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_modality_alone_stays_as_it_is_at_start(schedule):
    """7.1-10: without guides a fresh step moves nothing, with either law."""
    present = torch.tensor([[True, False, False]]).expand(BATCH, 3)
    for shift in ("toward", "film"):
        found = block(3, schedule=schedule, shift=shift).fuse(tokens(3), present)
        assert torch.equal(found.tokens["a"], tokens(3)["a"])
        assert largest(found.joint, found.pooled[:, 0]) < 1e-15
