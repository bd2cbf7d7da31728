"""Training on heartbeats: beats a second, and where the time of a step goes."""

from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from time import process_time

import numpy as np
import torch
from torch import nn

from benchmarks.step_block import processor_times
from benchmarks.timing import Times, milliseconds, table
from plait.data.batches import Batch
from plait.data.modalities import Modalities
from plait.data.spec import DataSpec
from plait.methods import StepFusion
from plait.nn.criteria import criterion_for
from plait.nn.step_net import StepNet
from plait.reproduce.heartbeats import Beats, encoders, load
from plait.reproduce.step_fusion_mitbih import MitbihProtocol
from plait.training.loop import hold_freed_memory
from plait.training.optimiser import stacked_optimiser

_MADE = MitbihProtocol()
_SHAPES = {"lead1": (128, 2), "lead2": (128, 2), "rr": (8,), "image": (1, _MADE.image, _MADE.image)}
_CLASSES = ("N", "S", "V", "F")


def by_parts(beats: Beats, repeats: int) -> None:
    """Where the time of a training step goes, with the experiment's encoders and with those chosen by shape."""
    for name, given in {"the experiment's encoders": encoders(beats, _MADE.width, 0), "encoders by shape": {}}.items():
        step = TimedStep(beats, given)
        whole = processor_times({"whole": step.whole, "parts": step.parts}, repeats)["whole"]
        took = {part: times[-repeats:] for part, times in step.times.items()}
        total = sum(median(times) for times in took.values())
        rows = [(part, milliseconds(times), f"{median(times) / total:.0%}") for part, times in took.items()]
        speed = f"{len(beats.target) / median(whole):,.0f} beats a second"
        title = f"A training step of {len(beats.target)} beats, {name} ({step.tokens()} tokens)"
        table(title, ("part, forward and backward", "ms", "share"), [*rows, ("a step", milliseconds(whole), speed)])


def some_beats(rows: int, *, drawn: bool = False) -> Beats:
    """So many training beats of MIT-BIH; random numbers of the same shapes if asked for, or where there are no data."""
    try:
        if drawn:
            return _drawn(rows)
        return _chosen(load("inter", _MADE.image, _MADE.validation_share), rows)
    except OSError:
        return _drawn(rows)


def _chosen(beats: Beats, rows: int) -> Beats:
    chosen = np.random.default_rng(0).choice(len(beats.target), rows, replace=False)
    return Beats(
        beats.data[chosen], beats.target[chosen], beats.validation[chosen], beats.test, beats.test_target, beats.classes
    )


def _drawn(rows: int) -> Beats:
    draw = np.random.default_rng(0)
    data = Modalities({name: draw.standard_normal((rows, *shape), np.float32) for name, shape in _SHAPES.items()})
    target = np.arange(rows) % len(_CLASSES)
    return Beats(data, target, np.zeros(rows, bool), data, target, _CLASSES)


class TimedStep:
    """A training step on one batch, as the training loop does it, or part by part with a clock.

    Args:
        beats: The batch.
        given: Encoders by modality; those of the others are chosen by shape.
    """

    def __init__(self, beats: Beats, given: Mapping[str, nn.Module]) -> None:
        method = StepFusion(width=_MADE.width, steps=_MADE.steps, dropout=_MADE.dropout)
        spec = DataSpec(beats.data.sample_shapes, len(_CLASSES), "classification", given)
        self.copies = method.network(spec, torch.Generator().manual_seed(0))
        self.net: StepNet = self.copies.each[0]
        self.criterion = criterion_for(spec)
        self.optimiser = stacked_optimiser(self.copies, _MADE.learning_rate, _MADE.weight_decay)
        self.batch = _batch(beats, self.net)
        self.times: Times = defaultdict(list)
        hold_freed_memory()

    def tokens(self) -> str:
        """Tokens of every modality."""
        return ", ".join(str(reader.tokens) for reader in self.net.readers)

    def whole(self) -> None:
        """Objective, slopes, optimiser."""
        self.copies.objective(self.batch, self.criterion).sum().backward()
        self._move()

    def parts(self) -> None:
        """The same, cut where one part hands its values to the next."""
        clock, tokens = Clock(self.times), {}
        for name, reader in zip(self.net.names, self.net.readers, strict=True):
            tokens[name] = reader(self.batch.features)
            clock.tick(f"encoder of {name}")
        read = {name: values.detach().requires_grad_() for name, values in tokens.items()}
        joint = self.net.block(read, self.batch.present).z
        clock.tick("steps and joint map")
        told = joint.detach().requires_grad_()
        self.criterion.loss(self.net.from_joint(self.net.dropout(told)), self.batch.target).backward()
        clock.tick("head and loss")
        joint.backward(told.grad)
        clock.tick("steps and joint map")
        for name, values in tokens.items():
            values.backward(read[name].grad)
            clock.tick(f"encoder of {name}")
        self._move()
        clock.tick("optimiser")
        clock.write()

    def _move(self) -> None:
        self.optimiser.step()
        self.optimiser.zero_grad()


def _batch(beats: Beats, net: StepNet) -> Batch:
    features = {
        reader.key: torch.tensor(np.asarray(beats.data[name]), dtype=torch.float32)
        for name, reader in zip(net.names, net.readers, strict=True)
    }
    target = nn.functional.one_hot(torch.tensor(beats.target), len(_CLASSES)).float()
    present = torch.ones(len(target), len(features), dtype=torch.bool)
    return Batch(features, present, target, torch.full((len(target),), -1))


class Clock:
    """This process's own seconds, by what they were spent on.

    Args:
        times: Where they are written.
    """

    def __init__(self, times: Times) -> None:
        self.times, self.spent, self.last = times, defaultdict(float), process_time()

    def tick(self, what: str) -> None:
        """The time since the last tick was spent on this."""
        now = process_time()
        self.spent[what] += now - self.last
        self.last = now

    def write(self) -> None:
        """One more repeat."""
        for what, took in self.spent.items():
            self.times[what].append(took)
