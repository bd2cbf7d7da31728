"""One run of training: epochs of minibatches, validation, and the best state of every unit."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from plait.data.batches import Batch, TrainingData
from plait.nn.criteria import Criterion, usable_mean
from plait.nn.module import FusionModule, evaluate
from plait.training.clipping import Clipping
from plait.training.crossfit import CrossFit
from plait.training.keeper import Keeper
from plait.training.optimiser import Adam
from plait.training.threads import ThreadChoice

_PROGRESS = 1e-3
AfterEpoch = Callable[[int, Float[Tensor, " unit"]], None]
AfterStep = Callable[[float], None]
"""Called with the share of the epoch's steps that are done."""


@dataclass
class Loop:
    """Trains a module on samples that already are on its device.

    Args:
        module: The module in training.
        optimiser: The optimiser of its parameters.
        data: Samples on the device, and which of them train and which validate.
        criterion: Task criterion.
        best: Keeper of the best state.
        batch_size: Samples a step.
        mixed: Compute products in bfloat16.
        rate: The learning rate at a step: from the step (from 0), and the steps of an epoch. None leaves the
            optimiser's.
        clipping: Holds the gradients within a norm; None leaves them.
        epoch_samples: Training samples in an epoch, drawn anew for each; None is all.
        crossfit: Takes note of what is said of validation samples; None does not.
    """

    module: FusionModule
    optimiser: Adam
    data: TrainingData
    criterion: Criterion
    best: Keeper
    batch_size: int
    mixed: bool = False
    rate: Callable[[int, int], float] | None = None
    clipping: Clipping | None = None
    epoch_samples: int | None = None
    crossfit: CrossFit | None = None

    def epochs(
        self,
        most: int,
        patience: int | None,
        order: torch.Generator,
        threads: ThreadChoice,
        after_epoch: AfterEpoch | None = None,
        after_step: AfterStep | None = None,
    ) -> Iterator[dict[str, float]]:
        """Train epoch by epoch until the limit, or until patience has run out; yields a row of the history."""
        hold_freed_memory()
        start, stall, mark = time.perf_counter(), 0, float("inf")
        patience = patience if self.judging else None
        for epoch in range(most):
            training = self._train(epoch, order, threads, after_step)
            losses = self.validate()
            self.best.update(losses, epoch)
            if after_epoch is not None:
                after_epoch(epoch + 1, losses)
            level = self._mean(self.best.losses)
            yield {
                "epoch": epoch,
                "training_loss": training,
                "validation_loss": self._mean(losses),
                "best_validation_loss": level,
                "seconds": time.perf_counter() - start,
            }
            stall = 0 if level < mark else stall + 1
            mark = min(mark, level - _PROGRESS * abs(level)) if stall == 0 else mark
            if patience is not None and stall >= patience:
                return

    @cached_property
    def able(self) -> Bool[Tensor, " unit"]:
        """The units that have a sample to learn from and, where some are held out, one to be judged on."""
        present = replace(self.data.samples, features={})  # who has what is enough
        parts = [self.module.taught(present.rows(self.data.train))]
        parts += [self.module.judged(present.rows(self.data.validation))] if self.judging else []
        every = torch.ones(self.module.units, dtype=torch.bool, device=self.data.train.device)
        return every & torch.stack([every if rows is None else rows.any(-1) for rows in parts]).all(0)

    @cached_property
    def judging(self) -> bool:
        """Whether any samples are held out to judge by."""
        return len(self.data.validation) > 0

    @cached_property
    def steps(self) -> int:
        """Optimiser steps in one epoch."""
        return len(_batches(self.data.train[: self.epoch_samples], self.batch_size))

    def _train(self, epoch: int, order: torch.Generator, threads: ThreadChoice, after_step: AfterStep | None) -> float:
        """One pass over the epoch's samples in random order; the mean loss of samples and units."""
        self.module.train()
        rows = self.data.train
        shuffled = rows[torch.randperm(len(rows), generator=order)[: self.epoch_samples].to(rows.device)]
        total = torch.zeros((), device=rows.device)
        for place, chosen in enumerate(_batches(shuffled, self.batch_size)):
            if self.rate is not None:
                self.optimiser.learning_rate = self.rate(epoch * self.steps + place, self.steps)
            with threads.step():
                total += self._step(self.data.samples.rows(chosen)) * len(chosen)
            if after_step is not None:
                after_step((place + 1) / self.steps)
        return float(total) / len(shuffled)

    def _step(self, batch: Batch) -> Tensor:
        """One optimiser step; the gradients, as large as the module, are let go after it."""
        with self._precision():
            losses = self.module.objective(batch, self.criterion)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        if self.clipping is not None:
            self.clipping()
        self.optimiser.step()
        self.optimiser.zero_grad()
        return losses.detach().mean()

    @torch.no_grad()
    def validate(self) -> Float[Tensor, " unit"]:
        """Task loss of every unit on the validation samples it can read; infinite of those that are not able.

        NaN where nothing is held out.
        """
        if not self.judging:
            return torch.full((self.module.units,), torch.nan, device=self.data.train.device)
        batch = self.data.samples.rows(self.data.validation)
        with self._precision():
            outputs = evaluate(self.module, batch.features, batch.present)
        linked = self.criterion.link(outputs.to(batch.target.dtype))
        scores = self.criterion.score(linked, batch.target)
        judged = self.module.judged(batch)
        if self.crossfit is not None:
            self.crossfit.update(outputs, scores, judged)
        return usable_mean(scores, judged).reshape(-1).where(self.able, torch.inf)

    def _mean(self, losses: Float[Tensor, " unit"]) -> float:
        """Mean of the losses that are finite; infinite if none is, and NaN where nothing is held out."""
        finite = losses[losses.isfinite()]
        if len(finite):
            return float(finite.mean())
        return float("inf" if self.judging else "nan")

    def _precision(self) -> AbstractContextManager[object]:
        device = self.data.samples.target.device.type
        return torch.autocast(device, dtype=torch.bfloat16) if self.mixed else nullcontext()


def _batches(rows: Int[Tensor, " row"], size: int) -> list[Int[Tensor, " part"]]:
    """The rows in parts of one size, then the rest; a rest of one joins the part before it (batch norm needs two)."""
    parts: list[Tensor] = list(rows.split(size))  # type: ignore[no-untyped-call]
    if size > 1 and len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def hold_freed_memory() -> None:
    """Have the C library of Linux keep up to 64 MB of freed memory at hand, as it does once nearly 32 MB were freed.

    Else it returns the memory of gradients and activations to the system after every step, only to have it cleared and
    mapped anew in the next, which costs large cohorts a quarter of their time. Nothing is read or written here.
    """
    torch.empty(2**23 - 2**12)
