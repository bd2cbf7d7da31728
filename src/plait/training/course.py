"""The circumstances of training, in one piece: what on, by whom, from which seed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.module import FusionModule
from plait.training.loop import AfterEpoch
from plait.training.optimiser import Moments
from plait.training.trainer import Trainer, TrainingResult


@dataclass(frozen=True)
class Course:
    """The circumstances of training: by whom, on what, from which seed, how talkative.

    Args:
        trainer: The trainer.
        data: Samples with cached representations.
        seed: Seed of initial weights, order of samples, dropout and screening; each draws from a stream of its own.
        verbose: 1 shows progress bars.
    """

    trainer: Trainer
    data: TrainingData
    seed: int
    verbose: int = 0

    def stream(self, place: int) -> int:
        """Seed of an independent stream of random numbers."""
        return int(np.random.SeedSequence((self.seed, place)).generate_state(1)[0]) >> 1

    def run(
        self,
        module: FusionModule,
        place: int,
        phase: str,
        *,
        after_epoch: AfterEpoch | None = None,
        warm: Moments | None = None,
        keep_moments: bool = False,
        half: Bool[Tensor, " validation"] | None = None,
    ) -> TrainingResult:
        """Train a module with the random numbers of a stream."""
        return self.trainer.run(
            module,
            self.data,
            self.stream(place),
            phase=phase,
            verbose=self.verbose,
            after_epoch=after_epoch,
            warm=warm,
            keep_moments=keep_moments,
            half=half,
        )

    def generator(self) -> torch.Generator:
        """Source of the initial weights, the same at every call."""
        return torch.Generator().manual_seed(self.stream(0))

    @contextmanager
    def initial_weights(self) -> Iterator[None]:
        """Torch's global generator seeded for initial weights within, and restored after."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.stream(0))
            yield
