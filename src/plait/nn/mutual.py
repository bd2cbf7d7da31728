"""Mutual learning in closed form: the distance of every student to the mean of the teachers.

The published double loop adds sum_J w_J D(f_I, sg[f_J]) to the loss of each student I. Both divergences
split into the distance to the weighted mean of the teachers and a term that does not depend on I (Meta
Fusion specification, 2.2), so the loop over pairs of students becomes one tensor operation.
"""

from jaxtyping import Bool, Float
from torch import Tensor

from plait.nn.criteria import Criterion, usable_mean


def mutual_penalty(
    linked: Float[Tensor, "copy student batch out"],
    teachers: Float[Tensor, "copy student"],
    criterion: Criterion,
    usable: Bool[Tensor, "copy student batch"] | None = None,
) -> Float[Tensor, "copy student"]:
    """Sum over the teachers J of w_J D(student, teacher J), with the teachers held fixed.

    D is the mean squared difference (regression) or KL(teacher || student) (classification), the mean over
    the samples that a student can read. A sample's teachers are those that can read it, their weights
    renormalised; a sample without a teacher adds nothing.

    Args:
        linked: Outputs of all students, in independent copies of the cohort, on the criterion's link scale.
        teachers: Weight of each student as a teacher of its copy; rows sum to 1.
        criterion: Task criterion.
        usable: Which samples each student can read and may learn from; None is all.
    """
    if usable is None:
        return _distance(linked, teachers[:, :, None], criterion).mean(-1)
    weights = teachers[:, :, None] * usable
    total = weights.sum(1, keepdim=True)
    rows = _distance(linked, weights / total.where(total > 0, 1), criterion)
    return usable_mean(rows * (total > 0), usable)


def _distance(
    linked: Float[Tensor, "copy student batch out"],
    weights: Float[Tensor, "copy student #batch"],
    criterion: Criterion,
) -> Float[Tensor, "copy student batch"]:
    """score(f_I, fbar) + sum_J w_J dispersion(f_J, fbar), for every student I and sample."""
    fixed = linked.detach().where(weights[..., None] > 0, 0)  # one that diverged says NaN, with weight 0
    mean = (weights[..., None] * criterion.expected(fixed)).sum(1, keepdim=True)
    constant = (weights * criterion.dispersion(fixed, mean)).sum(1, keepdim=True)
    return criterion.score(linked, mean) + constant
