"""The published algorithm word for word: one network a student, a double loop over peers, one Adam each.

Written from the specification (Meta Fusion, 2.1) as the yardstick of the exactness test and of the
benchmark; the library itself never runs it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from plait.nn.cohort import Cohort


class LiteralStudent(nn.Module):
    """One student as a plain torch module, with the weights of one unit of a cohort."""

    def __init__(self, cohort: Cohort, unit: int) -> None:
        super().__init__()
        copy, place = divmod(unit, cohort.count)
        self.reads, self.encoders, columns = [], nn.ModuleList(), []
        student = cohort.plan.students[place]
        blocks = {(block.modality, block.key, block.width): block for block in cohort.blocks}
        for name, extractor in student.reads:
            width = extractor.width(name, cohort.plan.spec)
            block = next(b for b in blocks.values() if _reads(b, name, extractor, width))
            row = copy * len(block.users) + block.users.tolist().index(place)
            self.reads.append((block.key, width))
            self.encoders.append(nn.Identity() if block.encoder is None else _perceptron(block.encoder, row))
            columns.append(block.linear.weight[row])
        first = _dense(torch.cat(columns), cohort.bias[unit])
        tail = [] if cohort.tail is None else [nn.ReLU(), *_perceptron(cohort.tail, unit)]
        self.head = nn.Sequential(first, *tail)

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        read = []
        for (key, width), encoder in zip(self.reads, self.encoders, strict=True):
            values = features[key]
            read.append(values[:, :width] if isinstance(encoder, nn.Identity) else encoder(values))
        return self.head(torch.cat(read, dim=1))


def _reads(block, name, extractor, width) -> bool:
    trained = block.encoder is not None
    same = (block.modality, block.key, block.width) == (name, f"{name}/{extractor.source}", width)
    return same and trained == (extractor.kind == "encoder")


def _dense(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(*weight.shape, dtype=weight.dtype)
    layer.weight.data, layer.bias.data = weight.detach().T.clone(), bias.detach().clone()
    return layer


def _perceptron(stacked, row: int) -> nn.Sequential:
    layers = [_dense(layer.weight[row], layer.bias[row]) for layer in stacked.layers]
    return nn.Sequential(*[part for layer in layers for part in (layer, nn.ReLU())][:-1])


def divergence(output: Tensor, peer: Tensor, task: str) -> Tensor:
    """D(f_I, sg[f_J]): mean squared difference, or KL(p_J || p_I) by batch mean."""
    if task == "regression":
        return functional.mse_loss(output, peer.detach())
    return functional.kl_div(output.log_softmax(1), peer.detach().softmax(1), reduction="batchmean")


def task_loss(output: Tensor, target: Tensor, task: str) -> Tensor:
    """Mean squared error, or cross-entropy on logits; the target of a class is one-hot."""
    if task == "regression":
        return functional.mse_loss(output, target)
    return functional.cross_entropy(output, target.argmax(1))


def literal_step(students, optimisers, features, target, rho, weights, task) -> list[float]:
    """All outputs first, then student by student: loss with every peer, backward, Adam step (Jacobi update)."""
    outputs = [student(features) for student in students]
    losses = []
    for place, optimiser in enumerate(optimisers):
        loss = task_loss(outputs[place], target, task)
        if rho:
            for other, weight in enumerate(weights):
                if other != place:
                    penalty = weight / sum(weights) * divergence(outputs[place], outputs[other], task)
                    loss = loss + rho * penalty
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses
