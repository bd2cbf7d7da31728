"""Which students a cohort has: combinations of one extractor a modality."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import ClassVar

from plait.data.spec import DataSpec
from plait.nn.extractors import Extractor

Dictionary = Mapping[str, Sequence[Extractor | None]]


@dataclass(frozen=True)
class Student:
    """What one student reads.

    Args:
        reads: The modalities that are read, in the order of the data, each with its extractor.

    Attributes:
        label: What predicts, as of learners their name.
    """

    label: ClassVar[str] = "network"

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
    names = [name for name in read if read[name]]
    found = [Student(((name, extractor),)) for name in names for extractor in read[name]]
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            found += [Student(((first, a), (second, b))) for a, b in product(read[first], read[second])]
    for rank in range(max(map(len, read.values()), default=0)):
        found.append(Student(tuple((name, read[name][min(rank, len(read[name]) - 1)]) for name in names)))
    return list(dict.fromkeys(found))


def _automatic(dictionary: Dictionary) -> list[Student]:
    """The full product of up to 100 combinations; else singles, pairs and all."""
    count = prod(len(extractors) for extractors in dictionary.values())
    return full_product(dictionary) if count <= _MANY else singles_pairs_all(dictionary)


_MANY = 100
POLICIES = {"auto": _automatic, "product": full_product, "singles-pairs-all": singles_pairs_all}


def choose_students(dictionary: Dictionary, policy: str = "auto", most: int | None = None) -> tuple[Student, ...]:
    """The students of a cohort.

    Args:
        dictionary: Extractors of each modality; None among them lets students ignore the modality.
        policy: "product" is every combination; "singles-pairs-all" is students of one modality, of two and of
            all; "auto" is the product of up to 100 combinations, else singles, pairs and all.
        most: At most so many students; those kept hold every single modality and the full set, then are
            spread evenly over the list.

    Raises:
        ValueError: If the policy is unknown, nobody reads anything, or `most` is below the number of modalities.
    """
    if policy not in POLICIES:
        raise ValueError(f"policy must be one of {', '.join(POLICIES)} (got {policy!r}).")
    students = POLICIES[policy](dictionary)
    if not students:
        raise ValueError("The dictionary holds 'null' alone; give at least one modality something to read.")
    if len({student.name for student in students}) < len(students):
        raise ValueError(f"The names of the modalities, {list(dictionary)}, make names of students alike; rename one.")
    return at_most(students, most)


def at_most(students: Sequence[Student], most: int | None) -> tuple[Student, ...]:
    """So many of the students, every single modality and the full set among them; None is all.

    Raises:
        ValueError: If `most` does not hold every single modality and all together.
    """
    if most is None or len(students) <= most:
        return tuple(students)
    widest = max(len(student.reads) for student in students)
    firsts = {student.modalities: place for place, student in reversed(list(enumerate(students)))}
    kept = sorted(place for read, place in firsts.items() if len(read) in (1, widest))
    if most < len(kept):
        raise ValueError(
            f"max_students={most} does not hold every single modality and all together: at least {len(kept)}."
        )
    rest = [place for place in range(len(students)) if place not in kept]
    room = most - len(kept)
    kept += [rest[i * len(rest) // room] for i in range(room)]
    return tuple(students[place] for place in sorted(kept))
