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
from plait.training.keeper import BestState
from plait.training.optimiser import Adam
from plait.training.threads import ThreadChoice

_PROGRESS = 1e-3
AfterEpoch = Callable[[int, Float[Tensor, " unit"]], None]


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
    """

    module: FusionModule
    optimiser: Adam
    data: TrainingData
    criterion: Criterion
    best: BestState
    batch_size: int
    mixed: bool = False

    def epochs(
        self,
        most: int,
        patience: int | None,
        order: torch.Generator,
        threads: ThreadChoice,
        after_epoch: AfterEpoch | None = None,
    ) -> Iterator[dict[str, float]]:
        """Train epoch by epoch until the limit, or until patience has run out; yields a row of the history."""
        hold_freed_memory()
        start, stall, mark = time.perf_counter(), 0, float("inf")
        for epoch in range(most):
            training = self._train(order, threads)
            losses = self.validate()
            self.best.update(losses, epoch)
            if after_epoch is not None:
                after_epoch(epoch + 1, losses)
            level = _finite_mean(self.best.losses)
            yield {
                "epoch": epoch,
                "training_loss": training,
                "validation_loss": _finite_mean(losses),
                "best_validation_loss": level,
                "seconds": time.perf_counter() - start,
            }
            stall = 0 if level < mark else stall + 1
            mark = min(mark, level - _PROGRESS * abs(level)) if stall == 0 else mark
            if patience is not None and stall >= patience:
                return

    @cached_property
    def able(self) -> Bool[Tensor, " unit"]:
        """The units that have a sample to learn from and one to be judged on."""
        present = replace(self.data.samples, features={})  # who has what is enough
        both = self.module.taught(present.rows(self.data.train)), self.module.judged(present.rows(self.data.validation))
        every = torch.ones(self.module.units, dtype=torch.bool, device=self.data.train.device)
        return every & torch.stack([every if rows is None else rows.any(-1) for rows in both]).all(0)

    @property
    def steps(self) -> int:
        """Optimiser steps in one epoch."""
        return len(_batches(self.data.train, self.batch_size))

    def _train(self, order: torch.Generator, threads: ThreadChoice) -> float:
        """One pass over the training samples in random order; the mean loss of samples and units."""
        self.module.train()
        rows = self.data.train
        shuffled = rows[torch.randperm(len(rows), generator=order).to(rows.device)]
        total = torch.zeros((), device=rows.device)
        for chosen in _batches(shuffled, self.batch_size):
            with threads.step():
                total += self._step(self.data.samples.rows(chosen)) * len(chosen)
        return float(total) / len(rows)

    def _step(self, batch: Batch) -> Tensor:
        """One optimiser step; the gradients, as large as the module, are let go after it."""
        with self._precision():
            losses = self.module.objective(batch, self.criterion)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.optimiser.zero_grad()
        return losses.detach().mean()

    @torch.no_grad()
    def validate(self) -> Float[Tensor, " unit"]:
        """Task loss of every unit on the validation samples it can read; infinite of those that are not able."""
        batch = self.data.samples.rows(self.data.validation)
        with self._precision():
            outputs = evaluate(self.module, batch.features, batch.present)
        linked = self.criterion.link(outputs.to(batch.target.dtype))
        scores = self.criterion.score(linked, batch.target)
        judged = self.module.judged(batch)
        return usable_mean(scores, judged).reshape(-1).where(self.able, torch.inf)

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


def _finite_mean(losses: Tensor) -> float:
    finite = losses[losses.isfinite()]
    return float(finite.mean()) if len(finite) else float("inf")
