"""Step Fusion as a method: encoders, steps, head, losses (after Xu et al. 2023; reconstruction)."""

import numpy as np
import pytest
import torch
from torch import nn

from plait import Forecast, FusionClassifier, FusionRegressor, StepFusion, Trainer, load, save
from plait.alignment import alignment_steps, trace_of
from plait.nn.criteria import criterion_for
from plait.nn.encoders import ImageConvolution, Perceptron, SeriesConvolution, SeriesPatches
from plait.nn.step_fusion.alignment_losses import alignment_loss
from tiny import course, samples

SHAPES = {"vector": (5,), "series": (12, 2), "image": (1, 6, 6)}
SMALL = {"width": 8, "heads": 2, "dropout": 0.0}


def fresh(data, **settings):
    """The module with fresh weights, its first network, and the batch with cached representations."""
    module = StepFusion(**SMALL | settings).build(data.spec).double().eval()
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    read = module.representations(batch.features, batch.present)
    return module, module.net.each[0], read, batch


def test_without_steps_it_is_intermediate_fusion():
    """Pooled encodings and their mean side by side, one linear map, normalised, then the linear head."""
    module, net, read, batch = fresh(samples(shapes=SHAPES), steps=0)
    fused = net.fuse(read, batch.present)
    beside = torch.cat([fused.pooled.flatten(1), fused.pooled.mean(1)], 1)
    join = net.block.join
    torch.testing.assert_close(fused.z, join.norm(join.linear(beside)))
    torch.testing.assert_close(module(batch.features, batch.present), net.from_joint(fused.z))


def test_one_modality_has_no_steps():
    """There is nobody to guide it: no turns, no weights of steps, an encoder and a head."""
    _, net, read, batch = fresh(samples(shapes={"series": (12, 2)}))
    assert len(net.block.turns) == len(net.block.course.steps) == 0
    tokens = net.readers[0](read)
    torch.testing.assert_close(net.fuse(read, batch.present).tokens["series"], net.block.projections[0](tokens))


def test_encoders_follow_the_shapes():
    """A perceptron for a vector, convolutions for a series and an image; or what `encoder` says."""
    kinds = {
        "shape": [Perceptron, SeriesConvolution, ImageConvolution],
        "perceptron": [Perceptron] * 3,
    }
    for kind, expected in kinds.items():
        _, net, _, _ = fresh(samples(shapes=SHAPES), encoder=kind)
        assert [type(reader.encoder) for reader in net.readers] == expected
    _, net, _, _ = fresh(samples(shapes={"one": (20, 1), "other": (9, 2)}), encoder="patches-16")
    assert [type(reader.encoder) for reader in net.readers] == [SeriesPatches] * 2
    assert [reader.width for reader in net.readers] == [16, 16]


class Sequence(nn.Module):
    """Three tokens of two values."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 6)

    def forward(self, values):
        return self.linear(values).unflatten(1, (3, 2))


@pytest.mark.parametrize("frozen", [True, False])
def test_a_users_module_may_give_tokens(frozen):
    """A sequence is taken as it is, from the cache if the module is frozen, and anything else is one token."""
    encoders = {"vector": Sequence().requires_grad_(not frozen), "series": nn.Flatten()}
    _, net, read, batch = fresh(samples(shapes=SHAPES, encoders=encoders))
    assert [(reader.tokens, reader.width) for reader in net.readers[:2]] == [(3, 2), (1, 24)]
    expected = encoders["vector"].double()(batch.features["vector"])
    torch.testing.assert_close(net.readers[0](read), expected)


def test_the_token_head_reads_every_token_of_the_first_modality():
    """For regressions on a series or image by default: a linear map of its tokens is added to the joint one."""
    shapes = {"series": (12, 2), "vector": (5,)}
    module, net, read, batch = fresh(samples(outputs=3, shapes=shapes))
    fused = net.fuse(read, batch.present)
    expected = net.from_joint(fused.z) + net.from_tokens(fused.tokens["series"].flatten(1))
    torch.testing.assert_close(module(batch.features, batch.present), expected)
    assert fresh(samples("classification", 3, shapes=shapes))[1].from_tokens is None
    assert fresh(samples("classification", 3, shapes=shapes), head="tokens")[1].from_tokens is not None
    assert fresh(samples(shapes={"vector": (5,), "series": (12, 2)}))[1].from_tokens is None


def losses(data, **settings):
    """Objective of fresh weights, the task's loss of the same, and the fused batch."""
    module, net, read, batch = fresh(data, **settings)
    criterion = criterion_for(data.spec)
    fused = net.fuse(read, batch.present, moments=True)
    objective = module.objective(batch, criterion)
    return objective[0], criterion.loss(net.from_joint(fused.z), batch.target), fused, (net, batch, criterion)


@pytest.mark.parametrize("kind", ["mse", "infonce", "coral", "mmd", "cca"])
def test_alignment_is_added_to_the_objective(kind):
    """With its weight; 0 leaves the task alone."""
    data = samples(shapes=SHAPES, absent=0.3)
    objective, task, fused, _ = losses(data, alignment=kind, alignment_weight=0.5)
    torch.testing.assert_close(objective, task + 0.5 * alignment_loss(fused.pooled, fused.present, kind))
    objective, task, _, _ = losses(data)
    torch.testing.assert_close(objective, task)


