"""How predictions of several students become one: the space in which they are averaged, and back."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float, Int
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

    def pool(
        self, mean: Float[Tensor, "row out"], readers: Int[Tensor, " row"], prior: Float[Tensor, "... out"]
    ) -> Float[Tensor, "row out"]:
        """The output for rows, given the mean over the students that read them.

        Args:
            mean: Weighted mean in the space.
            readers: How many students read the row.
            prior: Output for a sample about which nothing is known, one for all rows or one a row.
        """
        return self.leave(mean)


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


class Product(Logits):
    """Product of experts: p ~ prior^(1 - k) p_1 ... p_k for the k students that read a sample.

    What independent sources say of a class given the same prior (Bayes); Hinton, "Training Products of Experts by
    Minimizing Contrastive Divergence" (2002), with the prior counted once as in the Bayesian committee machine
    (Tresp, 2000). Probabilities are clipped at 2.2e-16, so that no student can rule a class out for ever.
    """

    def enter(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return output.log_softmax(-1).clamp(min=_LOWEST)

    def pool(
        self, mean: Float[Tensor, "row out"], readers: Int[Tensor, " row"], prior: Float[Tensor, "... out"]
    ) -> Float[Tensor, "row out"]:
        return readers[:, None] * mean + (1 - readers[:, None]) * self.enter(prior).to(mean)


_LOWEST = math.log(torch.finfo(torch.float64).eps)
_OF_CLASSES: dict[str, type[Averaging]] = {
    "product": Product,
    "probabilities": Probabilities,
    "logits": Logits,
    "votes": Votes,
}


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
