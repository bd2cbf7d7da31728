"""One optimiser step of a cohort: batched, literally student by student, and the least that a machine needs."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.literal import LiteralStudent, literal_step
from benchmarks.timing import Step
from plait.data.batches import Batch
from plait.nn.cohort import Cohort, CohortPlan
from plait.nn.criteria import criterion_for
from plait.nn.layers import StackedMLP
from plait.training.loop import hold_freed_memory
from plait.training.optimiser import stacked_optimiser


def batched_step(plan: CohortPlan, batch: Batch) -> Step:
    """What the training loop does with a minibatch: forward, backward and one fused optimiser step."""
    cohort = Cohort(plan).to(batch.target.device)
    optimiser, criterion = stacked_optimiser(cohort, 1e-3, 0.0), criterion_for(plan.spec)
    hold_freed_memory()

    def step() -> None:
        cohort.objective(batch, criterion).sum().backward()
        optimiser.step()
        optimiser.zero_grad()

    return step


def literal_cohort_step(plan: CohortPlan, batch: Batch) -> Step:
    """The same for the first rho by separate networks, a double loop over peers and one Adam each."""
    cohort = Cohort(plan).to(batch.target.device)
    students = [LiteralStudent(cohort, unit).to(batch.target.device) for unit in range(cohort.count)]
    optimisers = [torch.optim.Adam(student.parameters()) for student in students]
    weights = [1.0] * len(students)
    return lambda: literal_step(
        students, optimisers, batch.features, batch.target, plan.rhos[0], weights, plan.spec.task
    )


@dataclass
class Product:
    """One layer of several networks: inputs, weights, and room for the results."""

    inputs: Tensor
    weights: Tensor
    outputs: Tensor
    slopes: Tensor
    inward: Tensor | None

    def forward(self) -> None:
        torch.bmm(self.inputs, self.weights, out=self.outputs)

    def backward(self) -> None:
        torch.bmm(self.inputs.mT, self.outputs, out=self.slopes)
        if self.inward is not None:
            torch.bmm(self.outputs, self.weights.mT, out=self.inward)


def products_step(plan: CohortPlan, batch: Batch) -> Step:
    """The multiply-adds of a step and nothing else: plain batched products into memory that is there already.

    (One product at a time takes longer.) A layer that reads data needs no slope of its inputs.
    """
    found = list(_products(Cohort(plan), len(batch), batch.target.device))

    def step() -> None:
        for product in found:
            product.forward()
        for product in reversed(found):
            product.backward()

    return step


def multiply_adds(plan: CohortPlan, rows: int) -> int:
    """Of a step on so many samples: forward, slopes of the weights, and of the inputs where there are some."""
    cohort = Cohort(plan)
    return sum(rows * weight.numel() * (2 if reads_data else 3) for weight, reads_data in _layers(cohort))


def adam_step(plan: CohortPlan, batch: Batch) -> Step:
    """One pass of the optimiser's traffic: fused Adam on one flat tensor of as many parameters."""
    count, device = sum(parameter.numel() for parameter in Cohort(plan).parameters()), batch.target.device
    flat = nn.Parameter(torch.zeros(count, device=device))
    flat.grad = torch.full((count,), 1e-3, device=device)
    optimiser = torch.optim.AdamW([flat], weight_decay=0.0, fused=True)
    return optimiser.step


def _products(cohort: Cohort, rows: int, device: torch.device) -> Iterator[Product]:
    for weight, reads_data in _layers(cohort):
        yield _product(weight, rows, device, reads_data=reads_data)


def _layers(cohort: Cohort) -> Iterator[tuple[Tensor, bool]]:
    """Weights of all layers, and whether they read data, which need no slope."""
    for block in cohort.blocks:
        inner = list(block.encoder.layers) if isinstance(block.encoder, StackedMLP) else []
        for place, layer in enumerate([*inner, block.linear]):
            yield layer.weight, place == 0
    for layer in cohort.tail.layers if cohort.tail is not None else ():
        yield layer.weight, False


def _product(weight: Tensor, rows: int, device: torch.device, *, reads_data: bool) -> Product:
    copies, width, out = weight.shape
    weights = weight.detach().clone().to(device)
    inputs = torch.randn(1 if reads_data else copies, rows, width, device=device).expand(copies, -1, -1)
    inward = None if reads_data else torch.empty(copies, rows, width, device=device)
    outputs = torch.empty(copies, rows, out, device=device)
    return Product(inputs, weights, outputs, torch.empty_like(weights), inward)
