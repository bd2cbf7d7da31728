"""Modules of the user as encoders: frozen ones are cached, others trained with each student."""

import pytest
import torch
from torch import nn

from plait.methods.meta import MetaFusion
from plait.nn.cohort import Cohort
from plait.nn.extractors import is_frozen, output_shape
from tiny import cached, course, plan, samples, weights

CALLS: list[int] = []


class Counting(nn.Module):
    """Batch normalisation and dropout, to see the mode; counts the samples that are not zero."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))

    def forward(self, values):
        CALLS.append(int(values.flatten(1).any(1).sum()))
        return self.layers(values)


def test_a_frozen_module_is_evaluated_once_a_sample_and_left_alone():
    """In evaluation mode, whatever the heads that are tried; the user's own module keeps values and mode."""
    torch.manual_seed(0)
    module = Counting().requires_grad_(requires_grad=False)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    data = samples(encoders={"b": module})
    CALLS.clear()
    fitted = MetaFusion({"a": ("identity", "null"), "b": ("module", "null")}).fit(course(data, epochs=2))
    assert sum(CALLS) == 40
    assert module.training
    assert all(torch.equal(module.state_dict()[name], value) for name, value in before.items())
    assert all(parameter.grad is None for parameter in module.parameters())
    batch = data.samples.to(torch.device("cpu"), torch.float64)
    kept = fitted.module.representations(batch.features, batch.present)["b/module"]
    assert torch.equal(kept, module.double().eval()(batch.features["b"]))


def test_a_fitted_model_does_not_follow_later_changes_of_the_users_module():
    """A copy is kept, of frozen and of trained modules."""
    for frozen in (True, False):
        module = nn.Sequential(nn.Flatten(), nn.Linear(6, 2)).requires_grad_(requires_grad=not frozen)
        data = samples(encoders={"b": module})
        net = MetaFusion({"a": ("null",), "b": ("module",)}, hidden=()).fit(course(data, epochs=1)).module
        batch = data.samples.to(torch.device("cpu"), torch.float64)
        before = net(batch.features, batch.present)
        torch.nn.init.zeros_(module[1].weight)
        assert torch.equal(net(batch.features, batch.present), before)


def test_a_trained_module_equals_the_stacked_encoder_with_the_same_weights():
    """Outputs and the end of training agree: copies one after the other are the batched product."""
    data = samples(shapes={"a": (5,), "b": (3,)}, dtype=torch.float64)
    stacked_plan = plan(data, {"a": ("encoder-2", "null"), "b": ("identity", "null")}, rhos=(0.0, 0.99))
    stacked = Cohort(stacked_plan).double()
    layers = next(block.encoder for block in stacked.blocks if block.encoder is not None).layers
    module = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    for mine, other in zip((module[0], module[2]), layers, strict=True):
        mine.weight.data, mine.bias.data = other.weight[0].detach().T.clone(), other.bias[0].detach().clone()
    user = samples(shapes={"a": (5,), "b": (3,)}, dtype=torch.float64, encoders={"a": module})
    looped = Cohort(plan(user, {"a": ("module", "null"), "b": ("identity", "null")}, rhos=(0.0, 0.99))).double()
    shared = {name: value for name, value in weights(stacked).items() if name in looped.state_dict()}
    assert len(shared) < len(weights(stacked))
    looped.load_state_dict(shared, strict=False)
    ends = []
    for cohort, told in ((stacked, data), (looped, user)):
        prepared = cached(told, cohort.plan)
        start = cohort(prepared.samples.features, prepared.samples.present)
        course(prepared, epochs=3).run(cohort, 1, "training")
        ends.append((start, cohort(prepared.samples.features, prepared.samples.present)))
    for mine, other in zip(*ends, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)
    assert not torch.allclose(*ends[0])


def test_each_student_trains_a_copy_of_the_users_module():
    """All copies start from the user's weights and end apart; the module itself is not trained."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    start = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    data = samples(encoders={"b": module})
    planned = plan(data, {"a": ("identity", "null"), "b": ("module",)})
    cohort = Cohort(planned)
    copies = [part for part in cohort.modules() if isinstance(part, nn.Linear)]
    assert len(copies) == 2
    assert all(torch.equal(copy.weight, start["1.weight"]) for copy in copies)
    course(cached(data, planned), precision="float32").run(cohort, 1, "training")
    assert not torch.equal(copies[0].weight, copies[1].weight)
    assert all(torch.equal(module.state_dict()[name], value) for name, value in start.items())


def test_shape_of_a_modules_output():
    """Found without touching its mode or its statistics."""
    module = nn.Sequential(nn.Conv1d(2, 4, 2), nn.BatchNorm1d(4))
    assert output_shape(module, "b", (2, 3)) == (4, 2)
    assert module.training
    assert module[1].num_batches_tracked == 0
    assert not is_frozen(module)
    assert is_frozen(module.requires_grad_(requires_grad=False))
    assert is_frozen(nn.Flatten())


class Summing(nn.Module):
    """Not one row a sample."""

    def forward(self, values):
        return values.sum()


class Pairing(nn.Module):
    """Not a tensor."""

    def forward(self, values):
        return values, values


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Linear(4, 2), r"encoder of modality 'b' \(Linear\) fails on samples of shape \(2, 3\)"),
        (Summing(), r"'b' \(Summing\) must return one row a sample; .* samples of shape \(2, 3\) gave Tensor"),
        (Pairing(), r"'b' \(Pairing\) must return one row a sample.*gave tuple"),
    ],
)
def test_a_module_that_does_not_fit_is_named(module, message):
    """What was expected and what came."""
    with pytest.raises(ValueError, match=message):
        output_shape(module, "b", (2, 3))
