"""The published start: the first positive rho goes on from the best students at rho = 0 with their optimisers."""

import copy

import numpy as np
import pytest
import torch
from benchmarks.literal import LiteralStudent, literal_step, task_loss
from torch import nn

from plait.nn.cohort import Cohort
from plait.nn.screening import screen
from plait.training.mutual_learning import MutualLearning, learn
from tiny import close, course, prepared, same, weights, weights_at

LABELS = {"a": ("identity", "pca-2", "null"), "b": ("identity", "encoder-2", "null")}


def learned(how, data, planned, **settings):
    """What learning found, and its record."""
    lesson = course(data, **settings)
    return learn(planned, how, lesson), lesson.runs


def literal_batches(data, seed, epochs, size):
    """The batches of a run of training: one permutation of the training samples an epoch."""
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        shuffled = data.train[torch.randperm(len(data.train), generator=order)]
        yield [data.samples.rows(part) for part in shuffled.split(size)]


def literal_phase(students, optimisers, data, lesson, place, rho, teachers):
    """Train plain modules one by one; the best loss, weights and optimiser state of each."""
    held = data.samples.rows(data.validation)
    best = [(float("inf"), None, None)] * len(students)
    for batches in literal_batches(data, lesson.stream(place), lesson.trainer.epochs, lesson.trainer.batch_size):
        for batch in batches:
            literal_step(students, optimisers, batch.features, batch.target, rho, teachers, data.spec.task)
        for unit, (student, optimiser) in enumerate(zip(students, optimisers, strict=True)):
            loss = float(task_loss(student(held.features), held.target, data.spec.task).detach())
            if loss < best[unit][0]:
                state = {name: tensor.clone() for name, tensor in student.state_dict().items()}
                best[unit] = (loss, state, copy.deepcopy(optimiser.state_dict()))
    return best


@pytest.mark.parametrize(("task", "decay"), [("regression", 0.0), ("classification", 0.1)])
def test_the_papers_start_goes_on_from_the_best_students_with_their_optimisers(task, decay):
    """Equal to plain modules with a torch optimiser each, continued from weights and states of their best epochs."""
    data, planned = prepared(LABELS, task=task, outputs=2)
    settings = {"epochs": 6, "learning_rate": 0.1, "weight_decay": decay}
    found, (first, _) = learned(MutualLearning((0.99,), init="paper"), data, planned, **settings)
    lesson, double = course(data, **settings), data.to(torch.device("cpu"), torch.float64)
    initial = Cohort(planned, lesson.generator()).double()
    students = [LiteralStudent(initial, unit) for unit in range(initial.units)]
    build = [torch.optim.AdamW(one.parameters(), lr=0.1, weight_decay=decay) for one in students]
    best = literal_phase(students, build, double, lesson, 1, 0.0, [])
    losses = [loss for loss, _, _ in best]
    assert losses == pytest.approx(found.independent.tolist(), abs=1e-12)
    assert len(set(first["result"].epochs.tolist())) > 2
    for student, optimiser, (_, state, kept) in zip(students, build, best, strict=True):
        student.load_state_dict(state)
        optimiser.load_state_dict(kept)
    top = screen(np.array(losses)).top
    teachers = [float(unit in top) for unit in range(len(students))]
    best = literal_phase(students, build, double, lesson, 3, 0.99, teachers)
    assert [loss for loss, _, _ in best] == pytest.approx(found.losses.tolist(), abs=1e-10)
    for unit, (_, state, _) in enumerate(best):
        close(state, LiteralStudent(found.cohort, unit).state_dict(), 1e-10)


def test_only_the_first_positive_rho_goes_on():
    """It starts from the best weights at rho = 0; the others start, and end, as from scratch."""
    data, planned = prepared(LABELS)
    _, (first, paper) = learned(MutualLearning((0.0, 0.5, 3.0), init="paper"), data, planned)
    _, (_, scratch) = learned(MutualLearning((0.0, 0.5, 3.0)), data, planned)
    close(weights_at(paper, paper["start"], 0), first["end"], 0)
    close(weights_at(paper, paper["start"], 1), first["start"], 0)
    close(weights_at(paper, paper["end"], 1), weights_at(scratch, scratch["end"], 1), 1e-12)
    assert not same(weights_at(paper, paper["end"], 0), weights_at(scratch, scratch["end"], 0))


class Odd(nn.Module):
    """A user's module with a single number, buffers, and a part that is not trained."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Linear(4, 3), nn.BatchNorm1d(3))
        self.layers[1].requires_grad_(requires_grad=False)

    def forward(self, values):
        return self.scale * self.layers(values)


@pytest.mark.parametrize("init", ["scratch", "paper"])
def test_users_modules_learn_mutually_too(init):
    """Numbers without axes, buffers and untrained parts go along; the untrained part stays as it was given."""
    torch.manual_seed(0)
    module = Odd()
    data, planned = prepared({"a": ("identity", "null"), "b": ("module", "null")}, encoders={"b": module}, folds=2)
    found, (first, second) = learned(
        MutualLearning((0.99, 3.0), init=init), data, planned, weight_decay=0.5, learning_rate=0.05
    )
    fixed = [name for name in second["end"] if "layers.1." in name]
    assert len(fixed) == 2 * 2 * 2 * 2  # weight and bias, of two students at two rhos in two folds
    for name in fixed:
        assert torch.equal(second["end"][name], module.state_dict()[name.split(".", 5)[-1]].double()), name
    assert any("running_mean" in name for name in weights(found.cohort))
    if init == "paper":
        close(weights_at(second, second["start"], 0), first["end"], 0)
    assert np.isfinite(found.losses).all()
