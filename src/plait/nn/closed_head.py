"""A student without epochs: a ridge regression on what it reads, or on all products too, or a logistic regression."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias, TypeGuard, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from plait.data.spec import DataSpec
from plait.nn.closed_path import ClosedPath, Fit
from plait.nn.extractors import Encoder, Module, is_frozen
from plait.nn.logistic_path import LogisticPath
from plait.nn.ridge_path import RidgePath
from plait.nn.students import Student
from plait.nn.temperature import PLUS_FOUR, temperature

Closed: TypeAlias = Literal["ridge", "quadratic", "logistic"]
CLOSED: tuple[str, ...] = get_args(Closed)
MOST: Mapping[str, int] = {"ridge": 4096, "quadratic": 512, "logistic": 4096}
"""Values that a head in closed form reads at most: there is a decomposition of a matrix of that size, or a weight for
each two of them."""
_PATHS: Mapping[str, Callable[[Tensor], ClosedPath]] = {
    "ridge": partial(RidgePath, products=False),
    "quadratic": partial(RidgePath, products=True),
    "logistic": LogisticPath,
}
_LEAST = math.log(float(np.finfo(np.float64).eps))  # output of a class that was not among the training samples


class ClosedHead(nn.Module):
    """Output = bias + x' linear + x' products x, found by a `plait.nn.closed_path.ClosedPath`.

    A ridge regresses classes one-hot. Outputs of classes are multiplied by the one number that makes the probabilities
    of samples left out most likely (temperature scaling, with the doubt of few samples); what is said of a fold is
    multiplied by that of all others, so that nobody is judged by what it was adjusted to.

    Args:
        kind: "ridge", "quadratic" or "logistic".
        spec: Outputs and task.
        width: Number of values that are read.

    Raises:
        ValueError: If it is to read more values than such a head can.
    """

    linear: Tensor
    products: Tensor
    bias: Tensor

    def __init__(self, kind: Closed, spec: DataSpec, width: int) -> None:
        super().__init__()
        if width > MOST[kind]:
            raise ValueError(
                f"'{kind}' reads at most {MOST[kind]} values (got {width}). Let it read fewer, as a learner of "
                "MetaFusion: principal components ('pca-20'), or a shared part ('shared-20')."
            )
        self.kind, self.spec = kind, spec
        size = width if kind == "quadratic" else 0
        self.register_buffer("linear", torch.zeros(width, spec.outputs))
        self.register_buffer("products", torch.zeros(spec.outputs, size, size))
        self.register_buffer("bias", torch.zeros(spec.outputs))

    def path(self, values: Float[Tensor, "sample width"]) -> ClosedPath:
        """What the head is fitted by, on samples."""
        return _PATHS[self.kind](values)

    def take(self, found: Fit, target: Float[Tensor, "row out"], fold: Int[Tensor, " row"]) -> Float[Tensor, "row out"]:
        """Take the weights of a fit; of classes with the temperature of what is said of samples left out.

        Args:
            found: The fit.
            target: Of the samples that it is a fit to: real values, or classes one-hot.
            fold: The fold of each; -1 where it is never judged.

        Returns:
            The output for each sample, of the fit that had left it out.
        """
        scale, bias, left_out = 1.0, found.bias, found.left_out
        if self.spec.task == "classification":
            scale = warmth(left_out, target)
            left_out = _warmed(left_out, target, fold, scale)
            bias, left_out = (torch.where(target.any(0), part, _LEAST) for part in (scale * bias, left_out))
        self.linear.copy_(scale * found.linear)
        if found.products is not None:
            self.products.copy_(scale * found.products)
        self.bias.copy_(bias)
        return left_out

    def forward(self, values: Float[Tensor, "batch width"]) -> Float[Tensor, "batch out"]:
        """Outputs for samples; zeros before a fit was taken."""
        linear, products, bias = (part.to(values) for part in (self.linear, self.products, self.bias))
        found = torch.addmm(bias, values, linear)
        if not products.numel():
            return found
        return found + ((values @ products) * values).sum(-1).T

    def extra_repr(self) -> str:
        """Its kind and sizes."""
        return f"{self.kind}, {len(self.linear)} -> {len(self.bias)}"


def warmth(outputs: Float[Tensor, "row out"], target: Float[Tensor, "row out"]) -> float:
    """What outputs are multiplied by, so that the probabilities of the classes that are true become most likely."""
    return 1 / temperature(outputs.numpy(), target.argmax(1).numpy(), doubt=PLUS_FOUR)


def _warmed(
    left_out: Float[Tensor, "row out"], target: Float[Tensor, "row out"], fold: Int[Tensor, " row"], scale: float
) -> Float[Tensor, "row out"]:
    """What is said of each fold, multiplied by what makes the others most likely; without others by the scale."""
    found = scale * left_out
    for one in set(fold.tolist()) - {-1}:
        own = fold == one
        if not bool(own.all()):
            found[own] = warmth(left_out[~own], target[~own]) * left_out[own]
    return found


def is_closed(base: Any) -> TypeGuard[Closed]:
    """Whether this is the word for a head in closed form."""
    return isinstance(base, str) and base in CLOSED


def closed_readers(kind: Closed, students: Sequence[Student], spec: DataSpec) -> list[Student]:
    """Those of the students who read no more than such a head can, and nothing that is trained with its reader."""
    return [one for one in students if _frozen(one, spec) and one.width(spec) <= MOST[kind]]


def _frozen(student: Student, spec: DataSpec) -> bool:
    trained = [name for name, one in student.reads if isinstance(one, Module) and not is_frozen(spec.encoders[name])]
    return not trained and not any(isinstance(one, Encoder) for _, one in student.reads)
