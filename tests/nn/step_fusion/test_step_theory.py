"""What holds exactly for a step block, in the order of the specification's list (7.1, items 11 to 17)."""

import copy
import math

import pytest
import torch
from numpy.polynomial import chebyshev
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
from torch import nn

from plait.nn import StepFusionBlock

GLOBAL = {"local": False, "use_global": False}
PARAMETERS = {64: 29_472, 128: 116_288, 256: 461_952}  # of a step and target, in the specification


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shift": "film"},
        {"schedule": "sequential", "steps": 3},
        {"rotation": "none"},
        {"alpha": 0.0},
        {"beta": "feature"},
        {"beta": "context"},
        {"guides": "learned"},
        {"pool": "attention"},
        {"share_steps": True},
        {"share_modalities": True},
    ],
    ids=str,
)
def test_steps_with_global_guidance_can_be_undone(options, gaps):
    """7.1-11: inverse(fuse(H)) = H, and fuse moves H indeed."""
    made, values = lively(3, **{"steps": 6, **GLOBAL, **options}), tokens(3)
    missing = (holes(count=3), padding(values)) if gaps else (None, None)
    found = made.fuse(values, *missing)
    back = made.inverse(found.tokens, *missing)
    values = {name: one * found.valid[name][..., None] for name, one in values.items()}
    assert furthest(back, values) < 1e-10
    assert furthest(found.tokens, values) > 0.1


@pytest.mark.parametrize("options", [{}, {"beta": "feature"}, {"beta": "context"}, {"shift": "film"}], ids=str)
def test_volumes_change_as_the_formula_says(options):
    """7.1-11: log |det J| of a sample's tokens is the sum of log s and log(1 - beta), as autograd's Jacobian."""
    made = lively(width=3, **GLOBAL, **options)
    values = tokens(batch=1, size=3, lengths={"a": 2, "b": 2})

    def flat(whole):
        found = made.fuse({"a": whole[:6].view(1, 2, 3), "b": whole[6:].view(1, 2, 3)}).tokens
        return torch.cat([found["a"].flatten(), found["b"].flatten()])

    jacobian = torch.autograd.functional.jacobian(flat, torch.cat([values["a"].flatten(), values["b"].flatten()]))
    expected = torch.linalg.slogdet(jacobian)
    assert expected.sign == 1
    assert largest(made.log_det(values), expected.logabsdet) < 1e-12


def test_volumes_count_what_is_there():
    """7.1-11: padding and absent modalities take no part."""
    made, values = lively(**GLOBAL), tokens()
    short = {name: one[:, :-1] for name, one in values.items()}
    valid = {name: torch.arange(one.shape[1]).expand(BATCH, -1) < one.shape[1] - 1 for name, one in values.items()}
    assert largest(made.log_det(values, valid=valid), made.log_det(short)) < 1e-12
    only = torch.tensor([True, False]).expand(BATCH, 2)
    assert largest(made.log_det(values, only), made.log_det({**values, "b": values["b"][:, :1]}, only)) < 1e-12


@pytest.mark.parametrize(
    "options",
    [
        {"local": True},
        {"use_global": True},
        {"schedule": "parallel"},
        {"variant": "literal"},
        {"rotation": "dense"},
        {"zoom": "linear"},
    ],
    ids=str,
)
def test_what_cannot_be_undone_says_so(options):
    """7.1-11: the error names the option."""
    made = lively(**{**GLOBAL, **options})
    (name,) = options
    for asked in (made.inverse, made.log_det):
        with pytest.raises(ValueError, match=f"cannot be undone with {name}={options[name]!r}"):
            asked(tokens())


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_pooling_commutes_with_global_guidance(schedule, gaps):
    """7.1-12: without local displacement global features follow from global features, and are the tokens' means."""
    made, values = lively(3, schedule=schedule, local=False), tokens(3)
    missing = (holes(count=3), padding(values)) if gaps else (None, None)
    found = made.fuse(values, *missing)
    counts = torch.stack([found.valid[name].sum(1).clamp(min=1) for name in names(3)], 1)
    means = torch.stack([found.tokens[name].sum(1) for name in names(3)], 1) / counts[..., None]
    assert largest(found.pooled, means) < 1e-12
    if not gaps:
        vectors = {name: one.mean(1) for name, one in values.items()}
        assert largest(made.fuse(vectors).z, found.z) < 1e-12


def degrees(made, nodes=48):
    """Degree of the tokens' features as polynomials in t, of inputs t a and t b."""
    points = torch.from_numpy(chebyshev.chebpts1(nodes))
    inputs = {name: torch.nn.functional.normalize(drawn(4, seed=place), dim=0) / 2 for place, name in enumerate("ab")}
    values = {name: points[:, None] * one for name, one in inputs.items()}
    found = made.fuse(values).tokens
    fits = [chebyshev.chebfit(points.numpy(), found[name][:, 0].detach().numpy(), nodes - 1) for name in "ab"]
    sizes = [abs(fit).max(1) for fit in fits]
    return tuple(int((size > 1e-11 * size.max()).nonzero()[0].max()) for size in sizes)


