"""What a student can read of one modality: the entries of a cohort's dictionary, and their text form.

null           nothing: the student ignores the modality
identity       the modality's features, flattened
pca-20         the scores on the first 20 principal components
shared-20      the first 20 directions that it shares with other modalities (generalised canonical correlation)
individual-50  the first 50 of what its principal components hold beside the shared directions
encoder-50     50 outputs of an encoder of the student's own, trained with it: a perceptron of a vector, a convolution
               of a series or an image
sliced-50      50 units inside a perceptron trained alone on the modality and then frozen
module         the output of the user's own torch module
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.spec import DataSpec
from plait.nn.encoders import pooled_encoder
from plait.nn.fresh import fresh
from plait.nn.layers import Looped, StackedMLP


@dataclass(frozen=True)
class Extractor(ABC):
    """One representation of one modality."""

    kind: ClassVar[str]

    @property
    def label(self) -> str:
        """The text form, as listed above."""
        return self.kind

    @property
    def source(self) -> str:
        """Name of the frozen part whose output is read (many extractors may read one part)."""
        return self.kind

    @abstractmethod
    def width(self, modality: str, spec: DataSpec) -> int:
        """Number of values a sample."""

    def first(self, cached: Float[Tensor, "batch width"]) -> Float[Tensor, "batch _"]:
        """What is read of the output of the frozen part: all of it, or the first columns."""
        return cached

    def check(self, modality: str, spec: DataSpec) -> None:
        """Raise ValueError if the modality cannot be read this way."""

    def trained(
        self, modality: str, spec: DataSpec, copies: int, hidden: Sequence[int], generator: torch.Generator
    ) -> nn.Module | None:
        """The part that is trained with each of so many students, equal at the start; None if there is none."""


class Identity(Extractor):
    """The features as they are, flattened."""

    kind = "identity"

    def width(self, modality: str, spec: DataSpec) -> int:
        return spec.width(modality)


@dataclass(frozen=True)
class _Sized(Extractor):
    """An extractor of a chosen width."""

    size: int

    @property
    def label(self) -> str:
        return f"{self.kind}-{self.size}"

    def width(self, modality: str, spec: DataSpec) -> int:
        return self.size


class Linear(_Sized, ABC):
    """A linear map of the features, found from the training samples alone."""

    def first(self, cached: Float[Tensor, "batch width"]) -> Float[Tensor, "batch _"]:
        return cached[:, : self.size]

    def check(self, modality: str, spec: DataSpec) -> None:
        if self.size > spec.width(modality):
            raise ValueError(
                f"'{self.label}' asks for more values than modality '{modality}' has features "
                f"({spec.width(modality)}). Ask for at most that many."
            )


class PCA(Linear):
    """Scores on the first principal components of the training samples (centred, not scaled)."""

    kind = "pca"


class Shared(Linear):
    """The directions in which modalities agree: `plait.nn.shared_parts.SharedParts.shared`."""

    kind = "shared"


class Individual(Linear):
    """What a modality's principal components hold beside: `plait.nn.shared_parts.SharedParts.individual`."""

    kind = "individual"


class Encoder(_Sized):
    """An encoder by shape, trained end to end with its student: a perceptron of a vector, else a convolution."""

    kind = "encoder"

    @property
    def source(self) -> str:
        return Identity.kind

    def trained(
        self, modality: str, spec: DataSpec, copies: int, hidden: Sequence[int], generator: torch.Generator
    ) -> nn.Module | None:
        shape = spec.shapes[modality]
        if len(shape) > 1:
            return Looped.equal(fresh(partial(pooled_encoder, shape, self.size), generator), copies)
        sizes = [spec.width(modality), *hidden, self.size]
        return StackedMLP.initial(torch.zeros(copies, dtype=torch.long), sizes, generator)


class Sliced(_Sized):
    """Hidden units of a perceptron trained alone on the modality, then frozen (nested widths)."""

    kind = "sliced"

    @property
    def source(self) -> str:
        return self.label


