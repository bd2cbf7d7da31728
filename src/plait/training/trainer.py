"""The training loop: minibatches, early stopping, best weights for every unit, progress, seeds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from sklearn.base import BaseEstimator
from torch import Tensor

from plait.data.batches import TrainingData
from plait.data.settings import check_one_of, check_real, check_whole
from plait.nn.module import FusionModule
from plait.training.clipping import Clipping
from plait.training.crossfit import CrossFit
from plait.training.keeper import BestState, Keeper, LastState
from plait.training.loop import AfterEpoch, Loop
from plait.training.optimiser import Adam, Moments, moment_tensors, stacked_optimiser, unit_optimiser
from plait.training.progress import EpochBar
from plait.training.schedule import SCHEDULES, Schedule
from plait.training.threads import chosen_threads
from plait.training.weighting import CLASS_WEIGHTS, criterion_of

_PRECISION = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


@dataclass(frozen=True)
class TrainingResult:
    """What a run of training found.

    Args:
        losses: Lowest validation loss of every unit (task loss, mean over the samples it can read); inf where
            it was never finite, and NaN where nothing is held out.
        epochs: Epoch of that loss, from 0; -1 where it was never finite. The last one where nothing is held out.
        history: One row an epoch: phase, epoch, training loss, validation loss, best validation loss (means over
            the units), seconds since the start of the phase.
        moments: The optimiser's memory at each unit's best epoch, if it was asked for.
        crossfit: What the units said of validation samples, if it was asked for.
    """

    losses: Float[Tensor, " unit"]
    epochs: Int[Tensor, " unit"]
    history: pd.DataFrame
    moments: Moments | None = None
    crossfit: CrossFit | None = None


@dataclass(repr=False, eq=False)
class Trainer(BaseEstimator):
    """How every method is trained: Adam on minibatches, the best weights on validation data kept.

    Where nothing is held out (`validation=0`), training takes all epochs, and the last weights are kept.

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
        schedule: Learning rate from step to step: "constant"; "cosine", half a cosine from learning_rate at the first
            step to 1 % of it at the last of all `epochs` (early stopping cuts it short); "halving", half as much in
            every epoch as in the one before. Every phase of a method that trains in phases begins anew.
        clip: Largest Euclidean norm of the gradient at a step, > 0, for each unit (student, copy of a fold) by itself;
            None leaves gradients as they are.
        epoch_samples: Training samples in an epoch, at least 1, drawn anew for each epoch without replacement: an
            epoch is then a fixed amount of work, however many samples there are. None is all of them.
        class_weight: "balanced" lets a sample count 1 / (share of its class among the training samples), "sqrt" the
            square root of that, scaled so that the mean over the training samples is 1; None counts all alike. For
            classes alone. It is in training and validation losses of networks, not in scikit-learn's learners, nor in
            what `MetaFusion` judges students and chooses an ensemble by (but in its students' losses with
            stopping="same-rows"). Predicted probabilities are then those of classes so reweighted: "balanced", of
            classes that are equally frequent.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    patience: int | None = 15
    device: str = "auto"
    precision: Literal["float32", "float64", "bfloat16"] = "float32"
    threads: int | None = None
    schedule: Literal["constant", "cosine", "halving"] = "constant"
    clip: float | None = None
    epoch_samples: int | None = None
    class_weight: Literal["balanced", "sqrt"] | None = None

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
        check_one_of("schedule of the trainer", self.schedule, SCHEDULES)
        for name in ("patience", "threads", "epoch_samples"):
            if getattr(self, name) is not None:
                check_whole(f"{name} of the trainer", getattr(self, name), 1)
        if self.clip is not None:
            check_real("clip of the trainer", self.clip, above=True)
        if self.class_weight is not None:
            check_one_of("class_weight of the trainer", self.class_weight, CLASS_WEIGHTS)

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
        half: Bool[Tensor, " validation"] | None = None,
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
            half: To which half each validation sample belongs: keep what is said of a sample at the epoch that the
                other half chooses. None does not.

        Raises:
            ValueError: If a setting is out of range or not for the task, no unit can learn and be judged, no validation
                loss was ever finite, or, where nothing is held out, the weights ended as NaN.
        """
        self.check()
        device = self._device()
        module.to(device, self.dtype)
        loop = self._loop(module, data.to(device, self.dtype), warm, keep_moments=keep_moments)
        if not bool(loop.able.any()):
            raise ValueError(_nothing_to_learn(data))
        if half is not None:
            loop.crossfit = CrossFit(half.to(device), module.units, data.spec.outputs, self.dtype)
        history = []
        bar = EpochBar(self.epochs, phase, verbose)
        with bar, _seeded(seed, device), chosen_threads(self.threads, device, module) as threads:
            order = torch.Generator().manual_seed(seed)
            for row in loop.epochs(self.epochs, self.patience, order, threads, after_epoch, bar.within):
                history.append({"phase": phase, **row})
                bar.end(row["training_loss"], row["validation_loss"])
        return self._result(loop, pd.DataFrame(history))

    def _loop(self, module: FusionModule, data: TrainingData, warm: Moments | None, *, keep_moments: bool) -> Loop:
        """The loop with its optimiser and keeper; a warm start has an optimiser state for every unit."""
        settings = (self.learning_rate, self.weight_decay)
        optimiser = stacked_optimiser(module, *settings) if warm is None else unit_optimiser(module, warm, *settings)
        keeper = _keeper(module, optimiser, data, with_moments=keep_moments)
        return Loop(
            module=module,
            optimiser=optimiser,
            data=data,
            criterion=criterion_of(data, self.class_weight),
            best=keeper,
            batch_size=self.batch_size,
            mixed=self.precision == "bfloat16",
            rate=partial(self._rate, SCHEDULES[self.schedule]),
            clipping=None if self.clip is None else Clipping(module, self.clip),
            epoch_samples=self.epoch_samples,
        )

    def _rate(self, schedule: Schedule, step: int, steps: int) -> float:
        """The learning rate at a step."""
        return self.learning_rate * schedule(step, steps, self.epochs)

    def _result(self, loop: Loop, history: pd.DataFrame) -> TrainingResult:
        """Best weights restored; refuses a module that diverged."""
        best = loop.best
        if best.trouble:
            raise ValueError(
                f"Training diverged: {best.trouble} in {len(history)} epochs at learning_rate="
                f"{self.learning_rate}. Lower the learning rate, or scale the inputs and the target."
            )
        best.restore()
        loop.module.eval().zero_grad(set_to_none=True)  # gradients are as large as the module: let them go
        kept = {kind: _of_kind(best.best, kind) for kind in ("first", "second")}
        moments = Moments(**kept, steps=(best.epochs + 1) * loop.steps) if kept["first"] else None
        return TrainingResult(best.losses.cpu(), best.epochs.cpu(), history, moments, loop.crossfit)

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


def _keeper(module: FusionModule, optimiser: Adam, data: TrainingData, *, with_moments: bool) -> Keeper:
    """What keeps the weights (and the optimiser's memory): the best where some samples are held out, else the last."""
    state, owners = dict(module.state_dict()), dict(module.owners())
    if with_moments:
        moments = moment_tensors(module, optimiser)
        state |= moments
        owners |= {name: owners[name.rpartition("/")[0]] for name in moments}
    kind = BestState if len(data.validation) else LastState
    return kind(state, owners, module.units)


def _nothing_to_learn(data: TrainingData) -> str:
    """Why no unit can learn and be judged: which modalities the training or the validation samples lack."""
    present = data.samples.present
    parts = [rows for rows in (data.train, data.validation) if len(rows)]
    found = torch.stack([present[rows].any(0) for rows in parts]).all(0).tolist()
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