def test_deep_supervision_weighs_the_steps_by_their_number():
    """k/K times the loss of the head on the joint encoding after step k."""
    objective, task, fused, (net, batch, criterion) = losses(samples(shapes=SHAPES), steps=3, deep_weight=0.2)
    each = [criterion.loss(net.from_joint(joint), batch.target) for joint in fused.moments[1:]]
    torch.testing.assert_close(objective, task + 0.2 * (each[0] / 3 + each[1] * 2 / 3 + each[2]))
    objective, task, _, _ = losses(samples(shapes=SHAPES), steps=0, deep_weight=0.2)
    torch.testing.assert_close(objective, task)


def test_copies_of_folds_never_learn_from_their_fold():
    """Neither targets nor alignment of its samples reach a copy's objective."""
    data = samples(shapes=SHAPES, folds=2)
    module = StepFusion(**SMALL, alignment_weight=1.0, deep_weight=1.0).build(data.spec).double().eval()
    batch, criterion = data.samples.to(torch.device("cpu"), torch.float64), criterion_for(data.spec)
    before = module.objective(batch, criterion)
    own = batch.fold == 0
    batch.target[own] += 5
    batch.features["vector"][own] *= 3
    after = module.objective(batch, criterion)
    assert torch.equal(before[0], after[0])
    assert not torch.isclose(before[1], after[1])


def motif_data(n, seed):
    """The class is whether the sign of a bump in the series equals the sign of the vector's first number."""
    draw = np.random.default_rng(seed)
    sign, other = draw.choice([-1.0, 1.0], n), draw.choice([-1.0, 1.0], n)
    series = draw.normal(0, 0.3, (n, 16, 1))
    place = draw.integers(0, 12, n)
    series[np.arange(n)[:, None], place[:, None] + np.arange(4), 0] += sign[:, None] * 1.5
    vector = draw.normal(0, 0.3, (n, 3))
    vector[:, 0] += other
    return {"series": series, "vector": vector}, (sign * other > 0).astype(int)


def test_it_learns_what_only_both_modalities_together_tell():
    """Exclusive or across a series and a vector, well above chance."""
    X, y = motif_data(300, 0)
    trainer = Trainer(epochs=10, learning_rate=5e-3, batch_size=32, patience=None, weight_decay=0.0, threads=1)
    model = FusionClassifier(StepFusion(**SMALL, steps=2), trainer=trainer, random_state=0, validation=0)
    assert model.fit(X, y).score(*motif_data(300, 1)) > 0.75


def test_a_fitted_model_has_a_trace(tmp_path):
    """From the encodings to the last step; a table of alignment follows, also of a loaded model."""
    X, y = motif_data(80, 0)
    trainer = Trainer(epochs=1, batch_size=40)
    model = FusionClassifier(StepFusion(**SMALL, steps=3), trainer=trainer, random_state=0).fit(X, y)
    again = load(save(model, tmp_path / "model"))
    trace = trace_of(again, X)
    assert trace.names == ("series", "vector")
    assert trace.pooled.shape == (4, 80, 2, 8)
    assert [record.target for record in trace.records] == [0, 1, 0]
    gaps = alignment_steps(trace, measures=["gap"])["gap"]
    assert gaps.is_monotonic_decreasing
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_it_forecasts_a_series_with_its_image():
    """Channel by channel; the trace has a row for every window and channel."""
    draw = np.random.default_rng(0)
    X = {"series": draw.normal(size=(30, 16, 2)), "image": draw.normal(size=(30, 2, 8, 8))}
    model = FusionRegressor(
        StepFusion(**SMALL, encoder="patches"),
        forecast=Forecast(channelwise=("image",)),
        trainer=Trainer(epochs=1),
        random_state=0,
    )
    model.fit(X, draw.normal(size=(30, 6)))
    assert model.predict(X).shape == (30, 6)
    assert trace_of(model, X).pooled.shape[1] == 60


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 6}, "width must be divisible by heads"),
        ({"steps": -1}, "steps must be a whole number of at least 0"),
        ({"alpha": -0.1}, "alpha must be a number of at least 0"),
        ({"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
        ({"order": ("series", "vector")}, "order"),
        ({"alignment_weight": -1.0}, "alignment_weight must be a number of at least 0"),
        ({"deep_weight": -1.0}, "deep_weight must be a number of at least 0"),
        ({"encoder": "recurrent"}, "'recurrent' is not a kind of encoder"),
        ({"encoder": "patches-30"}, r"divisible by heads.*width=32"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    """By name, in build and in fit."""
    method = StepFusion(**{"width": 8, "heads": 4} | wrong)
    data = samples(shapes=SHAPES)
    with pytest.raises(ValueError, match=message):
        method.build(data.spec)
    with pytest.raises(ValueError, match=message):
        method.fit(course(data))
