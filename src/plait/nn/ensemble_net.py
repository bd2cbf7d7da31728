"""A cohort that predicts as one: representations, students, and the weights of their ensemble."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from plait.data.shapes import Features, Output, Present
from plait.nn.averaging import Averaging
from plait.nn.cohort import Cohort
from plait.nn.module import FusionModule
from plait.nn.representations import Representations


class EnsembleNet(FusionModule):
    """Weighted mean of the students that can read a sample.

    A sample is predicted by the ensemble's students whose modalities are all present, their weights
    renormalised; if there is none, by all students that can read it, weighted by `fallback`; if no student
    can, by the prior.

    Args:
        representations: The frozen parts that students read.
        cohort: The students, at one rho.
        averaging: The space in which outputs are averaged.
    """

    weights: Tensor
    fallback: Tensor
    prior: Tensor

    def __init__(self, representations: Representations, cohort: Cohort, averaging: Averaging) -> None:
        super().__init__()
        self.representations, self.cohort, self.averaging = representations, cohort, averaging
        equal = torch.full((cohort.count,), 1 / cohort.count)
        self.register_buffer("weights", equal)
        self.register_buffer("fallback", equal.clone())
        self.register_buffer("prior", torch.zeros(cohort.plan.spec.outputs))

    def students(self, features: Features, present: Present) -> Float[Tensor, "student batch out"]:
        """Every student's own prediction in the space of averaging, the mean over its copies (one a fold)."""
        outputs = self.cohort(self.representations(features, present), present)
        return self.averaging.enter(outputs.unflatten(0, (-1, self.cohort.count))).mean(0)

    def forward(self, features: Features, present: Present) -> Output:
        predictions = self.students(features, present)
        readable = self.cohort.readable(present)
        if readable is None:
            readable = torch.ones(predictions.shape[:2], dtype=torch.bool, device=present.device)
        mean, reached = mean_of_readers(predictions, readable, self.weights, self.fallback)
        return self.averaging.leave(mean).where(reached[:, None], self.prior)


def mean_of_readers(
    predictions: Float[Tensor, "student batch out"],
    readable: Bool[Tensor, "student batch"],
    weights: Float[Tensor, " student"],
    fallback: Float[Tensor, " student"],
) -> tuple[Float[Tensor, "batch out"], Bool[Tensor, " batch"]]:
    """Weighted mean over the students that can read a sample, and which samples some student can read.

    Where none of the students with a positive weight can, the fallback's weights count. Divided by the largest,
    equal weights are exactly 1 and their sums exact: tied votes stay tied.
    """
    own = (weights / weights.max())[:, None] * readable
    spare = (fallback / fallback.max())[:, None] * readable
    shares = own.where(own.sum(0) > 0, spare)
    spoken = predictions.where(shares[..., None] > 0, 0)  # a student that diverged says NaN, with weight 0
    total = shares.sum(0)
    mean = torch.einsum("sb,sbo->bo", shares, spoken) / total.where(total > 0, 1)[:, None]
    return mean, total > 0
