"""A cohort: many students of one head that read different things, as one batched module."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.data.batches import Batch
from plait.data.settings import check_real, layer_widths
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.nn.blocks import Block
from plait.nn.criteria import Criterion, usable_mean
from plait.nn.extractors import Extractor
from plait.nn.layers import Rectifier, Rows, Stacked, StackedLinear, StackedMLP, uniform
from plait.nn.module import FusionModule
from plait.nn.mutual import mutual_penalty
from plait.nn.students import Student
from plait.nn.units import Units


@dataclass(frozen=True)
class CohortPlan:
    """What a cohort consists of.

    Args:
        spec: Shapes, outputs and task; for every fold there is a copy of the students, with initial weights of its
            own, that never trains on the samples of the fold.
        students: What each student reads.
        hidden: Widths of the hidden layers of every head; empty is a linear head.
        encoder_hidden: Widths of the hidden layers of encoders that are trained with their student.
        dropout: Share of hidden units of the heads set to zero in training, in [0, 1).
        absent: "skip": a student reads the samples that have all its modalities. "zero": it reads every sample
            that has at least one of them, with zeros in place of the absent ones.
        rhos: Strengths of mutual learning, >= 0, trained side by side from the same initial weights. 0 is
            independent training.
    """

    spec: DataSpec
    students: tuple[Student, ...]
    hidden: tuple[int, ...] = (64, 32)
    encoder_hidden: tuple[int, ...] = (256,)
    dropout: float = 0.0
    absent: Literal["skip", "zero"] = "skip"
    rhos: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        layer_widths("hidden", self.hidden)
        layer_widths("encoder_hidden", self.encoder_hidden)
        check_real("dropout", self.dropout, 0.0, 1.0)


class Cohort(FusionModule):
    """Students with heads of the same hidden sizes, their parameters stacked along a leading axis.

    A unit is one student in one copy of the cohort; there is one copy a rho and fold, in this order.

    Args:
        plan: What the cohort consists of.
        generator: Source of the initial weights; None is seed 0.
    """

    rhos: Tensor
    teachers: Tensor
    reads: Tensor

    def __init__(self, plan: CohortPlan, generator: torch.Generator | None = None) -> None:
        super().__init__()
        generator = generator or torch.Generator().manual_seed(0)
        self.plan, self.copies, count = plan, len(plan.rhos) * plan.spec.folds, len(plan.students)
        sizes = (*plan.hidden, plan.spec.outputs)
        widths = torch.tensor([float(student.width(plan.spec)) for student in plan.students])
        self.blocks = nn.ModuleList(self._blocks(sizes[0], widths, generator))
        bias = uniform((count * plan.spec.folds, sizes[0]), widths.repeat(plan.spec.folds)[:, None], generator)
        self.bias = nn.Parameter(bias.repeat(len(plan.rhos), 1))
        every = torch.arange(count * plan.spec.folds).repeat(len(plan.rhos))
        self.tail = StackedMLP.initial(every, sizes, generator, plan.dropout) if plan.hidden else None
        self.rectifier = Rectifier(plan.dropout)
        self._constants(count)

    def _constants(self, count: int) -> None:
        plan = self.plan
        reads = torch.tensor([[name in one.modalities for name in plan.spec.names] for one in plan.students])
        self.register_buffer("reads", reads, persistent=False)
        rhos = torch.tensor(plan.rhos, dtype=torch.float64).repeat_interleave(plan.spec.folds)
        self.register_buffer("rhos", rhos, persistent=False)
        self.register_buffer(
            "teachers", torch.full((self.copies, count), 1 / count, dtype=torch.float64), persistent=False
        )

    def _blocks(self, out: int, widths: Tensor, generator: torch.Generator) -> Iterator[Block]:
        """One block for every representation that some student reads, in the order of first use."""
        users: dict[tuple[str, Extractor], list[int]] = {}
        for place, student in enumerate(self.plan.students):
            for read in student.reads:
                users.setdefault(read, []).append(place)
        spec = self.plan.spec
        for (name, extractor), places in users.items():
            rows, width = torch.tensor(places), extractor.width(name, spec)
            encoder = extractor.trained(name, spec, len(rows) * self.copies, self.plan.encoder_hidden, generator)
            fan_in = widths[rows].repeat(self.plan.spec.folds)[:, None, None]
            weight = uniform((len(fan_in), width, out), fan_in, generator)
            linear = StackedLinear(weight.repeat(len(self.plan.rhos), 1, 1))
            yield Block(name, extractor.source, width, rows, self.units_of(rows), encoder, linear)

    @property
    def units(self) -> int:  # type: ignore[override]
        """Number of independent networks: students at each rho."""
        return self.copies * self.count

    @property
    def count(self) -> int:
        """Number of students in one copy."""
        return len(self.plan.students)

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all units for cached representations (named "modality/source")."""
        whole = bool(present.all())
        hidden = self.bias[:, None].repeat(1, len(present), 1)
        for block in self.blocks:
            here = None if whole else present[:, self.plan.spec.names.index(block.modality)]
            hidden = hidden.index_add_(0, cast("Tensor", block.units), block(features, here).to(hidden.dtype))
        if self.tail is None:
            return hidden
        output: Tensor = self.tail(self.rectifier(hidden))
        return output

    def readable(self, present: Present) -> Bool[Tensor, "student batch"] | None:
        """Which samples each student can read; None is all of them."""
        if bool(present.all()):
            return None
        if self.plan.absent == "zero":
            return (self.reads[:, None] & present).any(-1)
        return ~(self.reads[:, None] & ~present).any(-1)

    def judged(self, batch: Batch) -> Bool[Tensor, "unit batch"] | None:
        """Each unit is judged on the samples that it can read, of its own fold."""
        return _flat(self._chosen(batch, of_own_fold=True))

    def taught(self, batch: Batch) -> Bool[Tensor, "unit batch"] | None:
        """Each unit learns from the samples that it can read, of all folds but its own."""
        return _flat(self._chosen(batch, of_own_fold=False))

    def _chosen(self, batch: Batch, *, of_own_fold: bool) -> Bool[Tensor, "copy student batch"] | None:
        """Which samples each student of each copy can read that are (or are not) of the copy's fold; None is all."""
        readable = self.readable(batch.present)
        if self.plan.spec.folds == 1:
            return None if readable is None else readable.expand(self.copies, -1, -1)
        own = torch.arange(self.plan.spec.folds, device=batch.fold.device).repeat(len(self.plan.rhos))[:, None]
        chosen = ((own == batch.fold) == of_own_fold)[:, None]
        return chosen.expand(-1, self.count, -1) if readable is None else chosen & readable

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """Task loss of every unit plus rho times its distance from the teachers."""
        linked = criterion.link(self(batch.features, batch.present))
        linked = linked.unflatten(0, (self.copies, self.count))  # type: ignore[no-untyped-call]
        usable = self._chosen(batch, of_own_fold=False)
        losses = usable_mean(criterion.score(linked, batch.target), usable)
        if bool(self.rhos.any()):
            penalty = mutual_penalty(linked, self.teachers.to(linked.dtype), criterion, usable)
            losses = losses + self.rhos.to(losses.dtype)[:, None] * penalty
        return losses.flatten()

    def owners(self) -> Mapping[str, Rows | int]:
        """The unit of every row of every parameter (and of the buffers of users' modules)."""
        found: dict[str, Rows | int] = {"bias": torch.arange(self.units)}
        for name, layer, students in self._layers():
            found |= {f"{name}.{inner}": rows for inner, rows in layer.owners(self.units_of(students)).items()}
        return found

    def copy_rho(self, source: "Cohort", of: int, to: int) -> None:
        """Overwrite all copies at the rho at place `to` by those at place `of` in a cohort of the same plan."""
        folds = self.plan.spec.folds
        with torch.no_grad():
            rows = torch.arange(self.count * folds)
            self.bias[to * len(rows) + rows] = source.bias[of * len(rows) + rows]
        for (_, mine, students), (_, other, _) in zip(self._layers(), source._layers(), strict=True):
            rows = torch.arange(len(students) * folds)
            mine.copy_rows(other, of * len(rows) + rows, to * len(rows) + rows)

    def part(self, students: Rows, places: Rows | None = None) -> "Cohort":
        """A cohort of some students at some rhos, with their weights and teachers.

        Args:
            students: Their positions in one copy, ascending.
            places: The places of the rhos, ascending; None is all.
        """
        own = self.units_at(students, places)
        chosen = tuple(self.plan.students[place] for place in students.tolist())
        rhos = self.plan.rhos if places is None else tuple(self.plan.rhos[place] for place in places.tolist())
        found = Cohort(replace(self.plan, students=chosen, rhos=rhos)).to(self.bias)
        found._copy_units(self, own, found._every, torch.ones(found.copies, found.count, dtype=torch.bool))
        found.teachers.copy_(self.teachers[own.copies][:, students])
        return found

    def take_part(self, part: "Cohort", own: Units, better: Bool[Tensor, "copy student"]) -> None:
        """Overwrite units by those of a part.

        Args:
            part: As `part` gives it.
            own: The units that it was made of.
            better: Which of them are overwritten.
        """
        self._copy_units(part, part._every, own, better)

    def units_at(self, students: Rows, places: Rows | None = None) -> Units:
        """These students at the rhos at these places (None: at all), in every fold's copy."""
        places = torch.arange(len(self.plan.rhos)) if places is None else places
        folds = self.plan.spec.folds
        return Units(students, (places[:, None] * folds + torch.arange(folds)).flatten())

    @property
    def _every(self) -> Units:
        return Units(torch.arange(self.count), torch.arange(self.copies))

    def _copy_units(self, source: "Cohort", of: Units, to: Units, chosen: Bool[Tensor, "copy student"]) -> None:
        """Overwrite the units at `to` by those at `of` in another cohort; the chosen ones alone."""
        with torch.no_grad():
            self.bias[to.among(self.count)[chosen]] = source.bias[of.among(source.count)[chosen]]
        others = {key: (layer, users) for key, layer, users in source._keyed_layers()}
        for key, layer, users in self._keyed_layers():
            both = torch.isin(to.students, users)
            if key in others and bool(both.any()):
                other, theirs = others[key]
                rows = of.those(both).rows_of(theirs), to.those(both).rows_of(users)
                layer.copy_rows(other, *(places[chosen[:, both]] for places in rows))

    def _keyed_layers(self) -> Iterator[tuple[tuple[object, str], Stacked, Rows]]:
        """Every stacked layer under a name that it has in a cohort of other students too."""
        reads = list(dict.fromkeys(read for student in self.plan.students for read in student.reads))
        for name, layer, students in self._layers():
            part, _, rest = name.partition(".")
            place, _, inner = rest.partition(".")
            yield ((reads[int(place)], inner) if part == "blocks" else (None, name)), layer, students

    def _layers(self) -> Iterator[tuple[str, Stacked, Rows]]:
        """Every stacked layer: its name, itself, and the students (of one copy) that have it."""
        for place, block in enumerate(self.blocks):
            for name, layer in block.named_modules(prefix=f"blocks.{place}"):
                if isinstance(layer, Stacked):
                    yield name, layer, block.users
        for name, layer in self.named_modules():
            if isinstance(layer, Stacked) and name.startswith("tail"):
                yield name, layer, torch.arange(self.count)

    def units_of(self, students: Rows) -> Rows:
        """The units of these students, one for every copy."""
        return self.units_at(students).among(self.count).flatten()

    def at_rho(self, place: int) -> "Cohort":
        """A cohort of the students of one rho, with their weights."""
        return self.part(torch.arange(self.count), torch.tensor([place]))


def _flat(chosen: Bool[Tensor, "copy student batch"] | None) -> Bool[Tensor, "unit batch"] | None:
    return None if chosen is None else chosen.flatten(0, 1)
