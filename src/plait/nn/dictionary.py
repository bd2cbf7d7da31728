"""What students read where the user does not say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import cast

from plait.data.spec import DataSpec
from plait.nn.encoders import ENCODED
from plait.nn.extractors import JOINT, NULL, PCA, Encoder, Extractor, Identity, Individual, Shared, parse
from plait.nn.parts import Parts
from plait.nn.students import Dictionary, Student

AUTO = "auto"
_WIDE = 256
_USUAL = ("identity", f"pca-{AUTO}", f"shared-{AUTO}", f"individual-{AUTO}")


def default_labels(spec: DataSpec) -> dict[str, tuple[str, ...]]:
    """Extractors of every modality where the user names none, with "auto" in place of the numbers.

    The user's module where one is given; else the features, their principal components, what they share with the other
    modalities, and what is left beside it. Every modality may also be ignored.
    """
    return {name: ((whole_label(spec, name),) if name in spec.encoders else _USUAL) + (NULL,) for name in spec.names}


def found_labels(
    labels: Mapping[str, Iterable[str]], spec: DataSpec, parts: Parts | None
) -> dict[str, tuple[str, ...]]:
    """The labels with numbers in place of "auto"; what there is nothing of is left out.

    "pca-auto" is the components that stand out of noise, fewer than features; "shared-auto" and "individual-auto" are
    there where modalities share something. Where nothing at all remains of what a modality was to be read by, its
    features are read.

    Args:
        labels: Labels of every modality.
        spec: Shapes of the data.
        parts: Parts of the training samples. None (no data yet): half of the features, and nothing shared.
    """
    named = {name: tuple(of) for name, of in labels.items()}
    party = [name for name in spec.names if any(label.startswith(JOINT) for label in named.get(name, ()))]
    return {name: _found(name, of, spec, parts, party) for name, of in named.items()}


def _found(
    name: str, labels: Sequence[str], spec: DataSpec, parts: Parts | None, party: Sequence[str]
) -> tuple[str, ...]:
    found = []
    for label in labels:
        kind, _, size = label.partition("-")
        if size != AUTO or kind not in _COUNTS:
            found.append(label)
            continue
        count = _COUNTS[kind](name, parts, party) if parts else _guessed(kind, spec.width(name))
        if 0 < count < spec.width(name) and f"{kind}-{count}" not in labels:
            found.append(f"{kind}-{count}")
    asked = any(label != NULL for label in labels)
    return tuple(found) if not asked or set(found) - {NULL} else (whole_label(spec, name), *found)


def _guessed(kind: str, width: int) -> int:
    return width // 2 if kind == PCA.kind else 0


def _individual(name: str, parts: Parts, party: Sequence[str]) -> int:
    sharing = parts.sharing(party)
    return sharing.individual(name).size if sharing.rank else 0


_COUNTS: Mapping[str, Callable[[str, Parts, Sequence[str]], int]] = {
    PCA.kind: lambda name, parts, _party: parts.of(name).rank,
    Shared.kind: lambda _name, parts, party: parts.sharing(party).rank,
    Individual.kind: _individual,
}


def narrowed(dictionary: Dictionary, spec: DataSpec) -> Dictionary:
    """The dictionary without the features of a modality that has more than 256 and something else to read.

    A network on thousands of features costs more than all others together, and learns least from few samples.
    """
    return {name: _narrowed(extractors, spec.width(name)) for name, extractors in dictionary.items()}


def _narrowed(extractors: Sequence[Extractor | None], width: int) -> Sequence[Extractor | None]:
    others = tuple(one for one in extractors if one is None or one.kind != Identity.kind)
    return others if width > _WIDE and any(others) else extractors


def alike_students(dictionary: Dictionary) -> list[Student]:
    """Students that read the same kind of representation of one modality, of two, and of all; a kind's first of each.

    Where a modality has nothing of a kind, what is first in its list takes its place among several.
    """
    found = []
    for kind in dict.fromkeys(one.kind for of in dictionary.values() for one in of if one):
        firsts = {name: [one for one in of if one and one.kind == kind] for name, of in dictionary.items()}
        reads = {name: of[0] for name, of in firsts.items() if of}
        others = {name: next(filter(None, of), None) for name, of in dictionary.items()}
        whole = {name: reads.get(name, other) for name, other in others.items()}
        found += [Student(((name, one),)) for name, one in reads.items()]
        found += [Student(pair) for pair in combinations(reads.items(), 2)]
        found.append(Student(tuple((name, one) for name, one in whole.items() if one)))
    return list(dict.fromkeys(found))


def whole_student(spec: DataSpec, names: Sequence[str]) -> Student:
    """The student that reads all of these modalities, as they are or through the user's modules."""
    return Student(tuple((name, cast(Extractor, parse(whole_label(spec, name)))) for name in names))


def encoded_student(spec: DataSpec, names: Sequence[str]) -> Student:
    """The same, but a series or an image is read through an encoder of the student's own."""
    encoded = {name: Encoder(ENCODED) for name in names if name not in spec.encoders and len(spec.shapes[name]) > 1}
    return Student(tuple((name, encoded.get(name, extractor)) for name, extractor in whole_student(spec, names).reads))


def whole_label(spec: DataSpec, name: str) -> str:
    """The extractor that reads all of a modality: the user's module where one is given, else the features."""
    return "module" if name in spec.encoders else "identity"