class Module(Extractor):
    """The output of the user's own module: cached if all its parameters are frozen, else trained."""

    kind = "module"

    def check(self, modality: str, spec: DataSpec) -> None:
        if modality not in spec.encoders:
            raise ValueError(
                f"The dictionary of modality '{modality}' has 'module', but no encoder was given for it. "
                f"Pass encoders={{'{modality}': module}} to the estimator."
            )

    def width(self, modality: str, spec: DataSpec) -> int:
        self.check(modality, spec)
        return prod(output_shape(spec.encoders[modality], modality, spec.shapes[modality]))

    def trained(
        self, modality: str, spec: DataSpec, copies: int, hidden: Sequence[int], generator: torch.Generator
    ) -> nn.Module | None:
        encoder = spec.encoders[modality]
        return None if is_frozen(encoder) else Looped.equal(encoder, copies)


NULL = "null"
JOINT = (Shared.kind, Individual.kind)
"""Kinds that several modalities have together: those with one of them in their dictionaries."""
_READ = (Identity, PCA, Shared, Individual, Encoder, Sliced, Module)
_KINDS: dict[str, Callable[..., Extractor]] = {kind.kind: kind for kind in _READ}


def parse(label: str) -> Extractor | None:
    """The extractor that a text stands for; None for "null".

    Raises:
        ValueError: If the text is none of the forms above, or a width is not a positive whole number.
    """
    if label == NULL:
        return None
    kind, _, size = label.partition("-")
    if kind in _KINDS and (issubclass(_KINDS[kind], _Sized) == bool(size)):  # type: ignore[arg-type]
        if not size:
            return _KINDS[kind]()
        if size.isdigit() and int(size) > 0:
            return _KINDS[kind](int(size))
    raise ValueError(
        f"'{label}' is not a way to read a modality. Expected 'null', 'identity', 'module', or a kind with a "
        "width of at least 1: 'pca-20', 'shared-10', 'individual-20', 'encoder-50', 'sliced-50'."
    )


def parse_dictionary(labels: Mapping[str, Iterable[str]], spec: DataSpec) -> dict[str, tuple[Extractor | None, ...]]:
    """Every modality's extractors, checked against the data.

    Raises:
        ValueError: If a modality is unknown or left out, a label is repeated or cannot be read, or an
            extractor does not fit the modality.
    """
    if set(labels) != set(spec.names):
        raise ValueError(
            f"The dictionary names the modalities {sorted(labels)}, the data {sorted(spec.names)}. "
            "Give one list of extractors for every modality of the data."
        )
    dictionary = {name: tuple(parse(label) for label in labels[name]) for name in spec.names}
    for name, extractors in dictionary.items():
        if not extractors or len(set(extractors)) != len(extractors):
            raise ValueError(f"The dictionary of modality '{name}' is empty or repeats an entry: {list(labels[name])}.")
        for extractor in filter(None, extractors):
            extractor.check(name, spec)
    return dictionary


def output_shape(module: nn.Module, modality: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a module's output for one sample, found by passing two samples of zeros, and three.

    Raises:
        ValueError: If the module fails on the modality's shape or does not return one row a sample.
    """
    parameter = next(module.parameters(), torch.zeros(()))
    probes = [torch.zeros((rows, *shape), dtype=parameter.dtype, device=parameter.device) for rows in (2, 3)]
    training = module.training
    try:
        with torch.no_grad():
            outputs = [module.eval()(probe) for probe in probes]
    except (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise ValueError(
            f"The encoder of modality '{modality}' ({type(module).__name__}) fails on samples of shape {shape}: {error}"
        ) from error
    finally:
        module.train(training)
    for probe, output in zip(probes, outputs, strict=True):
        if not isinstance(output, torch.Tensor) or output.ndim < 2 or len(output) != len(probe):
            raise ValueError(
                f"The encoder of modality '{modality}' ({type(module).__name__}) must return one row a sample; "
                f"{len(probe)} samples of shape {shape} gave "
                f"{tuple(getattr(output, 'shape', ())) or type(output).__name__}."
            )
    return tuple(outputs[0].shape[1:])


def is_frozen(module: nn.Module) -> bool:
    """Whether no parameter of the module is to be trained."""
    return not any(parameter.requires_grad for parameter in module.parameters())
