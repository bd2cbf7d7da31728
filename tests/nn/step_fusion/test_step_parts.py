"""The parts of a step block, each against its formula."""

import math
from types import SimpleNamespace

import pytest
import torch
from small_blocks import BATCH, WIDTH, block, drawn, generator, holes, largest, lively, padding, tokens
from torch import nn
from torch.nn.functional import gelu
from torch.utils.flop_counter import FlopCounterMode

from plait.nn.step_fusion import cayley as cayley_module
from plait.nn.step_fusion.cayley import CayleyRotation, angles, cayley, rotation
from plait.nn.step_fusion.guidance import Guidance
from plait.nn.step_fusion.inputs import read
from plait.nn.step_fusion.local import LocalDisplacement
from plait.nn.step_fusion.pooling import AttentionPool, MeanPool
from plait.nn.step_fusion.presence import Guides
from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start
from plait.nn.step_fusion.transform import Coefficients, moved, moved_back

ALL = Guides((1, 2), None, None, None, 1.0)


def start(scale=0.5):
    return Start(generator(), scale)


def settings(**options):
    return StepSettings(**{"width": WIDTH, "heads": 2, "dropout": 0.0, **options})


def test_angles_are_those_of_the_planes():
    """U with lambda in one plane rotates it by 2 arctan(lambda); angles fall, one for each pair of features."""
    free = torch.zeros(5, 5, dtype=torch.float64)
    free[0, 1], free[2, 4] = 0.3, -2.0
    expected = torch.tensor([2 * math.atan(2.0), 2 * math.atan(0.3)], dtype=torch.float64)
    assert largest(angles(cayley(free)), expected) < 1e-12
    assert largest(angles(torch.eye(4, dtype=torch.float64)), 0) < 1e-12


@pytest.mark.parametrize("kind", ["cayley", "dense", "none"])
def test_rotations_start_as_the_identity(kind):
    """Exactly; only a dense one can leave the orthogonal matrices."""
    matrix = rotation(kind, 4, start(0.0))()
    assert matrix is None if kind == "none" else torch.equal(matrix, torch.eye(4))
    matrix = rotation(kind, 4, start())()
    assert kind == "none" or (largest(matrix @ matrix.T, torch.eye(4)) < 1e-5) == (kind == "cayley")


@pytest.fixture
def solved(monkeypatch):
    """How often a rotation was solved."""
    counts = SimpleNamespace(number=0)

    def counted(free):
        counts.number += 1
        return cayley(free)

    monkeypatch.setattr(cayley_module, "cayley", counted)
    return counts


