"""A cohort that predicts as one: representations, students, and the weights of their ensemble."""

from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.shapes import Features, Output, Present
from plait.nn.averaging import Averaging
from plait.nn.cohort import Cohort
from plait.nn.committee import Committee, Voices
from plait.nn.learners import Joined, Learners
from plait.nn.representations import Representations

Readers: TypeAlias = Cohort | Learners | Joined


class EnsembleNet(Committee):
    """Weighted mean of the students that can read a sample.

    A sample is predicted by the ensemble's students whose modalities are all present, their weights
    renormalised; if there is none, by all students that can read it, weighted by `fallback`; if no student
    can, by the prior.

    Args:
        representations: The frozen parts that students read.
        cohort: The students: networks at one rho, scikit-learn's learners, or both.
        averaging: The space in which outputs are averaged.
    """

    weights: Tensor
    fallback: Tensor
    prior: Tensor

    def __init__(self, representations: Representations, cohort: Readers, averaging: Averaging) -> None:
        super().__init__()
        self.representations, self.cohort, self.averaging = representations, cohort, averaging
        equal = torch.full((cohort.count,), 1 / cohort.count)
        self.register_buffer("weights", equal)
        self.register_buffer("fallback", equal.clone())
        self.register_buffer("prior", torch.zeros(cohort.plan.spec.outputs))

    def students(self, features: Features, present: Present) -> Float[Tensor, "student batch out"]:
        """Every student's own prediction in the space of averaging, the mean over its copies (one a fold)."""
        return self.averaging.enter(self._by_copy(features, present)).mean(0)

    def forward(self, features: Features, present: Present) -> Output:
        return self.pooled(self.students(features, present), self._readable(present), self.prior)

    @property
    def seats(self) -> int:
        """Every student in every copy of the cohort (the copies share the learners among the students)."""
        copies = [part.copies for part in self.cohort.modules() if isinstance(part, Cohort)]
        return self.cohort.count * max(copies, default=1)

    def voices(self, features: Features, present: Present) -> Voices:
        """Every student in every copy of the cohort, with the same share of its weight in each."""
        outputs = self._by_copy(features, present)
        shares = shares_of_readers(self._readable(present), self.weights.to(outputs), self.fallback.to(outputs))
        total = shares.sum(0)
        shares = shares / (len(outputs) * total.where(total > 0, 1))
        return Voices(outputs.flatten(0, 1), shares.repeat(len(outputs), 1))

    def _by_copy(self, features: Features, present: Present) -> Float[Tensor, "copy student batch out"]:
        """The output of every student in every copy of the cohort."""
        outputs = self.cohort(self.representations(features, present), present)
        by_copy: Tensor = outputs.unflatten(0, (-1, self.cohort.count))
        return by_copy

    def _readable(self, present: Present) -> Bool[Tensor, "student batch"]:
        """Which samples each student can read."""
        readable = self.cohort.readable(present)
        everything = torch.ones(self.cohort.count, len(present), dtype=torch.bool, device=present.device)
        return everything if readable is None else readable

    def pooled(
        self,
        predictions: Float[Tensor, "student batch out"],
        readable: Bool[Tensor, "student batch"],
        prior: Float[Tensor, "... out"],
    ) -> Float[Tensor, "batch out"]:
        """The ensemble's output, given what its students predict in the space of averaging, and who can read what."""
        weights, prior = (self.weights.to(predictions), self.fallback.to(predictions)), prior.to(predictions)
        mean, reached = mean_of_readers(predictions, readable, *weights)
        readers = (shares_of_readers(readable, *weights) > 0).sum(0)
        return self.averaging.pool(mean, readers, prior).where(reached[:, None], prior)


def shares_of_readers(
    readable: Bool[Tensor, "student batch"], weights: Float[Tensor, " student"], fallback: Float[Tensor, " student"]
) -> Float[Tensor, "student batch"]:
    """The weight of every student in every sample, before they are divided by their sum.

    Where none of the students with a positive weight can read, the fallback's weights count. Divided by the largest,
    equal weights are exactly 1 and their sums exact: tied votes stay tied.
    """
    own = (weights / weights.max())[:, None] * readable
    spare = (fallback / fallback.max())[:, None] * readable
    return own.where(own.sum(0) > 0, spare)


def mean_of_readers(
    predictions: Float[Tensor, "student batch out"],
    readable: Bool[Tensor, "student batch"],
    weights: Float[Tensor, " student"],
    fallback: Float[Tensor, " student"],
) -> tuple[Float[Tensor, "batch out"], Bool[Tensor, " batch"]]:
    """Weighted mean over the students that can read a sample, and which samples some student can read."""
    shares = shares_of_readers(readable, weights, fallback)
    spoken = predictions.where(shares[..., None] > 0, 0)  # a student that diverged says NaN, with weight 0
    total = shares.sum(0)
    mean = torch.einsum("sb,sbo->bo", shares, spoken) / total.where(total > 0, 1)[:, None]
    return mean, total > 0
