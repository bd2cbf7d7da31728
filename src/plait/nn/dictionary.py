"""What students read where the user does not say."""

from collections.abc import Sequence
from typing import cast

from plait.data.spec import DataSpec
from plait.nn.encoders import ENCODED
from plait.nn.extractors import NULL, Encoder, Extractor, parse
from plait.nn.students import Student

_SHARES = (2, 4)
_NARROW = 4


def default_labels(spec: DataSpec, samples: int) -> dict[str, tuple[str, ...]]:
    """Extractors of every modality where the user names none.

    The user's module where one is given; else the features, and principal components: half and a quarter as many
    as features (or training samples, if they are fewer; none below four). Every modality may also be ignored.
    """
    return {name: (*_read(spec, name, samples), NULL) for name in spec.names}


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


def _read(spec: DataSpec, name: str, samples: int) -> tuple[str, ...]:
    if name in spec.encoders:
        return (whole_label(spec, name),)
    rank = min(spec.width(name), max(samples - 1, 1))
    sizes = [rank // share for share in _SHARES] if rank >= _NARROW else []
    return (whole_label(spec, name), *(f"pca-{size}" for size in sizes))
