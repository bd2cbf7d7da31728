"""The batched cohort is the published algorithm, only faster."""

import pytest
import torch
from benchmarks.literal import LiteralStudent, literal_step

from plait.data.batches import Batch
from plait.data.spec import DataSpec
from plait.nn.cohort import Cohort, CohortPlan
from plait.nn.criteria import criterion_for
from plait.nn.extractors import parse_dictionary
from plait.nn.parts import Parts
from plait.nn.representations import Representations
from plait.nn.students import full_product
from plait.training.optimiser import stacked_optimiser

DICTIONARY = {"a": ("identity", "pca-3", "encoder-4", "null"), "b": ("identity", "encoder-5", "null")}


def tiny(task, outputs, rhos=(0.99, 3.0), dtype=torch.float64, hidden=(6, 5)):
    """A cohort of 11 students on two small modalities, with a batch of cached representations."""
    spec = DataSpec({"a": (7,), "b": (6,)}, outputs, task)
    dictionary = parse_dictionary(DICTIONARY, spec)
    draw = torch.Generator().manual_seed(1)
    features = {"a": torch.randn(20, 7, generator=draw), "b": torch.randn(20, 2, 3, generator=draw)}
    present = torch.ones(20, 2, dtype=torch.bool)
    cached = Representations(spec, full_product(dictionary))
    cached.fit_projections(Parts(cached.names, features, present))
    target = torch.randn(20, outputs, generator=draw)
    if task == "classification":
        target = torch.nn.functional.one_hot(target.argmax(1), outputs).float()
    batch = Batch(cached(features, present), present, target, torch.full((20,), -1)).to(torch.device("cpu"), dtype)
    plan = CohortPlan(spec, tuple(full_product(dictionary)), hidden, (4,), rhos=rhos)
    return Cohort(plan).to(dtype), batch


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize(("task", "outputs"), [("regression", 1), ("regression", 3), ("classification", 4)])
@pytest.mark.parametrize("hidden", [(6, 5), ()])
def test_batched_steps_equal_the_literal_double_loop(task, outputs, dtype, tolerance, hidden):
    """Four steps of all students and rhos at once equal separate networks, peers one by one, Adam each."""
    cohort, batch = tiny(task, outputs, (0.0, 0.99, 3.0), dtype, hidden)
    weights = torch.linspace(0, 1, cohort.count).to(dtype)
    cohort.teachers.copy_((weights / weights.sum()).expand(3, -1))
    literal = [LiteralStudent(cohort, unit) for unit in range(cohort.units)]
    optimisers = [torch.optim.Adam(student.parameters()) for student in literal]
    stacked, criterion = stacked_optimiser(cohort, 1e-3, 0.0), criterion_for(cohort.plan.spec)
    for _ in range(4):
        losses = cohort.objective(batch, criterion)
        stacked.zero_grad()
        losses.sum().backward()
        stacked.step()
        expected = []
        for copy, rho in enumerate(cohort.plan.rhos):
            part = slice(copy * cohort.count, (copy + 1) * cohort.count)
            expected += literal_step(
                literal[part], optimisers[part], batch.features, batch.target, rho, weights.tolist(), task
            )
        torch.testing.assert_close(losses, torch.tensor(expected, dtype=dtype), rtol=tolerance, atol=tolerance)
    for unit, student in enumerate(literal):
        rebuilt = LiteralStudent(cohort, unit)
        for name, value in student.state_dict().items():
            torch.testing.assert_close(rebuilt.state_dict()[name], value, rtol=0, atol=tolerance)
