"""The training loop: minibatches, early stopping, best weights for every unit, progress, seeds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import torch
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator
from torch import Tensor

from plait.data.batches import TrainingData
from plait.data.settings import check_one_of, check_real, check_whole
from plait.nn.criteria import criterion_for
from plait.nn.module import FusionModule
from plait.training.keeper import BestState
from plait.training.loop import AfterEpoch, Loop
from plait.training.optimiser import Moments, moment_tensors, stacked_optimiser, unit_optimiser
from plait.training.progress import progress_bar
from plait.training.threads import chosen_threads

_PRECISION = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


@dataclass(frozen=True)
class TrainingResult:
    """What a run of training found.

    Args:
        losses: Lowest validation loss of every unit (task loss, mean over the samples it can read); inf where
            it was never finite.
        epochs: Epoch of that loss, from 0; -1 where it was never finite.
        history: One row an epoch: phase, epoch, training loss, validation loss, best validation loss (means over
            the units), seconds since the start of the phase.
        moments: The optimiser's memory at each unit's best epoch, if it was asked for.
    """

    losses: Float[Tensor, " unit"]
    epochs: Int[Tensor, " unit"]
    history: pd.DataFrame
    moments: Moments | None = None


@dataclass(repr=False, eq=False)
class Trainer(BaseEstimator):
    """How every method is trained: Adam on minibatches, the best weights on validation data kept.

    Args:
        epochs: Passes over the training samples, at most.
        batch_size: Samples a step; the last step of an epoch takes the rest.
        learning_rate: Step size of Adam, > 0.
        weight_decay: Decoupled weight decay (AdamW), >= 0; 0 is plain Adam.
        patience: Epochs without progress after which training stops; None never stops early. Progress is a fall
            of the best validation losses, averaged over the units, by more than one part in a thousand.
        device: "auto" (a GPU if torch sees one), or torch's name of a device.
        precision: "float32", "float64", or "bfloat16" (mixed: products in bfloat16, weights in float32).
        threads: Threads on the processor; None chooses by timing the first steps where that cannot change a result,
            else by the size of the module.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    patience: int | None = 15
    device: str = "auto"
    precision: Literal["float32", "float64", "bfloat16"] = "float32"
    threads: int | None = None

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights."""
        return _PRECISION[self.precision]

    def check(self) -> None:
        """Raise ValueError if a setting is out of its range."""
        check_whole("epochs of the trainer", self.epochs, 1)
        check_whole("batch_size of the trainer", self.batch_size, 1)
        check_real("learning_rate of the trainer", self.learning_rate, above=True)
        check_real("weight_decay of the trainer", self.weight_decay)
        check_one_of("precision of the trainer", self.precision, _PRECISION)
        for name, value in {"patience": self.patience, "threads": self.threads}.items():
            if value is not None:
                check_whole(f"{name} of the trainer", value, 1)

    def run(
        self,
        module: FusionModule,
        data: TrainingData,
        seed: int,
        *,
        phase: str = "training",
        verbose: int = 0,
        after_epoch: AfterEpoch | None = None,
        warm: Moments | None = None,
        keep_moments: bool = False,
    ) -> TrainingResult:
        """Train a module and leave it with every unit's best weights.

        Args:
            module: The module; trained in place.
            data: Samples, and which of them train and which validate.
            seed: Seed of the order of the samples and of dropout.
            phase: Name shown beside the progress bar and in the history.
            verbose: 0 is silent; 1 shows a progress bar on standard error.
            after_epoch: Called with the number of epochs done and the validation losses of the units.
            warm: Start from this memory of the optimiser instead of an empty one.
            keep_moments: Keep the optimiser's memory at the best epochs in the result.

        Raises:
            ValueError: If a setting is out of range, no unit can learn and be judged, or no validation loss was ever
                finite.
        """
        self.check()
        device = self._device()
        module.to(device, self.dtype)
        loop = self._loop(module, data.to(device, self.dtype), warm, keep_moments=keep_moments)
        if not bool(loop.able.any()):
            raise ValueError(_nothing_to_learn(data))
        history = []
        bar = progress_bar(self.epochs, phase, "epoch", verbose)
        with bar, _seeded(seed, device), chosen_threads(self.threads, device, module) as threads:
            order = torch.Generator().manual_seed(seed)
            for row in loop.epochs(self.epochs, self.patience, order, threads, after_epoch):
                history.append({"phase": phase, **row})
                bar.set_postfix(loss=f"{row['training_loss']:.4g}", validation=f"{row['validation_loss']:.4g}")
                bar.update()
        return self._result(loop, pd.DataFrame(history))

    def _loop(self, module: FusionModule, data: TrainingData, warm: Moments | None, *, keep_moments: bool) -> Loop:
        """The loop with its optimiser and keeper; a warm start has an optimiser state for every unit."""
        settings = (self.learning_rate, self.weight_decay)
        optimiser = stacked_optimiser(module, *settings) if warm is None else unit_optimiser(module, warm, *settings)
        state, owners = dict(module.state_dict()), dict(module.owners())
        if keep_moments:
            moments = moment_tensors(module, optimiser)
            state |= moments
            owners |= {name: owners[name.rpartition("/")[0]] for name in moments}
        best = BestState(state, owners, module.units)
        mixed = self.precision == "bfloat16"
        return Loop(module, optimiser, data, criterion_for(data.spec), best, self.batch_size, mixed)

    def _result(self, loop: Loop, history: pd.DataFrame) -> TrainingResult:
        """Best weights restored; refuses a module that never had a finite loss."""
        best = loop.best
        if not bool(best.losses.isfinite().any()):
            raise ValueError(
                f"Training diverged: no validation loss was finite in {len(history)} epochs at learning_rate="
                f"{self.learning_rate}. Lower the learning rate, or scale the inputs and the target."
            )
        best.restore()
        loop.module.eval().zero_grad(set_to_none=True)  # gradients are as large as the module: let them go
        kept = {kind: _of_kind(best.best, kind) for kind in ("first", "second")}
        moments = Moments(**kept, steps=(best.epochs + 1) * loop.steps) if kept["first"] else None
        return TrainingResult(best.losses.cpu(), best.epochs.cpu(), history, moments)

    def _device(self) -> torch.device:
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            return torch.empty(0, device=self.device).device
        except (RuntimeError, TypeError, AssertionError) as error:
            raise ValueError(
                f"device of the trainer must be 'auto' or one that torch can use here, for example 'cpu' or 'cuda' "
                f"(got {self.device!r}): {error}"
            ) from error


def _nothing_to_learn(data: TrainingData) -> str:
    """Why no unit can learn and be judged: which modalities the training or the validation samples lack."""
    present = data.samples.present
    found = torch.stack([present[rows].any(0) for rows in (data.train, data.validation)]).all(0).tolist()
    lacking = [name for name, both in zip(data.spec.names, found, strict=True) if not both]
    return (
        f"There is nothing to learn from: what is read needs the modalities {lacking}, which no training sample has, "
        "or no validation sample. Give more samples that have them, or read others."
    )


def _of_kind(state: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    """The kept moments of one kind, by parameter."""
    return {name.rpartition("/")[0]: tensor for name, tensor in state.items() if name.endswith(f"/{kind}")}


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's global generators seeded within (dropout draws from them), and restored after."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
