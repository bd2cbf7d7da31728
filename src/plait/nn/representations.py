"""The frozen part of a cohort: what is computed once for all students, and cached while they train."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.shapes import Features, Present
from plait.data.spec import DataSpec
from plait.nn.extractors import (
    JOINT,
    PCA,
    Extractor,
    Identity,
    Individual,
    Module,
    Shared,
    Sliced,
    is_frozen,
    output_shape,
)
from plait.nn.parts import Parts
from plait.nn.shared_parts import LinearPart
from plait.nn.students import Student


class Source(nn.Module, ABC):
    """A part that reads one modality and gives named representations of it."""

    @abstractmethod
    def forward(self, values: Float[Tensor, "batch ..."]) -> Features:
        """The representations, by the name that extractors know them under."""


class Flatten(Source):
    """The features as one row a sample."""

    def forward(self, values: Float[Tensor, "batch ..."]) -> Features:
        return {Identity.kind: values.flatten(1)}


class Projection(Source):
    """A linear map of the features, the most important value first: narrower ones are its first columns.

    Args:
        width: Number of features.
        rank: Number of values.
        kind: What the values are: principal components ("pca"), a shared or an individual part.
    """

    mean: Tensor
    components: Tensor

    def __init__(self, width: int, rank: int, kind: str = PCA.kind) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("components", torch.zeros(width, rank))

    @property
    def rank(self) -> int:
        """Number of values."""
        return self.components.shape[1]

    def take(self, part: LinearPart) -> None:
        """Become this map."""
        self.mean.copy_(part.mean)
        self.components.copy_(part.directions)

    def forward(self, values: Float[Tensor, "batch ..."]) -> Features:
        return {self.kind: (values.flatten(1) - self.mean) @ self.components}


class SlicedEncoder(Source):
    """A perceptron whose last hidden layers, after their ReLU, are representations of falling width.

    Args:
        width: Number of features.
        hidden: Widths of the layers before the representations.
        widths: Widths of the representations, in falling order.
        outputs: Outputs of the last layer, which serves its own training alone.
    """

    def __init__(self, width: int, hidden: Iterable[int], widths: Sequence[int], outputs: int) -> None:
        super().__init__()
        sizes = [width, *hidden, *widths, outputs]
        self.widths = tuple(widths)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def reset(self) -> None:
        """Draw fresh weights from torch's global generator."""
        for layer in self.layers:
            layer.reset_parameters()  # type: ignore[operator]

    def hidden(self, values: Float[Tensor, "batch ..."]) -> list[Tensor]:
        """The values after the ReLU that follows each layer but the last."""
        found = [values.flatten(1)]
        for layer in list(self.layers)[:-1]:
            found.append(layer(found[-1]).relu())
        return found[1:]

    def predict(self, values: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch out"]:
        """Outputs of the whole perceptron."""
        output: Tensor = self.layers[-1](self.hidden(values)[-1])
        return output

    def forward(self, values: Float[Tensor, "batch ..."]) -> Features:
        kept = self.hidden(values)[-len(self.widths) :]
        return {Sliced(size).label: layer for size, layer in zip(self.widths, kept, strict=True)}


class Frozen(Source):
    """The output of the user's frozen module, flattened.

    Args:
        module: The user's module; a copy of it is kept, always in evaluation mode.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = copy.deepcopy(module).eval()

    def train(self, mode: bool = True) -> "Frozen":
        """Keep the user's module in evaluation mode."""
        super().train(mode)
        self.module.eval()
        return self

    def forward(self, values: Float[Tensor, "batch ..."]) -> Features:
        return {Module.kind: self.module(values.clone()).flatten(1)}  # it may begin with a step in place


class Unread(Source):
    """The features as they are, for a module that is trained with the students."""

    def forward(self, values: Float[Tensor, "batch ..."]) -> Features:
        return {Module.kind: values}


Kind = TypeVar("Kind", bound=Source)
Build = Callable[[str, DataSpec, Sequence[Extractor], Sequence[int]], Source]


def _projection(name: str, spec: DataSpec, users: Sequence[Extractor], hidden: Sequence[int]) -> Source:  # noqa: ARG001
    return Projection(spec.width(name), max(user.width(name, spec) for user in users), users[0].kind)


def _sliced(name: str, spec: DataSpec, users: Sequence[Extractor], hidden: Sequence[int]) -> Source:
    widths = sorted((user.width(name, spec) for user in users), reverse=True)
    return SlicedEncoder(spec.width(name), hidden, widths, spec.outputs)


def _module(name: str, spec: DataSpec, users: Sequence[Extractor], hidden: Sequence[int]) -> Source:  # noqa: ARG001
    encoder = spec.encoders[name]
    output_shape(encoder, name, spec.shapes[name])  # refused by name before it is run on the samples
    return Frozen(encoder) if is_frozen(encoder) else Unread()


_BUILD: dict[str, Build] = {
    **dict.fromkeys((PCA.kind, Shared.kind, Individual.kind), _projection),
    "sliced": _sliced,
    "module": _module,
}


class Representations(nn.Module):
    """All frozen representations that a cohort's students read.

    Args:
        spec: Shapes of the data.
        students: Those who read them.
        hidden: Widths of the layers of sliced encoders before their representations.
    """

    def __init__(self, spec: DataSpec, students: Iterable[Student], hidden: Sequence[int] = ()) -> None:
        super().__init__()
        self.names = tuple(spec.names)
        self.sources = nn.ModuleList()
        self.reads: list[str] = []
        users: dict[tuple[str, str], list[Extractor]] = {}
        for name, extractor in dict.fromkeys(read for student in students for read in student.reads):
            users.setdefault((name, extractor.source.partition("-")[0]), []).append(extractor)
        for (name, kind), extractors in users.items():
            build = _BUILD.get(kind)
            self.sources.append(build(name, spec, extractors, hidden) if build else Flatten())
            self.reads.append(name)

    def of_kind(self, kind: type[Kind]) -> list[tuple[str, Kind]]:
        """The parts of one kind, each with the modality it reads."""
        return [(name, part) for name, part in zip(self.reads, self.sources, strict=True) if isinstance(part, kind)]

    def fit_projections(self, parts: Parts) -> None:
        """Take every projection from parts of the training samples; modalities with a joint part are its party."""
        projections = self.of_kind(Projection)
        party = [name for name in self.names if any(of == name and one.kind in JOINT for of, one in projections)]
        for name, projection in projections:
            projection.take(parts.named(projection.kind, name, projection.rank, party))

    def forward(self, features: Features, present: Present) -> Features:
        """The representations, each named "modality/source"; zero where the modality is absent."""
        found: Features = {}
        for name, source in zip(self.reads, self.sources, strict=True):
            here = present[:, self.names.index(name)]
            for key, values in source(features[name]).items():
                shaped = here.reshape(-1, *[1] * (values.ndim - 1))
                found[f"{name}/{key}"] = values.where(shaped, 0)
        return found
