"""How heads in closed form learn: alone, then drawn to the best of them; all that they say is of samples left out.

A ridge regression is a linear smoother of its targets, so that mutual learning needs no epochs. The fit to the soft
target (y + rho * mean of the teachers) / (1 + rho) is the same mixture of the fit to y and the fit to the teachers'
mean, for every rho at once; a logistic regression is fitted to it anew. What a teacher says of a sample comes from a
fit without that sample (with its whole fold or group); where a fold is judged, from a fit without that fold too, so
that nobody hears of labels that it is judged on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from plait.data.batches import TrainingData
from plait.nn.closed_head import ClosedHead, warmth
from plait.nn.closed_path import ClosedPath, Fit, Lessons
from plait.nn.screening import screen
from plait.training.judging import judge
from plait.training.threads import side_by_side

MOST_TEACHERS = 8
"""Heads that teach at most: the best of the best cluster."""
_PARTS = 5  # in which groups that only train are left out


@dataclass(frozen=True)
class LearnedHeads:
    """What heads in closed form ended with; the heads themselves have their weights.

    Args:
        outputs: Output of every head for every sample, by a fit that had not seen it (nor its fold, nor its group).
        usable: For which samples there is one.
        independent: Loss of every head at rho = 0; inf where there is none.
        teaches: Who taught.
        rho: The strength that was chosen.
    """

    outputs: Float[Tensor, "head sample out"]
    usable: Bool[Tensor, "head sample"]
    independent: Float[ndarray, " head"]
    teaches: Bool[ndarray, " head"]
    rho: float


def learn_heads(heads: Sequence[ClosedHead], task: "HeadsTask", rhos: Sequence[float]) -> LearnedHeads:
    """Fit every head alone, and drawn to the best of them; keep the rho at which these do best on average.

    Args:
        heads: The heads; they take the weights of their fits.
        task: What they read, and the samples.
        rhos: Strengths to choose from, >= 0.
    """
    positive = [rho for rho in rhos if rho > 0]
    members = side_by_side(lambda place: _Member(heads[place], task, place), range(len(heads)))
    alone = [member.alone for member in members]
    independent = losses_of(*_taken(members, alone, task), task.data)
    top = _teachers(independent) if positive else np.zeros(0, dtype=np.int64)
    teachers = [members[place].keep() for place in top]
    lessons = _lessons(teachers, task) if teachers else []
    drawn = side_by_side(lambda teacher: teacher.drawn(lessons, positive), teachers)
    levels = {0.0: independent[top].mean()} if teachers and 0.0 in rhos else {}
    for place, rho in enumerate(positive if teachers else ()):
        levels[rho] = losses_of(*_taken(teachers, [fits[place] for fits in drawn], task), task.data).mean()
    best = min(levels, key=lambda rho: levels[rho], default=0.0)
    known = {teacher: fits[positive.index(best)] for teacher, fits in zip(teachers, drawn, strict=True) if best > 0}
    fits = _drawn(members, known, lessons, best) if known else alone
    teaches = np.isin(np.arange(len(heads)), top) & (best > 0)
    return LearnedHeads(*_taken(members, fits, task), independent, teaches, best)


@dataclass(frozen=True)
class HeadsTask:
    """What heads read, and the samples.

    Args:
        values: What each head reads of every sample.
        readable: Which samples each head can read.
        data: Targets, folds and groups.
    """

    values: Sequence[Float[Tensor, "sample _"]]
    readable: Bool[Tensor, "head sample"]
    data: TrainingData

    @cached_property
    def target(self) -> Float[Tensor, "sample out"]:
        """The targets in double precision."""
        return self.data.samples.target.double()

    @cached_property
    def blocks(self) -> Int[Tensor, " sample"]:
        """Samples of a fold are left out together; of those that only train groups, some at a time, or single ones."""
        fold, groups = self.data.samples.fold, self.data.groups
        return fold if groups is None else fold.where(fold >= 0, self.data.spec.folds + groups % _PARTS)


class _Member:
    """One head on the samples that it can read.

    Decompositions of the samples are as large as the samples are many, squared: those of teachers alone are kept.
    """

    def __init__(self, head: ClosedHead, task: HeadsTask, place: int) -> None:
        self.head, self.task, self.values = head, task, task.values[place]
        fold, self.rows = task.data.samples.fold, task.readable[place]
        self.judged = self.rows & (fold >= 0) & (len(set(fold[self.rows].tolist())) > 1)
        self.kept: ClosedPath | None = None
        self.alone = self._path().fit(task.target[self.rows], task.blocks[self.rows]) if self.rows.any() else None

    def keep(self) -> "_Member":
        """Decompose its samples and keep that."""
        self.kept = self._path() if self.rows.any() else None
        return self

    def _path(self) -> ClosedPath:
        return self.kept or self.head.path(self.values[self.rows])

    def lesson(self, fold: int | None) -> tuple[Float[Tensor, "sample out"], Bool[Tensor, " sample"]]:
        """What it says of samples left out, on the scale of the targets, and of which; nothing that knows of a fold."""
        task, said = self.task, torch.zeros_like(self.task.target)
        if self.alone is None:
            return said, torch.zeros_like(self.rows)
        left_out, rows = self.alone.left_out, self.rows
        if fold is not None:
            without = task.data.samples.fold[self.rows] == fold
            rows = self.rows & (task.data.samples.fold != fold)
            target, blocks = task.target[self.rows], task.blocks[self.rows]
            left_out = self._path().left_out(target, blocks, self.alone.penalty, without)
        said[rows] = self._expected(left_out, rows)
        return said, rows

    def _expected(self, left_out: Float[Tensor, "row out"], rows: Bool[Tensor, " sample"]) -> Float[Tensor, "row out"]:
        if self.task.data.spec.task == "regression":
            return left_out
        return (warmth(left_out, self.task.target[rows]) * left_out).softmax(1)

    def drawn(self, lessons: Sequence[Float[Tensor, "sample out"]], rhos: Sequence[float]) -> Sequence[Fit | None]:
        """For each rho the fit drawn to the teachers' mean.

        Args:
            lessons: Of all samples for the final fit, then for each fold.
            rhos: Strengths, > 0.
        """
        if self.alone is None:
            return [None] * len(rhos)
        task, said = self.task, [lesson[self.rows] for lesson in lessons]
        rows = (part[self.rows] for part in (task.data.samples.fold, task.blocks))
        return self._path().drawn(self.alone, Lessons(task.target[self.rows], said, *rows), rhos)


def _drawn(
    members: Sequence[_Member],
    known: Mapping[_Member, Fit | None],
    lessons: Sequence[Float[Tensor, "sample out"]],
    rho: float,
) -> list[Fit | None]:
    """Everybody's fit at one rho, where those of the teachers are known."""
    others = [member for member in members if member not in known]
    found = side_by_side(lambda member: member.drawn(lessons, [rho])[0], others)
    every = {**known, **dict(zip(others, found, strict=True))}
    return [every[member] for member in members]


