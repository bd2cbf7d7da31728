"""The cohorts that are timed, with random numbers for the cached representations that their students read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch

from plait.data.batches import Batch
from plait.data.spec import DataSpec
from plait.nn.cohort import CohortPlan
from plait.nn.extractors import parse_dictionary
from plait.nn.students import full_product


@dataclass(frozen=True)
class Case:
    """A cohort by its sizes.

    Args:
        name: What it is called in the tables.
        shapes: Features of each modality.
        widths: Widths that students read of each modality; 0 is nothing, all features are the features themselves.
        kind: How the other widths come about: "pca", "encoder" or "sliced".
        hidden: Hidden layers of the heads.
        outputs: Classes, or 1 for a real target.
        faster: Times that the batched step is to be faster than the literal one.
    """

    name: str
    shapes: Mapping[str, int]
    widths: Mapping[str, Iterable[int]]
    kind: str
    hidden: tuple[int, ...]
    outputs: int
    faster: float

    def plan(self, rhos: tuple[float, ...] = (3.0,)) -> CohortPlan:
        """The full product of the widths."""
        task = "regression" if self.outputs == 1 else "classification"
        spec = DataSpec({name: (size,) for name, size in self.shapes.items()}, self.outputs, task)
        labels = {name: [self.label(name, width) for width in self.widths[name]] for name in self.shapes}
        return CohortPlan(spec, tuple(full_product(parse_dictionary(labels, spec))), self.hidden, rhos=rhos)

    def label(self, name: str, width: int) -> str:
        """The extractor of a modality that gives so many values."""
        fixed = {0: "null", self.shapes[name]: "identity"}
        return fixed.get(width, f"{self.kind}-{width}")


def random_batch(plan: CohortPlan, rows: int, device: str = "cpu") -> Batch:
    """So many samples of everything that the students read."""
    draw, features = torch.Generator().manual_seed(0), {}
    for name, extractor in dict.fromkeys(read for student in plan.students for read in student.reads):
        key = f"{name}/{extractor.source}"
        narrow = key in features and features[key].shape[1] >= extractor.width(name, plan.spec)
        if not narrow:
            width = plan.spec.width(name) if extractor.source == "identity" else extractor.width(name, plan.spec)
            features[key] = torch.randn(rows, width, generator=draw)
    target = torch.randn(rows, plan.spec.outputs, generator=draw)
    if plan.spec.task == "classification":
        target = torch.nn.functional.one_hot(target.argmax(1), plan.spec.outputs).float()
    present = torch.ones(rows, len(plan.spec.names), dtype=torch.bool)
    batch = Batch(features, present, target, torch.full((rows,), -1))
    return batch.to(torch.device(device), torch.float32)


def resized(plan: CohortPlan, count: int) -> CohortPlan:
    """A cohort of so many students of the same kinds: some of them, or all several times."""
    students = plan.students * -(-count // len(plan.students))
    places = [place * len(students) // count for place in range(count)]
    return replace(plan, students=tuple(students[place] for place in places))


SETTING_1_1 = Case(
    name="setting 1.1: 24 students with encoders",
    shapes={"m0": 500, "m1": 400},
    widths={"m0": (500, 400, 300, 200, 0), "m1": (400, 300, 200, 100, 0)},
    kind="encoder",
    hidden=(128, 64),
    outputs=1,
    faster=3,
)
SETTING_2_2 = Case(
    name="setting 2.2: 24 students on components",
    shapes={"m0": 2000, "m1": 400},
    widths={"m0": (120, 100, 80, 60, 0), "m1": (120, 100, 80, 60, 0)},
    kind="pca",
    hidden=(300, 200, 100),
    outputs=1,
    faster=4,
)
FOUR_MODALITIES = Case(
    name="four modalities: 100 small students",
    shapes={"profile": 104, "behaviour": 39, "clinic": 28, "mri": 192},
    widths={"profile": (104, 70, 50, 30, 0), "behaviour": (39, 30), "clinic": (28, 20), "mri": (192, 90, 60, 30, 0)},
    kind="sliced",
    hidden=(64, 32),
    outputs=4,
    faster=60,
)
TINY = Case(
    name="tiny: 5 students",
    shapes={"m0": 6, "m1": 5},
    widths={"m0": (6, 3, 0), "m1": (5, 0)},
    kind="encoder",
    hidden=(4, 3),
    outputs=3,
    faster=1,
)
CASES = (SETTING_1_1, SETTING_2_2, FOUR_MODALITIES)