@pytest.mark.parametrize(
    ("schedule", "steps", "expected"),
    [
        ("alternate", 0, (1, 1)),
        ("alternate", 1, (2, 1)),
        ("alternate", 2, (3, 2)),
        ("alternate", 3, (5, 3)),
        ("alternate", 4, (8, 5)),
        ("sequential", 1, (3, 2)),
        ("sequential", 2, (8, 5)),
        ("parallel", 1, (2, 2)),
        ("parallel", 2, (4, 4)),
        ("parallel", 3, (8, 8)),
    ],
)
@pytest.mark.parametrize("shift", ["toward", "film"])
def test_order_of_interactions_grows_with_the_steps(schedule, steps, expected, shift):
    """7.1-13: with linear zoom, as Fibonacci numbers in turns, and doubling at once."""
    options = {"width": 4, "init_scale": 4.0, "rotation": "none", "zoom": "linear", **GLOBAL}
    assert degrees(lively(schedule=schedule, steps=steps, shift=shift, **options)) == expected


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_literal_steps_without_phi_are_one_linear_map(schedule, count):
    """7.1-14: the matrix read off from unit vectors gives all that the steps do, for any number of them."""
    made = lively(count, variant="literal", phi="none", schedule=schedule, steps=5)

    def steps(whole):
        return made.fuse(dict(zip(names(count), whole.split(WIDTH, 1), strict=True))).pooled.flatten(1)

    matrix = steps(torch.eye(count * WIDTH, dtype=torch.float64))
    inputs = drawn(BATCH, count * WIDTH)
    assert largest(steps(inputs), inputs @ matrix) < 1e-10
    made = lively(count, variant="literal", phi="gelu", schedule=schedule, steps=5)
    assert largest(steps(inputs), inputs @ steps(torch.eye(count * WIDTH, dtype=torch.float64))) > 0.1


def spread(found):
    """Root mean square deviation of the modalities from their mean, at every moment of the trace."""
    return (found - found.mean(2, keepdim=True)).square().mean((1, 2, 3)).sqrt()


def kept_by(made):
    """1 - beta, alike in all steps of a fresh block."""
    return 1 - made.course.steps[0].guidance.shift.logit.sigmoid().item()


@pytest.mark.parametrize("local", [False, True])
def test_two_modalities_in_turns_approach_by_beta(local):
    """7.1-15: fresh, |g_1 - g_2| shrinks by 1 - beta a step, for every sample, whatever the number of steps."""
    made = block(steps=5, local=local)
    pooled, kept = made.fuse(tokens(), return_trace=True).trace.pooled, kept_by(made)
    gaps = (pooled[:, :, 0] - pooled[:, :, 1]).norm(dim=2)
    for step in range(6):
        assert largest(gaps[step], kept**step * gaps[0]) < 1e-12
    assert (gaps.diff(dim=0) < 0).all()


@pytest.mark.parametrize("beta_init", [-0.4, 2.0])
@pytest.mark.parametrize("count", [2, 3])
def test_all_modalities_at_once_approach_by_beta(count, beta_init):
    """7.1-15: fresh, the spread of the modalities shrinks by 1 - beta a step, also where beta is above a half."""
    made = block(count, schedule="parallel", steps=3, beta_init=beta_init)
    found = spread(made.fuse(tokens(count), return_trace=True).trace.pooled)
    assert kept_by(made) == pytest.approx(1 / (1 + math.exp(beta_init)))
    assert largest(found[1:] / found[:-1], kept_by(made)) < 1e-12


def test_those_who_are_present_approach_by_beta():
    """7.1-15: moved at once, in each sample the spread of the modalities that it has shrinks by 1 - beta."""
    present = torch.tensor([[True, True, False]]).expand(BATCH, 3)
    made = block(3, schedule="parallel", steps=3)
    sizes = spread(made.fuse(tokens(3), present, return_trace=True).trace.pooled[:, :, :2])
    assert largest(sizes[1:] / sizes[:-1], kept_by(made)) < 1e-12


def test_three_modalities_in_turns_approach():
    """7.1-15: fresh, the spread falls in every step."""
    found = spread(block(3, steps=9).fuse(tokens(3), return_trace=True).trace.pooled)
    assert (found.diff() < 0).all()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_step_is_the_joint_map_of_the_projections(schedule):
    """7.1-16: z = LN(W [g_1; g_2; G] + b), or LN of the mean; there are no weights of steps."""
    values = tokens(size=5)
    for joint in ("concat", "mean"):
        made = lively(size=5, steps=0, schedule=schedule, joint=joint)
        projected = [made.projections[place](values[name]) for place, name in enumerate(names(2))]
        vectors = [one.mean(1) for one in projected]
        mean = (vectors[0] + vectors[1]) / 2
        expected = made.join.linear(torch.cat([*vectors, mean], 1)) if joint == "concat" else mean
        assert largest(made(values).z, made.join.norm(expected)) < 1e-12
        assert not list(made.course.parameters())