def _lessons(teachers: Sequence[_Member], task: HeadsTask) -> list[Float[Tensor, "sample out"]]:
    """The teachers' mean for every sample: for the final fit, then without anything that knows of each fold.

    Where no teacher can say anything the target itself stands, which draws nobody.
    """
    found = []
    for fold in (None, *range(task.data.spec.folds)):
        said, heard = map(torch.stack, zip(*(teacher.lesson(fold) for teacher in teachers), strict=True))
        mean = (said * heard[..., None]).sum(0) / heard.sum(0).clamp(min=1)[:, None]
        found.append(mean.where(heard.any(0)[:, None], task.target))
    return found


def _taken(
    members: Sequence[_Member], fits: Sequence[Fit | None], task: HeadsTask
) -> tuple[Float[Tensor, "head sample out"], Bool[Tensor, "head sample"]]:
    """Give the heads the weights of these fits; what they say of samples left out."""
    outputs = torch.zeros(len(members), *task.target.shape, dtype=torch.float64)
    usable = torch.zeros(len(members), len(task.target), dtype=torch.bool)
    for place, (member, found) in enumerate(zip(members, fits, strict=True)):
        if found is not None:
            rows = member.rows
            outputs[place, rows] = member.head.take(found, task.target[rows], task.data.samples.fold[rows])
            usable[place] = member.judged
    return outputs, usable


def _teachers(losses: Float[ndarray, " head"]) -> Int[ndarray, " top"]:
    """The best of the best cluster; nobody where no head was judged."""
    if not np.isfinite(losses).any():
        return np.zeros(0, dtype=np.int64)
    top = screen(losses).top
    return np.asarray(np.sort(top[np.argsort(losses[top], kind="stable")][:MOST_TEACHERS]))


def losses_of(
    outputs: Float[Tensor, "student sample out"], usable: Bool[Tensor, "student sample"], data: TrainingData
) -> Float[ndarray, " student"]:
    """Mean loss of each student on the validation samples for which there is an output; inf where there is none."""
    return judge(outputs[:, data.validation], usable[:, data.validation], data).losses
