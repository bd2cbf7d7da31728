"""How predictions of several students become one: the space in which they are averaged, and back."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from plait.data.spec import DataSpec
from plait.nn.validation import LOGITS, PROBABILITIES, VALUES, Space


class Averaging(ABC):
    """A space in which a weighted mean of predictions is taken.

    Attributes:
        space: How ensembles are judged there.
    """

    space: ClassVar[Space]

    @abstractmethod
    def enter(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        """A student's output in the space."""

    @abstractmethod
    def leave(self, mean: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        """The output that a mean in the space stands for."""


class Values(Averaging):
    """Values of a regression, as they are."""

    space = VALUES

    def enter(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return output

    def leave(self, mean: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return mean


class Logits(Values):
    """Logits of classes, as the paper averages them."""

    space = LOGITS


class Probabilities(Averaging):
    """Class probabilities."""

    space = PROBABILITIES

    def enter(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return output.softmax(-1)

    def leave(self, mean: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


class Votes(Probabilities):
    """One vote a student for its most probable class (ties to the first); shares of votes as probabilities."""

    def enter(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return one_hot(output.argmax(-1), output.shape[-1]).to(output.dtype)


_OF_CLASSES: dict[str, type[Averaging]] = {"probabilities": Probabilities, "logits": Logits, "votes": Votes}


def averaging_for(spec: DataSpec, average: str) -> Averaging:
    """How the predictions of a task are averaged; values of a regression always as they are.

    Raises:
        ValueError: If the way is unknown, or a regression is asked to vote.
    """
    if average not in _OF_CLASSES:
        raise ValueError(f"average must be one of {', '.join(_OF_CLASSES)} (got {average!r}).")
    if spec.task == "classification":
        return _OF_CLASSES[average]()
    if average == "votes":
        raise ValueError("Voting needs classes; choose an ensemble that averages for a regression.")
    return Values()
