"""How the data of a contender differ from those of the others: not at all, fewer modalities, or spoiled on purpose."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, cast

import numpy as np
from jaxtyping import Bool, Int, Shaped
from numpy import ndarray

from plait.data.checks import listed
from plait.data.modalities import Modalities

Target = Shaped[ndarray, "sample *out"]
Rows = Int[ndarray, "_"]


@dataclass(frozen=True)
class Changed:
    """The data after a change.

    Args:
        modalities: All samples.
        target: What the training samples are fitted on; the truth that the others are scored against is not here.
        usable: The samples that a fit and its predictions may read; the others train nothing, and are predicted by
            the prior of all training samples (class frequencies, or the mean).
    """

    modalities: Modalities
    target: Target
    usable: Bool[ndarray, " sample"]


class Change(ABC):
    """What is done to the data before a contender is fitted.

    Attributes:
        random: Whether it depends on a seed.
    """

    random: ClassVar[bool] = False

    @abstractmethod
    def apply(self, modalities: Modalities, target: Target, train: Rows, seed: int) -> Changed:
        """The data of one fit.

        Args:
            modalities: All samples.
            target: Their targets.
            train: Positions of the training samples.
            seed: Seed of what is random about the change.

        Raises:
            ValueError: If the change names a modality that is not there.
        """

    @abstractmethod
    def reads(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the modalities that are left."""

    def text(self, seed: int) -> dict[str, Any]:
        """The change as JSON values: its settings (names in any order), and the seed where it is random."""
        values = {part.name: getattr(self, part.name) for part in fields(cast("Any", self))}
        settings = {name: sorted(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {"change": type(self).__name__, **settings, **({"random_state": seed} if self.random else {})}


@dataclass(frozen=True)
class AsIs(Change):
    """The data as they are."""

    def apply(self, modalities: Modalities, target: Target, train: Rows, seed: int) -> Changed:
        return Changed(modalities, target, np.ones(len(modalities), dtype=bool))

    def reads(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return names


@dataclass(frozen=True)
class OnlyModalities(Change):
    """A refit on some of the modalities; a sample that has none of them trains nothing and is predicted by the prior.

    Args:
        names: The modalities that are left, in any order.
    """

    names: tuple[str, ...]

    def apply(self, modalities: Modalities, target: Target, train: Rows, seed: int) -> Changed:
        kept = modalities.select(self.reads(modalities.names))
        return Changed(kept, target, np.asarray(kept.present.any(axis=1)))

    def reads(self, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in self.names if name not in names]
        if unknown or not self.names:
            raise ValueError(f"OnlyModalities must name some of {listed(names)}; got {list(self.names)}.")
        return tuple(name for name in names if name in self.names)


@dataclass(frozen=True)
class ShuffledTarget(Change):
    """A negative control: the targets of the training samples are permuted among them, so there is nothing to learn.

    Groups are permuted sample by sample. What is reported is scored against the truth.
    """

    random: ClassVar[bool] = True

    def apply(self, modalities: Modalities, target: Target, train: Rows, seed: int) -> Changed:
        spoiled = target.copy()
        spoiled[train] = target[_generator(seed, 0).permutation(train)]
        return Changed(modalities, spoiled, np.ones(len(modalities), dtype=bool))

    def reads(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return names


@dataclass(frozen=True)
class ShuffledModality(Change):
    """A negative control: values and presence of one modality are permuted, so that it tells nothing of its sample.

    Training samples are permuted among themselves, and so are all others.

    Args:
        name: The modality.
    """

    random: ClassVar[bool] = True

    name: str

    def apply(self, modalities: Modalities, target: Target, train: Rows, seed: int) -> Changed:
        self.reads(modalities.names)
        draw = _generator(seed, 1)
        others = np.setdiff1d(np.arange(len(modalities)), train)
        order = np.empty(len(modalities), dtype=np.int64)
        order[train], order[others] = draw.permutation(train), draw.permutation(others)
        arrays, present = dict(modalities.items()), modalities.present.copy()
        arrays[self.name] = arrays[self.name][order]
        column = modalities.names.index(self.name)
        present[:, column] = present[order, column]
        spoiled = Modalities.trusted(arrays, modalities.ids, present, modalities.columns, own_ids=modalities.own_ids)
        return Changed(spoiled, target, np.asarray(present.any(axis=1)))

    def reads(self, names: tuple[str, ...]) -> tuple[str, ...]:
        if self.name not in names:
            raise ValueError(f"ShuffledModality must name one of {listed(names)}; got {self.name!r}.")
        return names


def _generator(seed: int, place: int) -> np.random.Generator:
    """An independent stream of random numbers for each kind of change."""
    return np.random.default_rng(np.random.SeedSequence((seed, place)))
