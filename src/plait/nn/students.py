"""Which students a cohort has: combinations of one extractor a modality."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from plait.data.spec import DataSpec
from plait.nn.extractors import Extractor

Dictionary = Mapping[str, Sequence[Extractor | None]]


@dataclass(frozen=True)
class Student:
    """What one student reads.

    Args:
        reads: The modalities that are read, in the order of the data, each with its extractor.
    """

    reads: tuple[tuple[str, Extractor], ...]

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that are read."""
        return tuple(name for name, _ in self.reads)

    @property
    def name(self) -> str:
        """For example "audio:identity + accelerometer:pca-8"."""
        return " + ".join(f"{name}:{extractor.label}" for name, extractor in self.reads)

    def width(self, spec: DataSpec) -> int:
        """Number of values that enter the student's head."""
        return sum(extractor.width(name, spec) for name, extractor in self.reads)


def _combinations(dictionary: Dictionary) -> Iterator[Student]:
    """Lexicographic product, last modality fastest; the student that reads nothing is left out."""
    for choice in product(*dictionary.values()):
        reads = tuple((name, extractor) for name, extractor in zip(dictionary, choice, strict=True) if extractor)
        if reads:
            yield Student(reads)


def full_product(dictionary: Dictionary) -> list[Student]:
    """Every combination of one extractor a modality."""
    return list(_combinations(dictionary))


def singles_pairs_all(dictionary: Dictionary) -> list[Student]:
    """Students of one modality, of two, and of all: for many modalities, where the product explodes.

    Pairs combine every extractor of both modalities; students of all modalities combine the extractors of
    equal rank in the modalities' lists (the last one where a list is shorter).
    """
    read = {name: [extractor for extractor in extractors if extractor] for name, extractors in dictionary.items()}
    names = list(read)
    found = [Student(((name, extractor),)) for name in names for extractor in read[name]]
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            found += [Student(((first, a), (second, b))) for a, b in product(read[first], read[second])]
    for rank in range(max(map(len, read.values()), default=0)):
        found.append(Student(tuple((name, read[name][min(rank, len(read[name]) - 1)]) for name in names)))
    return list(dict.fromkeys(found))


POLICIES = {"product": full_product, "singles-pairs-all": singles_pairs_all}


def cap(students: Sequence[Student], most: int | None) -> list[Student]:
    """At most so many students, spread evenly; the first student of every set of modalities is kept first.

    Raises:
        ValueError: If the limit is below the number of single modalities, which must all stay readable.
    """
    if most is None or len(students) <= most:
        return list(students)
    firsts: dict[tuple[str, ...], int] = {}
    for index, student in enumerate(students):
        firsts.setdefault(student.modalities, index)
    order = sorted(firsts.values(), key=lambda index: _rank(students[index], students))
    rest = [index for index in range(len(students)) if index not in set(order)]
    room = max(0, most - len(order))
    spread = [rest[(i * len(rest)) // room] for i in range(room)] if room else []
    singles = sum(len(students[index].reads) == 1 for index in order)
    if most < singles:
        raise ValueError(f"max_students={most} leaves no student for some modality; give at least {singles}.")
    return [students[index] for index in sorted(order[:most] + spread)]


def _rank(student: Student, students: Sequence[Student]) -> tuple[int, int]:
    """Single modalities first, then the full set, then the rest from large to small."""
    widest = max(len(other.reads) for other in students)
    size = len(student.reads)
    return (0 if size == 1 else 1 if size == widest else 2, -size)
