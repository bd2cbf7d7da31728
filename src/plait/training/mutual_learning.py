"""How a cohort learns: alone first, then from the best of its own, and which strength of it was best.

After Liang, Qu and Shahbaba (2025), "Meta Fusion": train at rho = 0, screen the students by their best
validation losses, train all again with the screened ones as teachers at every rho > 0, and keep the rho at
which the screened students' best validation losses are lowest on average.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal, get_args

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from plait.data.settings import check_one_of, check_whole, strengths
from plait.nn.cohort import Cohort, CohortPlan
from plait.nn.screening import PerStudent, Screening, screen, teacher_weights
from plait.training.course import Course
from plait.training.crossfit import halves
from plait.training.judging import Judged, judge, own_outputs, readers
from plait.training.optimiser import Moments
from plait.training.phases import Phase, phases_of, replaced
from plait.training.racing import Raced, race, race_strengths
from plait.training.rungs import strengths_of
from plait.training.trainer import TrainingResult

Teachers = Literal["clustering", "loss", "adaptive", "uniform", "worst"]
Rule = Literal["exact", "paper", "one-se"]
Stopping = Literal["cross-fitted", "same-rows"]


@dataclass(frozen=True)
class MutualLearning:
    """How students learn from each other.

    Args:
        rhos: Strengths to choose from, >= 0; rho = 0 (independent training) is always run first, for the screening,
            and competes if it is listed.
        teachers: Who teaches: "clustering" (the best cluster of the students' losses at rho = 0, equally), "loss"
            (all, by 1 / loss at rho = 0), "adaptive" (all, by 1 / loss of the latest epoch), "uniform" (all, equally),
            "worst" (the worst cluster, for the study of negative learning alone).
        screening: Who is among the best: "exact" (optimal one-dimensional k-means), "paper" (scikit-learn's, one random
            start), or "one-se" (within one standard error of the smallest loss).
        burn_in: First epochs of a phase with rho > 0 in which students learn alone.
        init: "scratch": every rho starts from the same initial weights. "paper": the first positive rho goes on
            from the best weights and optimiser states at rho = 0, as the published code does.
        halvings: How often the worse half of the students stops in the course of rho = 0, and of the strengths in that
            of rho > 0 (`plait.training.racing`); who stops keeps the weights of its best epoch, and rho > 0 is trained
            by the students who never stopped.
        stopping: What networks are judged by: "cross-fitted" predictions of validation samples, from the epoch at which
            they did best on the other half of these (`plait.training.crossfit`), or those of the epoch that is best on
            the "same-rows", which are too good.
    """

    rhos: tuple[float, ...] = (0.0, 0.99, 3.0)
    teachers: Teachers = "clustering"
    screening: Rule = "exact"
    burn_in: int = 0
    init: Literal["scratch", "paper"] = "scratch"
    halvings: int = 0
    stopping: Stopping = "same-rows"

    def check(self) -> None:
        """Raise ValueError if a setting is out of its range."""
        strengths("rhos", self.rhos)
        check_one_of("teachers", self.teachers, get_args(Teachers))
        check_one_of("screening", self.screening, get_args(Rule))
        check_one_of("init", self.init, ("scratch", "paper"))
        check_whole("burn_in", self.burn_in, 0)
        check_whole("halvings", self.halvings, 0)
        check_one_of("stopping", self.stopping, get_args(Stopping))
        if self.halvings and self.init == "paper":
            raise ValueError("init='paper' goes on from all students at rho = 0: it needs halvings=0.")


@dataclass(frozen=True)
class LearnedCohort:
    """What mutual learning ended with.

    Args:
        cohort: The students at the chosen rho.
        rho: The chosen strength.
        losses: Best validation loss of every student at the chosen rho.
        epochs: Epoch of that loss (mean over folds).
        independent: Best validation loss of every student at rho = 0.
        top: Positions of the screened students.
        rho_losses: Mean best validation loss of the screened students, by rho.
        history: Epochs of all phases.
        outputs: Cross-fitted output of every student for every validation sample; None without cross-fitting.
    """

    cohort: Cohort
    rho: float
    losses: Float[ndarray, " student"]
    epochs: Float[ndarray, " student"]
    independent: Float[ndarray, " student"]
    top: Int[ndarray, " top"]
    rho_losses: dict[float, float]
    history: pd.DataFrame
    outputs: Float[Tensor, "student row out"] | None = None


def learn(plan: CohortPlan, how: MutualLearning, course: Course, beside: Judged | None = None) -> LearnedCohort:
    """Train a cohort, choose rho, and give back the students at that rho.

    Students of other kinds that stand beside the cohort are screened with it: those of the cohort teach that are in the
    best cluster of all. Where none is, students of the cohort have nothing worth learning from each other,
    and rho = 0 is all that is trained (if it may be chosen).

    Args:
        plan: The cohort; its rhos are set here.
        how: How students learn from each other.
        course: Data, trainer and seed.
        beside: How students of other kinds did on the validation samples; None is nobody.

    Raises:
        ValueError: If a setting is out of its range or training diverged.
    """
    how.check()
    cohort = Cohort(replace(plan, rhos=(0.0,)), course.generator())
    half = halves(course.data, course.stream(4)) if how.stopping == "cross-fitted" else None
    others = np.zeros(0) if beside is None else beside.losses
    raced = race(cohort, course, how.halvings, others, keep_moments=how.init == "paper", half=half)
    alone = phases_of(cohort, raced.result, course.data, np.arange(cohort.count))[0]
    screening, worth = _screened(alone, raced.remaining, beside, how, course)
    together = _learn_together(how, course, alone, raced, screening, half) if worth else []
    found = [alone] * (0.0 in how.rhos) + together
    levels = {phase.rho: float(phase.of(screening.top).mean()) for phase in found}
    chosen = min(found, key=lambda phase: (not np.isfinite(levels[phase.rho]), levels[phase.rho]))
    return LearnedCohort(
        cohort=chosen.cohort_of_all(alone),
        rho=chosen.rho,
        losses=replaced(alone.losses, chosen.losses, chosen.students),
        epochs=replaced(alone.epochs, chosen.epochs, chosen.students),
        independent=alone.losses,
        top=screening.top,
        rho_losses=levels,
        outputs=chosen.outputs_of_all(alone),
        history=pd.concat([phase.result.history for phase in (alone, *together[:1])], ignore_index=True),
    )


def _screened(
    alone: Phase, remaining: Int[ndarray, " remaining"], beside: Judged | None, how: MutualLearning, course: Course
) -> tuple[Screening, bool]:
    """The best of those who remain, and whether learning from them is worth a try."""
    judged = remaining if np.isfinite(alone.losses[remaining]).any() else alone.students
    losses = np.where(np.isin(alone.students, judged), alone.losses, np.inf)
    screening = _Screener(how.screening, course, alone)
    best, must = screening.of(losses), 0.0 not in how.rhos
    if beside is None or not np.isfinite(beside.losses).any():
        return best, must or len(remaining) > 0
    found = screening.of(losses, beside)
    top = found.top[found.top < len(losses)]
    return (Screening(top, found.clusters), True) if len(top) and len(remaining) else (best, must)


@dataclass(frozen=True)
class _Screener:
    """Screens a cohort, alone or with students of other kinds, by one of the rules."""

    rule: str
    course: Course
    alone: Phase

    def of(self, losses: PerStudent, beside: Judged | None = None) -> Screening:
        every = losses if beside is None else np.concatenate([losses, beside.losses])
        if self.rule != "one-se":
            return screen(every, self.rule, self.course.stream(2))
        own = self.own if beside is None else self.own.beside(beside)
        return own.within_one_error(np.isfinite(every))

    @cached_property
    def own(self) -> Judged:
        """How the cohort did."""
        data, said = self.course.data, self.alone.told.outputs
        if said is None:
            return judge(*own_outputs(self.alone.cohort, data), data)
        return judge(said, readers(self.alone.cohort, data), data)


def _learn_together(
    how: MutualLearning,
    course: Course,
    alone: Phase,
    raced: Raced,
    screening: Screening,
    half: Bool[Tensor, " row"] | None,
) -> list[Phase]:
    """Train the cohort at all positive rhos; one phase each, of one result.

    Those who were left behind at rho = 0 are not there (but everybody is where nobody remained).
    """
    positive = tuple(rho for rho in how.rhos if rho > 0)
    if not positive:
        return []
    students = raced.remaining if len(raced.remaining) else alone.students
    plan = replace(alone.cohort.plan, students=tuple(alone.cohort.plan.students[place] for place in students))
    cohort = Cohort(replace(plan, rhos=positive), course.generator())
    top, worst = (np.flatnonzero(np.isin(students, chosen)) for chosen in (screening.top, screening.worst))
    _teach(cohort, how, alone.of(students), replace(screening, top=top, worst=worst))
    schedule = partial(_Schedule, how)
    if how.init == "paper":
        warm = _continue(cohort, alone.cohort, alone.result)
        result = course.run(cohort, 3, strengths_of(cohort), after_epoch=schedule(cohort, 0), warm=warm, half=half)
    else:
        zero = tuple(float(losses[screening.top].mean()) for losses in raced.rungs) if 0.0 in how.rhos else ()
        result = race_strengths(cohort, course, how.halvings, zero, top, schedule, half)
    return phases_of(cohort, result, course.data, students)


def _teach(cohort: Cohort, how: MutualLearning, independent: PerStudent, screening: Screening) -> None:
    """Set the teachers' weights that come from independent training; adaptive ones begin equal."""
    kind = "uniform" if how.teachers == "adaptive" else how.teachers
    weights = teacher_weights(independent, kind, screening=screening)
    cohort.teachers.copy_(torch.as_tensor(weights).expand_as(cohort.teachers))


class _Schedule:
    """What changes between epochs: mutual learning starts after the burn-in, adaptive teachers follow their losses."""

    def __init__(self, how: MutualLearning, cohort: Cohort, start: int) -> None:
        self.cohort, self.how, self.start = cohort, how, start
        self.rhos = cohort.rhos.clone()
        if how.burn_in > start:
            cohort.rhos.zero_()

    def __call__(self, epochs: int, losses: Float[Tensor, " unit"]) -> None:
        if self.start + epochs >= self.how.burn_in:
            self.cohort.rhos.copy_(self.rhos)
        if self.how.teachers == "adaptive":
            rows = losses.detach().cpu().double().numpy().reshape(self.cohort.copies, self.cohort.count)
            weights = np.stack([_or_equal(row) for row in rows])
            self.cohort.teachers.copy_(torch.as_tensor(weights))


def _or_equal(losses: PerStudent) -> PerStudent:
    """Weights by 1 / loss; equal ones where no loss is finite."""
    if not np.isfinite(losses).any():
        return np.full(losses.size, 1 / losses.size)
    return teacher_weights(losses, "loss")


def _continue(together: Cohort, alone: Cohort, first: TrainingResult) -> Moments | None:
    """Give the first positive rho the best weights at rho = 0, and tell the optimiser's memory to go with them."""
    together.to(alone.bias)
    together.copy_rho(alone, 0, 0)
    moments = first.moments
    if moments is None:
        return None
    steps = torch.zeros(together.units, dtype=moments.steps.dtype)
    steps[: len(moments.steps)] = moments.steps.cpu()
    return Moments(_padded(moments.first, together), _padded(moments.second, together), steps)


def _padded(memory: Mapping[str, Tensor], together: Cohort) -> dict[str, Tensor]:
    """Zeros for the students that start afresh (their rows stand behind those that go on)."""
    found = {}
    for name, parameter in together.named_parameters():
        found[name] = torch.zeros_like(parameter)
        if name in memory and parameter.ndim:
            found[name][: len(memory[name])] = memory[name].to(parameter)
        elif name in memory:  # a single number in a user's module
            found[name].copy_(memory[name])
    return found
