"""What a prediction is judged by: squared error of values, or cross-entropy of classes.

Both score an output against a *soft* target, so that the task (the observed target) and mutual learning
(the mean of the teachers' predictions) are one formula.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.spec import DataSpec

_VECTOR = 16  # below so many numbers in a row torch takes the exponential of one after the other


class Criterion(ABC):
    """How an output is read as a prediction, and how far a prediction is from a target."""

    @abstractmethod
    def link(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        """The scale on which outputs are scored: log-probabilities of classes, values as they are."""

    @abstractmethod
    def expected(self, linked: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        """What is predicted, on the scale of the target: probabilities of classes, values as they are."""

    @abstractmethod
    def score(
        self, linked: Float[Tensor, "*lead batch out"], target: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        """Loss of each sample, in nats (cross-entropy) or squared units of the target, mean over outputs."""

    @abstractmethod
    def dispersion(
        self, linked: Float[Tensor, "*lead batch out"], mean: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        """What a teacher adds to the divergence from *every* student.

        sum_J w_J D(student, J) = score(student, mean) + sum_J w_J dispersion(J, mean), with the teachers' mean.
        """

    @abstractmethod
    def output_of(self, expected: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        """The output that predicts this: values as they are, logarithms of probabilities."""

    def loss(
        self,
        output: Float[Tensor, "*lead batch out"],
        target: Float[Tensor, "... batch out"],
        usable: Bool[Tensor, "*lead batch"] | None = None,
    ) -> Float[Tensor, "*lead"]:
        """Mean over the samples that count; 0 where none does."""
        return usable_mean(self.score(self.link(output), target), usable)


def usable_mean(
    rows: Float[Tensor, "*lead batch"], usable: Bool[Tensor, "*lead batch"] | None
) -> Float[Tensor, "*lead"]:
    """Mean of each row over the samples that count (all if None); 0 where none does."""
    if usable is None:
        return rows.mean(-1)
    counted = usable.to(rows.dtype)
    return (rows * counted).sum(-1) / counted.sum(-1).clamp(min=1)


class SquaredError(Criterion):
    """Mean squared error over outputs."""

    def link(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return output

    def expected(self, linked: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return linked

    def score(
        self, linked: Float[Tensor, "*lead batch out"], target: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        return (linked - target).square().mean(-1)

    def dispersion(
        self, linked: Float[Tensor, "*lead batch out"], mean: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        return self.score(linked, mean)  # the variance between the teachers

    def output_of(self, expected: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return expected


class CrossEntropy(Criterion):
    """Cross-entropy of class probabilities in nats; the target may be soft.

    With weights the score of a sample counts as much as its target's classes do: times sum_k weights_k target_k. For a
    class that is known this is -sum_k weights_k target_k log p_k. A soft target is the expectation of both, not class
    by class, so that the probabilities with the lowest score still are those of the target: else students that learn
    from each other would be drawn beyond their teachers.

    Args:
        weights: What each class counts, >= 0; None is 1 each.
    """

    def __init__(self, weights: Float[Tensor, " out"] | None = None) -> None:
        self.weights = weights

    def link(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        if output.ndim < 2 or output.shape[-1] >= _VECTOR:
            return output.log_softmax(-1)
        return output.mT.contiguous().log_softmax(-2).mT  # thrice as fast for few classes

    def expected(self, linked: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return linked.exp()

    def score(
        self, linked: Float[Tensor, "*lead batch out"], target: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        return self._weighted(-(target * linked).sum(-1), target)

    def dispersion(
        self, linked: Float[Tensor, "*lead batch out"], mean: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        return self._weighted((linked.exp() * linked).sum(-1), mean)  # minus the teacher's entropy

    def output_of(self, expected: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return expected.clamp(min=torch.finfo(expected.dtype).tiny).log()

    def _weighted(
        self, rows: Float[Tensor, "*lead batch"], target: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        """Each sample times the weight of its target."""
        return rows if self.weights is None else rows * (target * self.weights).sum(-1)


_CRITERIA: dict[str, type[Criterion]] = {"regression": SquaredError, "classification": CrossEntropy}


def criterion_for(spec: DataSpec) -> Criterion:
    """The criterion of the task."""
    return _CRITERIA[spec.task]()