CHANGES = {
    "mode": lambda layer: layer.train().eval(),
    "load": lambda layer: layer.load_state_dict({"free": torch.ones(4, 4).triu()}),
    "in place": lambda layer: layer.free.add_(torch.ones(4, 4).triu()),
    "data": lambda layer: layer.free.data.mul_(2),
    "precision": lambda layer: layer.double(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_evaluation_solves_rotations_once(solved, change):
    """Until the mode or the weights change in any way; what is kept is what would be solved."""
    layer = CayleyRotation(4, start()).eval()
    with torch.no_grad():
        assert layer() is layer()
        assert solved.number == 1
        CHANGES[change](layer)
        assert torch.equal(layer(), cayley(layer.free))
        assert solved.number == 2


def test_rotations_are_solved_anew_where_gradients_are_asked_for(solved):
    """In evaluation too; what was kept in inference mode never enters a graph."""
    layer = CayleyRotation(4, start()).eval()
    with torch.inference_mode():
        layer()
    for expected in (2, 3):
        layer.zero_grad()
        (layer() @ torch.arange(4.0)).square()[0].backward()
        assert layer.free.grad.abs().max() > 0
        assert solved.number == expected
    layer.requires_grad_(requires_grad=False)
    values = torch.ones(4, requires_grad=True)
    (layer() @ values).sum().backward()


def test_pools():
    """A mean over what is there; a query at zero gives the same, and a large one picks the largest product."""
    values, here = drawn(2, 3, 4), torch.tensor([[True, True, False], [False, False, False]])
    cleared = values * here[..., None]
    assert largest(MeanPool()(values, None), values.mean(1)) < 1e-15
    expected = torch.stack([values[0, :2].mean(0), torch.zeros(4).double()])
    assert largest(MeanPool()(cleared, here), expected) < 1e-15
    learned = AttentionPool(4, start(0.0)).double()
    assert largest(learned(cleared, here), expected) < 1e-15
    with torch.no_grad():
        learned.query.copy_(values[0, 1] * 1e3)
    assert largest(learned(cleared, here)[0], values[0, 1]) < 1e-12


def guidance(rounds=0, **options):
    made = Guidance(settings(**options), 2, rounds, start()).double()
    return made, [drawn(BATCH, WIDTH, seed=place) for place in range(3)], drawn(BATCH, WIDTH, seed=9)


def test_coefficients_follow_the_formulas():
    """s = exp(alpha tanh(W c + b)), delta = W c + b, shift = beta (g + delta), for c = GELU(W [g; G] + b)."""
    made, pooled, joint = guidance(alpha=0.7, beta_init=0.3)
    found = made(pooled, joint, ALL, 0)
    summary = (pooled[1] + pooled[2]) / 2
    context = gelu(made.context(torch.cat([summary, joint], 1)))
    displacement, beta = made.displacement(context), made.shift.logit.sigmoid()
    assert made.shift.logit.item() == pytest.approx(0.3)
    assert largest(found.zoom, torch.exp(0.7 * torch.tanh(made.zoom(context)))) < 1e-12
    assert largest(found.displacement, displacement) < 1e-12
    assert largest(found.kept, 1 - beta) < 1e-12
    assert largest(found.shift, beta * (summary + displacement)) < 1e-12


def test_free_displacements_are_added_whole():
    """shift="film": nothing is lost of the target."""
    made, pooled, joint = guidance(shift="film")
    found = made(pooled, joint, ALL, 0)
    assert found.kept is None
    assert torch.equal(found.shift, found.displacement)


@pytest.mark.parametrize(("beta", "shape"), [("scalar", (1, 1)), ("feature", (1, WIDTH)), ("context", (BATCH, 1))])
def test_beta_is_of_a_step_a_feature_or_a_sample(beta, shape):
    """And starts at sigmoid(beta_init) in all of them; in context it is sigmoid(w c + omega)."""
    made, pooled, joint = guidance(beta=beta)
    kept = made(pooled, joint, ALL, 0).kept
    assert kept.shape == shape
    if beta == "context":
        context = gelu(made.context(torch.cat([(pooled[1] + pooled[2]) / 2, joint], 1)))
        assert largest(kept, 1 - torch.sigmoid(context @ made.shift.by_context + made.shift.logit)) < 1e-12
        nn.init.zeros_(made.shift.by_context)
    assert largest(made(pooled, joint, ALL, 0).kept, 1 - 1 / (1 + math.exp(0.4))) < 1e-7


def test_no_zoom_is_exactly_one():
    """alpha = 0 has no weights of a zoom."""
    made, pooled, joint = guidance(alpha=0.0)
    assert torch.equal(made(pooled, joint, ALL, 0).zoom, torch.ones(BATCH, WIDTH).double())
    assert not [name for name, _ in made.named_parameters() if name.startswith("zoom")]


def test_guides_are_weighed_by_a_learned_score():
    """Equal at start; then by the softmax of the score over those who are there."""
    made, pooled, _ = guidance(guides="learned")
    scores = torch.stack([pooled[1] @ made.summary.score, pooled[2] @ made.summary.score], 1)
    weights = scores.softmax(1)
    expected = weights[:, :1] * pooled[1] + weights[:, 1:] * pooled[2]
    assert largest(made.summary(pooled, ALL), expected) < 1e-12
    present = torch.tensor([[True, True], [True, False], [False, True], [False, False], [True, True]])
    alone = ~present.any(1, keepdim=True)
    found = made.summary(pooled, Guides((1, 2), present, alone, None, 1.0))
    rows = [expected[0], pooled[1][1], pooled[2][2], made.summary.null, expected[4]]
    assert largest(found, torch.stack(rows)) < 1e-12
    fresh = block(3, guides="learned").course.steps[0].guidance.summary
    assert largest(fresh(pooled, ALL), (pooled[1] + pooled[2]) / 2) < 1e-12
    assert block(2, guides="learned").course.steps[0].guidance.summary.score is None


def test_rounds_are_told_apart_where_they_share_their_weights():
    """A learned embedding of the round is added to the context; at start it is zero."""
    made, pooled, joint = guidance(rounds=2, share_steps=True)
    assert largest(made(pooled, joint, ALL, 0).zoom, made(pooled, joint, ALL, 1).zoom) > 0.01
    nn.init.zeros_(made.embedding)
    assert torch.equal(made(pooled, joint, ALL, 0).zoom, made(pooled, joint, ALL, 1).zoom)
    assert not block(share_steps=True).course.steps[0].guidance.embedding.any()


@pytest.mark.parametrize("count", [2, 7])
@pytest.mark.parametrize("matrix", [None, "rotation"])
@pytest.mark.parametrize("kept", [None, (1, 1), (1, WIDTH), (BATCH, 1)])
def test_few_and_many_tokens_are_moved_alike(count, matrix, kept):
    """kept * R (s * x) + shift + D, on whichever way it is computed; and back."""
    matrix = None if matrix is None else cayley(drawn(WIDTH, WIDTH))
    values, local = drawn(BATCH, count, WIDTH), drawn(BATCH, count, WIDTH, seed=1)
    by = Coefficients(
        drawn(BATCH, WIDTH).exp(),
        None if kept is None else drawn(*kept).sigmoid(),
        drawn(BATCH, WIDTH),
        drawn(BATCH, WIDTH),
    )
    expected = torch.einsum(
        "fg,btg->btf", torch.eye(WIDTH).double() if matrix is None else matrix, values * by.zoom[:, None]
    )
    expected = (expected if kept is None else expected * by.kept[:, None]) + by.shift[:, None]
    assert largest(moved(values, by, matrix), expected) < 1e-12
    assert largest(moved(values, by, matrix, local), expected + local) < 1e-12
    assert largest(moved_back(expected, by, matrix), values) < 1e-12


def attention(**options):
    return LocalDisplacement(settings(**options), start()).double()


def of_torch(ours):
    """Torch's multi-head attention with the same weights, and no bias of the keys."""
    theirs = nn.MultiheadAttention(WIDTH, 2, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.memory.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, torch.zeros(WIDTH), ours.value_bias]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    return theirs


def test_local_displacement_is_multi_head_attention():
    """Of normalised tokens, with the same weights as torch's; masked tokens are not read; nobody gives zero."""
    ours, values, sources = attention(), drawn(BATCH, 4, WIDTH), drawn(BATCH, 3, WIDTH, seed=1)
    theirs = of_torch(ours)
    here = torch.ones(BATCH, 3, dtype=torch.bool)
    here[::2, 1] = False
    alone = torch.tensor([False, True, False, False, False])[:, None]
    query, memory = ours.norm_target(values), ours.norm_guides(sources)
    assert largest(ours(values, sources), theirs(query, memory, memory)[0]) < 1e-12
    expected = theirs(query, memory, memory, key_padding_mask=~here)[0] * ~alone[..., None]
    found = ours(values, sources, here[:, None, None], alone)
    assert largest(found, expected) < 1e-12
    assert not found[1].any()


def test_local_displacement_starts_at_zero():
    """Without any token being read for nothing: only its output layer is zero."""
    fresh = LocalDisplacement(settings(), start(0.0))
    assert not fresh(torch.randn(2, 3, WIDTH), torch.randn(2, 4, WIDTH)).any()
    assert fresh.query.weight.abs().min() > 0


def test_dropped_attention_weights_have_the_law_of_dropout():
    """What a token reads has the mean and variance of dropout of its weights; the draw is shared by the tokens."""
    share, many = 0.3, 20_000
    ours, sources = attention(heads=1, dropout=share), drawn(1, 3, WIDTH, seed=1)
    values = drawn(1, 1, WIDTH).expand(1, 2, WIDTH)
    torch.manual_seed(0)
    with torch.no_grad():
        ours.out.weight.copy_(torch.eye(WIDTH))
        ours.out.bias.zero_()
        ours.dropout.p = 0.0
        found = ours.train()(values.expand(many, 2, WIDTH), sources.expand(many, 3, WIDTH))
        key, value = ours.memory(ours.norm_guides(sources))[0].split(WIDTH, 1)
        weights = (ours.query(ours.norm_target(values))[0, :1] @ key.T / WIDTH**0.5).softmax(1)
        value = value + ours.value_bias
        mean, variance = (weights @ value)[0], (weights.square() @ value.square())[0] * share / (1 - share)
    assert torch.equal(found[:, 0], found[:, 1])
    assert largest(found[:, 0].mean(0) / variance.sqrt(), mean / variance.sqrt()) < 4 / many**0.5
    assert largest(found[:, 0].var(0) / variance, 1) < 0.05


def test_displacements_are_dropped_too():
    """Each feature of each token by itself: zeros among the local displacements, in training alone."""
    ours = attention(dropout=0.5).train()
    found = ours(drawn(BATCH, 4, WIDTH), drawn(BATCH, 3, WIDTH))
    zeros = (found == 0).double()
    assert 0.3 < zeros.mean() < 0.7
    assert zeros.mean((0, 1)).std() < 0.3
    assert (ours.eval()(drawn(BATCH, 4, WIDTH), drawn(BATCH, 3, WIDTH)) != 0).all()


def test_a_trace_tells_what_happened():
    """Zoom, angles and lengths of the displacements of every step and target, without gradients."""
    made, values = lively(3, shift="film", rotation="none", alpha=0.0, use_global=False, steps=4), tokens(3)
    with torch.no_grad():
        for step in made.course.steps:
            step.guidance.displacement.weight.zero_()
            step.guidance.displacement.bias.fill_(0.5)
    present, valid = holes(count=3), padding(values)
    found = made.fuse(values, present, valid, return_trace=True)
    trace, here = found.trace, found.valid
    assert trace.names == ("a", "b", "c")
    assert torch.equal(trace.present, present)
    assert trace.pooled.shape == (5, BATCH, 3, WIDTH)
    assert torch.equal(trace.pooled[-1], found.pooled)
    assert [(record.step, record.target) for record in trace.records] == [(1, 0), (2, 1), (3, 2), (4, 0)]
    assert not trace.pooled.requires_grad
    assert not any(record.local.requires_grad or record.zoom.requires_grad for record in trace.records)
    record = trace.records[1]  # the only one that moves b
    assert torch.equal(record.zoom, torch.ones(BATCH, WIDTH).double())
    assert torch.equal(record.angles, torch.zeros(WIDTH // 2).double())
    assert largest(record.displacement, 0.5 * WIDTH**0.5) < 1e-12
    local = (found.tokens["b"] - (values["b"] + 0.5)) * here["b"][..., None]
    expected = (local.square().sum((1, 2)) / here["b"].sum(1).clamp(min=1)).sqrt()
    assert largest(record.local, expected) < 1e-12


@pytest.mark.parametrize("options", [{"schedule": "parallel"}, {"variant": "literal"}, {"local": False}], ids=str)
def test_every_kind_of_step_can_be_traced(options):
    """Also those without local displacement or zoom; angles are those of the step's rotation."""
    made, values = lively(**options), tokens(lengths={"a": 2, "b": 2})
    plain, traced = made.fuse(values), made.fuse(values, return_trace=True)
    assert torch.equal(plain.z, traced.z)
    assert plain.trace is None
    for record in traced.trace.records:
        assert record.angles.shape == (WIDTH // 2,)
        assert torch.equal(record.local, torch.zeros(BATCH).double()) == (options != {"schedule": "parallel"})
    if "variant" not in options:
        free = made.course.steps[0].rotation.free
        assert largest(traced.trace.records[0].angles, angles(cayley(free))) < 1e-12


def test_moments_are_z_on_the_way():
    """The joint map after every step, from the global features and a joint state that follows their mean."""
    made, values = lively(3, steps=4), tokens(3)
    found = made.fuse(values, return_trace=True, return_moments=True)
    assert torch.equal(found.moments[-1], found.z)
    assert found.moments.shape == (5, BATCH, WIDTH)
    joint = found.trace.pooled[0].mean(1)
    for step, pooled in enumerate(found.trace.pooled):
        pace = made.course.pace[step - 1].sigmoid() if step else 0.0
        joint = joint + pace * (pooled.mean(1) - joint)
        expected = made.join.norm(made.join.linear(torch.cat([pooled.flatten(1), joint], 1)))
        assert largest(found.moments[step], expected) < 1e-12
    assert largest(joint, found.joint) < 1e-12
    assert made.fuse(values).moments is None


def test_joint_tokens_are_all_tokens():
    """One modality after the other; zero where they are not there, as `valid` says; moments too."""
    made, values = lively(joint="tokens"), tokens()
    found = made.fuse(values, holes(), padding(values), return_moments=True)
    assert torch.equal(found.z, torch.cat([found.tokens["a"], found.tokens["b"]], 1))
    assert not found.z[~torch.cat([found.valid["a"], found.valid["b"]], 1)].any()
    assert found.moments.shape == (5, BATCH, 7, WIDTH)


def test_projections_are_normalised_and_marked():
    """LN(x W + b) + tau; tokens of the common width have no W."""
    made, values = lively(size=5), tokens(size=5)
    first = made.projections[0]
    expected = first.norm(first.linear(values["a"])) + first.mark
    state, _ = read(values, made.widths, None, None)
    assert largest(first(state[0]), expected) < 1e-15
    assert not list(lively(size=WIDTH).projections[0].linear.parameters())


def test_masks_that_hide_nothing_cost_nothing():
    """Masks of ones are recognised, and give the same bits as none."""
    made, values = lively(3), tokens(3)
    ones = {name: torch.ones(one.shape[:2], dtype=torch.bool) for name, one in values.items()}
    _, presence = read(values, made.widths, torch.ones(BATCH, 3, dtype=torch.bool), ones)
    assert presence.everyone
    assert all(presence.full)
    assert presence.guides(0, torch.float64, together=False).readable is None
    assert torch.equal(made(values, torch.ones(BATCH, 3, dtype=torch.bool), ones).z, made(values).z)


def test_cost_is_linear_in_the_steps():
    """Each step adds as many weights and floating point operations as the one before."""

    def cost(steps, length=6):
        made, counter = block(steps=steps, rotation="none"), FlopCounterMode(display=False)
        with counter:
            made(tokens(lengths={"a": length, "b": 6}))
        return counter.get_total_flops()

    assert cost(6) - cost(4) == cost(4) - cost(2) > 0
    assert cost(4, 18) - cost(4, 12) == cost(4, 12) - cost(4, 6) > 0


@pytest.mark.parametrize("phi", ["gelu", "none"])
def test_literal_steps_add_a_tenth_of_the_guides_at_start(phi):
    """S = I and T = 0.1 I: f_a + a tenth of the mean of the guides that a sample has; then GELU after normalisation."""
    made, present = block(3, variant="literal", phi=phi, steps=1), holes(count=3)
    values = tokens(3, lengths=dict.fromkeys("abc", 1))
    found = made.fuse(values, present)
    count = present[:, 1:].sum(1).clamp(min=1)[:, None]
    others = (values["b"][:, 0] * present[:, 1:2] + values["c"][:, 0] * present[:, 2:]) / count
    expected = values["a"][:, 0] + 0.1 * others
    expected = gelu(nn.functional.layer_norm(expected, (WIDTH,))) if phi == "gelu" else expected
    assert largest(found.tokens["a"][:, 0], expected * present[:, :1]) < 1e-7  # 0.1 in single precision
    assert largest(found.joint, found.pooled.sum(1) / present.sum(1, keepdim=True)) < 1e-12


def test_no_softmax_is_over_nothing():
    """Where a sample has no guide all their tokens may be read, and what is read is left out."""
    made, values, present = lively(3), tokens(3), holes(count=3)
    present[0] = torch.tensor([True, False, False])
    _, presence = read(values, made.widths, present, padding(values))
    guides = presence.guides(0, torch.float64, together=False)
    assert guides.readable.any(3).all()
    assert torch.equal(guides.alone[:, 0], ~present[:, 1:].any(1))
    rows = ~guides.alone[:, 0]
    here = torch.cat([presence.here[1], presence.here[2]], 1)
    assert torch.equal(guides.readable[rows, 0, 0], here[rows])
