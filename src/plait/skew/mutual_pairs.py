"""Heads of several sets of pairs that learn from the best of each other, of which one is kept.

Meta Fusion's mutual learning (Liang, Qu and Shahbaba, 2025) with heads of pairs for students: all are trained alone,
those in the best cluster of validation losses become teachers, and all are trained again from the same weights, drawn
to the teachers' mean by rho. Of the trained heads the one of the chosen set is kept, so that its network is as small
as one that learned alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.averaged_net import AveragedNet
from plait.nn.layers import Rows
from plait.nn.screening import screen, teacher_weights
from plait.skew.pair_cohort import PairCohort, Peers
from plait.skew.pair_net import PairCopies
from plait.skew.search import Search
from plait.skew.selection import Pairs
from plait.skew.uncertainty import confidence_set
from plait.training.course import Course
from plait.training.ensembling import prior_output
from plait.training.networks import LearnedNetwork, own_outputs
from plait.training.trainer import TrainingResult

_STREAM = 1  # of a network that is trained alone: the same batches and dropout, at every rho


def peers_of(search: Search, most: int, margin: float, level: float) -> tuple[Pairs, ...]:
    """Whom the chosen set learns with: single pairs that are not told apart from the best, then the next best ones.

    Scores are those of the operator of the choice.

    Args:
        search: What was searched; where no fusion is supported there are no peers.
        most: Most peers.
        margin: Of the confidence set, at least 0.
        level: Of the confidence set, in (0, 1).
    """
    near, scores = confidence_set(search.fused, margin, level), search.fused.values
    singles = [row for row, (name, pairs) in enumerate(search.sets) if name == search.operator and len(pairs) == 1]
    others = [row for row in singles if search.sets[row][1] != search.selection.pairs]
    ranked = sorted(others, key=lambda row: (not near[row], -scores[row]))
    return tuple(search.sets[row][1] for row in ranked[:most])


def learn_mutually(
    net: AveragedNet, peers: Peers, rhos: Sequence[float], course: Course, generator: torch.Generator
) -> LearnedNetwork:
    """Train the network of the chosen set together with its peers, at every rho; keep it as it is at the best.

    At rho = 0 it is the same as training it alone, to rounding, if training takes all epochs (patience looks at the
    mean loss of all heads). The teachers are screened at rho = 0, which competes if it is listed. Of equal losses the
    first wins: where the chosen set is the only teacher all are, and nothing is trained again.

    Args:
        net: The network with fresh weights; trained in place.
        peers: Whom it learns with.
        rhos: Strengths to choose from, by the validation loss of the chosen set's head; one or more positive.
        course: Samples as they come, in the precision of the training; trainer and seed.
        generator: Source of the peers' initial weights.

    Returns:
        The network; its settings are the rhos, in their order.

    Raises:
        ValueError: If training diverged.
    """
    chosen = cast("PairCopies", net.net)
    net.to(course.trainer.dtype)
    data = course.data.with_features(net.representations)
    runs = _runs(peers.students(chosen, generator), peers, rhos, replace(course, data=peers.data))
    history = pd.concat([run.result.history for run in runs if run.place == 0], ignore_index=True)
    listed = [next((run for run in runs if run.rho == rho), runs[0]) for rho in rhos]
    losses = np.array([run.losses[0] for run in listed])
    if not np.isfinite(losses).any():
        raise ValueError(
            "Training diverged: the head of the chosen pairs had no finite validation loss at any rho. Lower the "
            "learning rate, or scale the inputs and the target."
        )
    outputs = torch.cat([_outputs(run, chosen, data) for run in listed])
    best = listed[int(losses.argmin())]
    best.cohort.hand_over(best.place, chosen)
    net.prior.copy_(prior_output(data))
    own, epochs = (torch.cat([getattr(run.result, what)[run.units] for run in listed]) for what in ("losses", "epochs"))
    return LearnedNetwork(net.eval(), TrainingResult(own, epochs, history), losses, outputs)


@dataclass(frozen=True)
class _Run:
    """One rho of a trained cohort, with the validation loss of every student."""

    cohort: PairCohort
    place: int
    result: TrainingResult
    losses: Float[ndarray, " student"]

    @property
    def rho(self) -> float:
        return self.cohort.path[self.place]

    @property
    def units(self) -> Rows:
        return self.cohort.units_of(self.place)


def _runs(students: Sequence[PairCopies], peers: Peers, rhos: Sequence[float], course: Course) -> list[_Run]:
    """Rho = 0, then all positive ones at once with the teachers found at rho = 0.

    A chosen set that is its only teacher has nobody to learn from, and is at every rho what it is at 0.
    """
    (alone,) = _trained(PairCohort(students, peers, (0.0,)), course)
    teachers = teacher_weights(alone.losses, screening=screen(alone.losses))
    if teachers[0] == 1:
        return [alone]
    positive = [rho for rho in rhos if rho > 0]
    return [alone, *_trained(PairCohort(students, peers, positive, teachers), course)]


def _trained(cohort: PairCohort, course: Course) -> list[_Run]:
    result = course.run(cohort, _STREAM, "rho " + ", ".join(f"{rho:g}" for rho in cohort.path))
    batch = course.data.samples.rows(course.data.validation)
    readable = cohort.cpu().readable(batch.present)
    sizes = torch.stack([batch.fold[rows].bincount(minlength=cohort.folds) for rows in readable], 1).double().numpy()
    shaped = result.losses.double().numpy().reshape(len(cohort.path), *sizes.shape)
    losses = (np.where(sizes > 0, shaped, 0.0) * sizes).sum(1) / sizes.sum(0)  # complete samples are held out
    return [_Run(cohort, place, result, losses[place]) for place in range(len(losses))]


def _outputs(run: _Run, chosen: PairCopies, data: TrainingData) -> Float[Tensor, "setting validation out"]:
    """What the chosen set's network says of the validation samples after a run."""
    run.cohort.hand_over(run.place, chosen)
    return own_outputs(chosen, data)
