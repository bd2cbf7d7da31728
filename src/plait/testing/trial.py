"""What the checks try a method on: small problems, small samples, a short course."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from plait.data.batches import Batch, TrainingData
from plait.data.shapes import Output
from plait.data.spec import DataSpec, Task
from plait.methods.base import Fitted, Method
from plait.nn.criteria import criterion_for
from plait.nn.module import FusionModule, evaluate
from plait.training.course import Course
from plait.training.trainer import Trainer

Shapes = Mapping[str, tuple[int, ...]]

VECTOR_AND_SERIES: Shapes = {"a": (5,), "b": (2, 3)}
THREE: Shapes = {"a": (5,), "b": (4, 2), "c": (1, 3, 2)}
FOLDS = 3
_COUNT = 48


@dataclass(frozen=True)
class Problem:
    """A kind of target.

    Args:
        task: "classification" or "regression".
        outputs: Number of classes, or of targets.
    """

    task: Task
    outputs: int

    def __str__(self) -> str:
        unit = "class" if self.task == "classification" else "target"
        many = "" if self.outputs == 1 else "es" if unit == "class" else "s"
        return f"{self.task} ({self.outputs} {unit}{many})"


PROBLEMS = (Problem("classification", 3), Problem("regression", 1), Problem("regression", 2))


@dataclass(frozen=True)
class Scope:
    """What a method does not claim, so that the checks do not ask for it; by default it claims everything.

    Args:
        problems: The kinds of target that it can learn, at least one; those of `PROBLEMS` that are not listed must
            be refused with a ValueError.
        random: Whether it draws random numbers: whether another seed gives another model.
        chooses: Whether outputs for validation samples depend on choices made on their targets (the weights of an
            ensemble); the promise that they do not is then not checked.
        encoders: Whether modalities are read through the user's modules (or these are refused); a method that reads
            no features at all leaves them aside.
    """

    problems: Sequence[Problem] = PROBLEMS
    random: bool = True
    chooses: bool = False
    encoders: bool = True

    @property
    def tasks(self) -> Sequence[Problem]:
        """One problem of every task."""
        return tuple({problem.task: problem for problem in self.problems}.values())


EVERYTHING = Scope()


def small_samples(
    problem: Problem,
    shapes: Shapes = VECTOR_AND_SERIES,
    *,
    folds: int = 1,
    absent: float = 0.0,
    encoders: Mapping[str, nn.Module] | None = None,
) -> TrainingData:
    """Forty-eight samples of which every modality tells the target, with noise; the same at every call.

    Args:
        problem: The target.
        shapes: The modalities.
        folds: Folds of validation; 1 holds a quarter of the samples out.
        absent: Share of absent modalities; every sample keeps at least one.
        encoders: Modules of the user.
    """
    draw = torch.Generator().manual_seed(0)
    target = torch.randn(_COUNT, problem.outputs, generator=draw, dtype=torch.float64)
    if problem.task == "classification":
        classes = torch.randperm(_COUNT, generator=draw) % problem.outputs
        target = one_hot(classes, problem.outputs).double()
    present = torch.rand(_COUNT, len(shapes), generator=draw) >= absent
    present[torch.arange(_COUNT), torch.randint(len(shapes), (_COUNT,), generator=draw)] = True
    features = {name: _telling(target, shape, draw) for name, shape in shapes.items()}
    fold = torch.arange(_COUNT) % 4
    fold = torch.where(fold == 0, 0, -1) if folds == 1 else torch.arange(_COUNT) % folds
    spec = DataSpec(dict(shapes), problem.outputs, problem.task, encoders or {}, folds)
    return TrainingData(with_absent(Batch(features, present, target, fold), 0.0), spec)


def _telling(target: Tensor, shape: tuple[int, ...], draw: torch.Generator) -> Tensor:
    """Gaussian features that are shifted by the target."""
    noise = torch.randn(len(target), *shape, generator=draw, dtype=torch.float64)
    shift = torch.randn(target.shape[1], *shape, generator=draw, dtype=torch.float64)
    found: Tensor = noise + torch.tensordot(target, shift, dims=1)
    return found


def with_absent(batch: Batch, *values: float) -> Batch:
    """The same samples with these values, in turn, in the features of absent modalities."""
    features = {}
    for place, (name, found) in enumerate(batch.features.items()):
        axes = [1] * (found.ndim - 1)
        garbage = torch.tensor(values, dtype=found.dtype)[torch.arange(len(found)) % len(values)]
        features[name] = found.where(batch.present[:, place].reshape(-1, *axes), garbage.reshape(-1, *axes))
    return replace(batch, features=features)


def fit(method: Method, data: TrainingData, *, seed: int = 0) -> Fitted:
    """One epoch of training in double precision on one thread."""
    trainer = Trainer(
        epochs=1,
        batch_size=20,
        learning_rate=0.01,
        weight_decay=0.0,
        patience=None,
        device="cpu",
        precision="float64",
        threads=1,
    )
    return method.fit(Course(trainer, data, seed))


def refuses(method: Method, data: TrainingData) -> bool:
    """Whether fitting raises a ValueError."""
    try:
        fit(method, data)
    except ValueError:
        return True
    return False


def outputs(module: FusionModule, batch: Batch) -> Output:
    """A module's outputs for samples, in double precision."""
    return evaluate(module.double(), batch.features, batch.present).double()


def predictions(spec: DataSpec, output: Output) -> Output:
    """What outputs predict: probabilities of the classes, or values."""
    criterion = criterion_for(spec)
    return criterion.expected(criterion.link(output.double()))


def require(kept: bool, method: Method, broken: str, remedy: str) -> None:
    """Raise AssertionError if a promise is not kept.

    Args:
        kept: Whether it is.
        method: Who promised it.
        broken: What was found.
        remedy: What to do.
    """
    if not kept:
        raise AssertionError(f"{type(method).__name__}: {broken} {remedy}")