@pytest.mark.parametrize("options", [{}, {"local": False}, {"variant": "literal"}, {"pool": "attention"}], ids=str)
def test_a_vector_is_one_token(options):
    """7.1-16: (batch, size) and (batch, 1, size) are the same."""
    made, values = lively(size=5, **options), tokens(size=5, lengths={"a": 1, "b": 1})
    assert torch.equal(made({name: one[:, 0] for name, one in values.items()}).z, made(values).z)


@pytest.mark.parametrize("options", [{}, {"share_steps": True, "guides": "learned"}, {"variant": "literal"}], ids=str)
def test_weights_can_be_saved_and_loaded(options, tmp_path):
    """7.1-17: another block with the same weights gives the same, also after evaluation has kept its rotations."""
    made, other = lively(3, **options).eval(), lively(3, seed=1, **options).eval()
    values = tokens(3, lengths=dict.fromkeys("abc", 2))
    with torch.no_grad():
        expected, before = made(values).z, other(values).z
        assert largest(expected, before) > 1e-3
        torch.save(made.state_dict(), tmp_path / "weights.pt")
        other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
        assert torch.equal(other(values).z, expected)
        assert torch.equal(copy.deepcopy(made)(values).z, expected)


def test_a_seed_decides_the_weights_and_nothing_else_is_drawn_from():
    """7.1-17: the same generator gives the same block; torch's own source is left as it is."""
    torch.manual_seed(0)
    state = torch.get_rng_state()
    one, other, third = (lively(seed=seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert any(not torch.equal(one[name], third[name]) for name in one)
    torch.manual_seed(0)
    first = StepFusionBlock({"a": 3}, 4).state_dict()
    torch.manual_seed(0)
    again = StepFusionBlock({"a": 3}, 4).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_dropout_is_drawn_in_training_alone():
    """7.1-17: training is random and repeats under a seed; evaluation is not, and equals a block without dropout."""
    made, values = lively(dropout=0.5), tokens()
    torch.manual_seed(0)
    one, other = made(values).z, made(values).z
    torch.manual_seed(0)
    assert torch.equal(made(values).z, one)
    assert largest(one, other) > 1e-3
    assert torch.equal(made.eval()(values).z, lively()(values).z)


@pytest.mark.parametrize("options", [{}, {"local": False}, {"variant": "literal"}], ids=str)
def test_half_precision_is_near_single_precision(options):
    """7.1-17: bfloat16 weights and inputs change z by less than 3 %, and gradients are finite."""
    made = lively(width=16, size=5, **{**options, "init_scale": 0.1}).float()
    values = {name: one.float() for name, one in tokens(size=5, lengths={"a": 3, "b": 3}).items()}
    expected = made(values).z
    half = made.bfloat16()
    found = half({name: one.bfloat16() for name, one in values.items()}).z
    assert found.dtype == torch.bfloat16
    assert (found - expected).norm() / expected.norm() < 3e-2
    found.square().sum().backward()
    assert all(torch.isfinite(each.grad).all() for each in half.parameters() if each.grad is not None)


@pytest.mark.parametrize("gaps", [False, True])
def test_mixed_precision_is_near_single_precision(gaps):
    """7.1-17: under autocast with bfloat16, forward and backward."""
    made = lively(3, width=16, size=5, init_scale=0.1).float()
    values = {name: one.float() for name, one in tokens(3, size=5).items()}
    missing = (holes(count=3), padding(values)) if gaps else (None, None)
    expected = made(values, *missing).z
    with torch.autocast("cpu", torch.bfloat16):
        found = made(values, *missing).z
    assert (found - expected).norm() / expected.norm() < 3e-2
    found.square().sum().backward()
    assert all(torch.isfinite(each.grad).all() for each in made.parameters() if each.grad is not None)


class OnlyZ(nn.Module):
    """A block that gives its joint representation, with everything or with masks."""

    def __init__(self, made):
        super().__init__()
        self.made = made

    def forward(self, first, second, present=None, valid=None):
        return self.made({"a": first, "b": second}, present, None if valid is None else {"b": valid}).z


@pytest.mark.slow
@pytest.mark.parametrize("gaps", [False, True])
def test_a_block_can_be_exported(gaps):
    """7.1-17: the exported graph gives the same, with and without masks, also where other samples lack something."""
    made = OnlyZ(lively().eval())
    values = tokens()
    inputs = (values["a"], values["b"], *((holes(), padding(values)["b"]) if gaps else ()))
    exported = torch.export.export(made, inputs)
    assert largest(exported.module()(*inputs), made(*inputs)) < 1e-12
    if gaps:
        others = (*inputs[:2], torch.ones(BATCH, 2, dtype=torch.bool), torch.ones(BATCH, 3, dtype=torch.bool))
        assert largest(exported.module()(*others), made(*others)) < 1e-12


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_another_device_gives_the_same():
    """7.1-17: a block can be moved, also after evaluation has kept its rotations."""
    made, values = lively(3).eval(), tokens(3)
    with torch.no_grad():
        expected = made(values, holes(count=3)).z
        found = made.cuda()({name: one.cuda() for name, one in values.items()}, holes(count=3).cuda()).z
    assert largest(found.cpu(), expected) < 1e-10


def test_a_block_moves_to_another_precision():
    """7.1-17: what evaluation keeps follows the weights to another type."""
    made, values = lively().eval(), tokens()
    with torch.no_grad():
        expected = made(values).z
        found = made.float()({name: one.float() for name, one in values.items()}).z
        assert found.dtype == torch.float32
        assert largest(found, expected) < 1e-5
        assert made.double()(values).z.dtype == torch.float64


@pytest.mark.parametrize("width", PARAMETERS)
def test_parameters_of_a_step_are_those_of_the_specification(width):
    """Its count is 7 d^2 + 12.5 d, with key biases (d) and null vectors of G (d); ours have beta and omega (2) instead.

    A bias of the keys never gets a gradient, for the softmax is blind to it, and G is there for every sample.
    """
    assert PARAMETERS[width] == 7 * width**2 + 25 * width // 2
    made = StepFusionBlock({"a": width, "b": width}, width)
    turns = len(made.turns)
    assert turns == 4
    assert sum(each.numel() for each in made.course.parameters()) == turns * (PARAMETERS[width] - 2 * width + 2)
    assert sum(each.numel() for each in made.join.parameters()) == 3 * width**2 + width + 2 * width


def test_weights_exist_for_the_turns_that_there_are():
    """7.1-4: steps in turns have weights for one target each; shared ones have fewer."""

    def groups(**options):
        return len(block(3, **options).course.steps)

    assert groups(steps=4) == 4
    assert groups(steps=2, schedule="sequential") == 6
    assert groups(steps=2, schedule="parallel") == 6
    assert groups(steps=7, share_steps=True) == 3
    assert groups(steps=2, share_steps=True) == 2
    assert groups(steps=7, share_modalities=True) == 3
    assert groups(steps=2, schedule="parallel", share_modalities=True) == 2
    assert groups(steps=2, schedule="parallel", share_modalities=True, share_steps=True) == 1
    assert groups(steps=0) == 0


def test_one_modality_passes_through():
    """There is nobody to guide it: no weights of steps, and z is the joint map of its projection."""
    made = block(1, size=5, steps=3)
    values = tokens(1, size=5)
    projected = made.projections[0](values["a"])
    found = made(values, return_trace=True, return_moments=True)
    assert torch.equal(found.tokens["a"], projected)
    pooled = projected.mean(1)
    assert largest(found.z, made.join.norm(made.join.linear(torch.cat([pooled, pooled], 1)))) < 1e-12
    assert not list(made.course.parameters())
    assert len(found.moments) == len(found.trace.pooled) == 1


def test_sequential_steps_are_steps_in_turns():
    """One step of all targets is as many steps of one, with the same weights; they are counted otherwise."""
    one, other = lively(3, schedule="sequential", steps=2), lively(3, schedule="alternate", steps=6)
    other.load_state_dict(one.state_dict())
    first, second = (made.fuse(tokens(3), return_trace=True, return_moments=True) for made in (one, other))
    assert torch.equal(first.z, second.z)
    assert torch.equal(first.moments, second.moments[::3])
    assert [record.step for record in first.trace.records] == [1, 1, 1, 2, 2, 2]
    assert [record.target for record in first.trace.records] == [record.target for record in second.trace.records]


def test_parallel_steps_read_the_old_state_and_others_the_new_one():
    """Fresh with beta = 1/2: at once both move to their old middle; in turns the second moves to the new place."""
    values = {"a": torch.zeros(1, WIDTH).double(), "b": torch.ones(1, WIDTH).double()}
    at_once = block(schedule="parallel", steps=1, beta_init=40.0).fuse(values)
    assert largest(at_once.pooled, 0.5) < 1e-12  # beta is halved where two move at once
    in_turns = block(schedule="sequential", steps=1, beta_init=0.0).fuse(values).pooled
    assert largest(in_turns[:, 1], 0.5) < 1e-12
    assert largest(in_turns[:, 0], 0.25) < 1e-12
