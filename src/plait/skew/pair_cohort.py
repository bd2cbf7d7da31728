"""Heads of several sets of pairs as one network, at several strengths of mutual learning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import Batch, TrainingData
from plait.data.shapes import Features, Output, Present
from plait.nn.criteria import Criterion, usable_mean
from plait.nn.layers import Rows
from plait.nn.module import FusionModule
from plait.nn.mutual import mutual_penalty
from plait.skew.bank import TapBank, tap_names
from plait.skew.heads import PairHeads
from plait.skew.pair_net import Joint, PairCopies
from plait.skew.selection import Pairs
from plait.training.ensembling import check_finite


@dataclass(frozen=True)
class Peers:
    """The sets of pairs that the chosen one learns with, and what all of them read.

    Args:
        joint: What the network of the chosen set joins, and how; peers are joined alike.
        sets: The peers.
        bank: The taps of all; of each as many dimensions as the chosen set's network reads.
        data: Samples with these taps.
    """

    joint: Joint
    sets: tuple[Pairs, ...]
    bank: TapBank
    data: TrainingData

    @classmethod
    def read(cls, own: TapBank, joint: Joint, sets: Sequence[Pairs], data: TrainingData) -> "Peers":
        """Read the taps of all sets, before the sources are cut to those of the chosen one.

        Args:
            own: What the network of the chosen set would read if it were alone.
            joint: What it joins.
            sets: The peers.
            data: Samples as they come, in the precision of the training.
        """
        joints = [joint, *(replace(joint, pairs=pairs) for pairs in sets)]
        taps = tuple(dict.fromkeys(tap for one in joints for tap in one.taps))
        bank = TapBank(own.sources, taps, own.read, own.tokens)
        bank.fit(data)
        read = data.with_features(bank.to(data.samples.target.dtype))
        check_finite(read)
        return cls(joint, tuple(sets), bank, read)

    def students(self, chosen: PairCopies, generator: torch.Generator) -> list[PairCopies]:
        """The chosen set's network, then those of the peers with fresh weights."""
        joints = (replace(self.joint, pairs=pairs) for pairs in self.sets)
        return [chosen, *(PairCopies(chosen.spec, joint, self.bank, generator) for joint in joints)]


class PairCohort(FusionModule):
    """Heads of several sets of pairs as one network: a unit is one set in one copy; a copy for every rho and fold.

    The task's loss plus rho times the distance from the teachers of the same copy, which are held fixed. Units of a
    fold never learn from its samples.

    Args:
        students: The networks whose weights the copies of every rho start from.
        peers: What they read.
        rhos: Strengths of mutual learning, at least 0.
        teachers: Weight of every student as a teacher; sums to 1. None is equal weights.
    """

    rhos: Tensor
    teachers: Tensor
    reads: Tensor

    def __init__(
        self,
        students: Sequence[PairCopies],
        peers: Peers,
        rhos: Sequence[float],
        teachers: Float[ndarray, " student"] | None = None,
    ) -> None:
        super().__init__()
        spec, joint, bank = students[0].spec, peers.joint, peers.bank
        self.path, self.folds, self.count = tuple(rhos), spec.folds, len(students)
        self.copies = len(rhos) * spec.folds
        self.units = self.copies * self.count
        sets = [one.heads.sets[fold] for _ in rhos for fold in range(spec.folds) for one in students]
        settings = (spec.outputs, joint.operator, joint.width, joint.dropout, bank.tokens)
        taps, read = tap_names(bank.taps, spec.folds), bank.tokens * bank.read
        self.heads = PairHeads(sets, taps, read, *settings, generator=torch.Generator())
        self._begin(students)
        reads = torch.zeros(self.count, len(spec.names), dtype=torch.bool)
        for place, one in enumerate(students):
            reads[place, one.places] = True
        weights = np.full(self.count, 1 / self.count) if teachers is None else teachers
        strengths = torch.tensor(self.path, dtype=torch.float64).repeat_interleave(spec.folds)
        self.register_buffer("rhos", strengths, persistent=False)
        self.register_buffer("teachers", torch.as_tensor(weights).repeat(self.copies, 1), persistent=False)
        self.register_buffer("reads", reads, persistent=False)

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all units."""
        found: Tensor = self.heads(features, present)
        return found

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """Task loss of every unit plus rho times its distance from the teachers."""
        outputs = self(batch.features, batch.present)
        linked = criterion.link(outputs).unflatten(0, (self.copies, self.count))  # type: ignore[no-untyped-call]
        usable = self._usable(batch, of_own_fold=False)
        losses = usable_mean(criterion.score(linked, batch.target), usable)
        if bool(self.rhos.any()):
            penalty = mutual_penalty(linked, self.teachers.to(linked.dtype), criterion, usable)
            losses = losses + self.rhos.to(losses.dtype)[:, None] * penalty
        return losses.flatten()

    def judged(self, batch: Batch) -> Bool[Tensor, "unit batch"] | None:
        """Each unit is judged on the samples of its own fold that have a modality it reads."""
        usable = self._usable(batch, of_own_fold=True)
        return None if usable is None else usable.flatten(0, 1)

    def taught(self, batch: Batch) -> Bool[Tensor, "unit batch"] | None:
        """Each unit learns from such samples of all folds but its own."""
        usable = self._usable(batch, of_own_fold=False)
        return None if usable is None else usable.flatten(0, 1)

    def readable(self, present: Present) -> Bool[Tensor, "student batch"]:
        """The samples that have a modality that a student reads."""
        return (self.reads[:, None] & present).any(-1)

    def _usable(self, batch: Batch, *, of_own_fold: bool) -> Bool[Tensor, "copy student batch"] | None:
        readable = self.readable(batch.present)
        if self.folds == 1:
            return None if bool(readable.all()) else readable.expand(self.copies, -1, -1)
        own = torch.arange(self.folds, device=batch.fold.device).repeat(len(self.path))[:, None]
        return ((own == batch.fold) == of_own_fold)[:, None] & readable

    def owners(self) -> Mapping[str, Rows | int]:
        """The unit of every row."""
        return {f"heads.{name}": rows for name, rows in self.heads.owners().items()}

    def _begin(self, students: Sequence[PairCopies]) -> None:
        """Every student's weights, at every rho."""
        own = self.heads.state_dict()
        for name, owner in self.heads.owners().items():
            for place, student in enumerate(students):
                start = student.heads.state_dict()[name].to(own[name])
                own[name][owner % self.count == place] = start.repeat(len(self.path), *[1] * (start.ndim - 1))

    def units_of(self, place: int) -> Rows:
        """The units of the first student at the rho at a place, fold by fold."""
        first = place * self.folds * self.count
        return torch.arange(first, first + self.folds * self.count, self.count)

    def hand_over(self, place: int, to: PairCopies) -> None:
        """Overwrite the first student's network by what became of it at the rho at a place."""
        own, filled, units = self.heads.state_dict(), to.heads.state_dict(), self.units_of(place)
        for name, owner in self.heads.owners().items():
            filled[name].copy_(own[name][torch.isin(torch.as_tensor(owner), units)])
