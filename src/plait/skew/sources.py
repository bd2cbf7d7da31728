"""Where the taps of every modality come from: columns that were read before, or a network that is read here."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.data.shapes import Features, Present
from plait.data.spec import DataSpec
from plait.nn.fresh import fresh
from plait.nn.taps.failures import of_modality
from plait.nn.taps.module_taps import ModuleTaps
from plait.nn.taps.pooling import pooled
from plait.nn.taps.small import SmallImageNet, SmallSeriesNet, SmallVectorNet
from plait.skew.ridge import Tap

_LISTS = ("blocks", "layers")  # what networks call their blocks, as a torch.nn.ModuleList


class TapSource(nn.Module, ABC):
    """The taps of one modality, each one vector a sample.

    Args:
        widths: Width of each tap.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)

    @abstractmethod
    def forward(self, values: Float[Tensor, "batch *shape"], upto: int) -> list[Float[Tensor, "batch _"]]:
        """Taps 1 to `upto`."""

    def cut(self, upto: int) -> None:
        """Throw away what taps above `upto` alone need."""


class Columns(TapSource):
    """Taps that an estimator has read before, side by side."""

    def forward(self, values: Float[Tensor, "batch width"], upto: int) -> list[Float[Tensor, "batch _"]]:
        return list(values.split(self.widths, dim=1))[:upto]  # type: ignore[no-untyped-call]


class Blocks(TapSource):
    """The blocks of a network, which is read in evaluation mode and without gradients.

    Args:
        net: The network.
        name: The modality, for errors.
        shape: Shape of a sample.
        pool: How tokens become vectors.
    """

    def __init__(self, net: nn.Module, name: str, shape: Sequence[int], pool: str) -> None:
        paths = _blocks(net, name)
        with of_modality(name):
            read = ModuleTaps(net, paths).read(torch.zeros(1, *shape, dtype=_number_format(net)))
            super().__init__([pooled(tapped, pool).shape[1] for tapped in read])
        self.net, self.name, self.paths, self.pool = net, name, list(paths), pool

    def forward(self, values: Float[Tensor, "batch *shape"], upto: int) -> list[Float[Tensor, "batch _"]]:
        with of_modality(self.name):
            read = ModuleTaps(self.net, self.paths).truncated(upto).read(values)
            return [pooled(tapped, self.pool) for tapped in read]


class OwnBlocks(Blocks):
    """The blocks of a small network of ours, which can be cut off for good."""

    def cut(self, upto: int) -> None:
        """Keep the lowest blocks alone, without the head."""
        del cast("nn.ModuleList", self.net.blocks)[upto:]
        self.net.head = nn.Identity()
        self.paths, self.widths = self.paths[:upto], self.widths[:upto]


class Sources(nn.Module):
    """The sources of all modalities; those of ours have one network a fold.

    Modalities that are columns of taps are divided; a module of the user is read at its blocks; for all others there is
    a small network of six blocks, which is to be trained first.

    Args:
        spec: Shapes, outputs, encoders of the user and widths of taps.
        pool: How tokens become vectors.
        generator: Source of the initial weights.

    Raises:
        ValueError: If a module of the user has no blocks that are found.
    """

    def __init__(self, spec: DataSpec, pool: str, generator: torch.Generator) -> None:
        super().__init__()
        self.names, self.folds = spec.names, spec.folds
        each = [nn.ModuleList(_sources(spec, name, pool, generator)) for name in self.names]
        self.each = nn.ModuleList(each)
        self.own = tuple(name for name in self.names if isinstance(self.of(name), OwnBlocks))

    def of(self, name: str, fold: int = 0) -> TapSource:
        """The source of a modality; of one with a network a fold, that of this fold."""
        several = self.every(name)
        return several[fold if len(several) > 1 else 0]

    def every(self, name: str) -> "list[TapSource]":
        """The sources of a modality: one, or one a fold."""
        return list(cast("Iterable[TapSource]", self.each[self.names.index(name)]))

    @property
    def depths(self) -> dict[str, int]:
        """Number of taps of each modality."""
        return {name: len(self.of(name).widths) for name in self.names}

    def read(
        self, features: Features, present: Present, upto: Mapping[str, int]
    ) -> list[dict[Tap, Float[Tensor, "batch _"]]]:
        """Taps of each fold, from 1 to `upto` of each modality; of 0 none. Absent ones are those of zeros."""
        found: list[dict[Tap, Tensor]] = [{} for _ in range(self.folds)]
        for place, name in enumerate(self.names):
            if not upto[name]:
                continue
            values = zero_where_absent(features[name], present[:, place])
            read = [source(values, upto[name]) for source in self.every(name)]
            for fold, taps in enumerate(found):
                own = read[fold if len(read) > 1 else 0]
                taps.update({(name, number): tap for number, tap in enumerate(own, start=1)})
        return found

    def cut(self, highest: Mapping[str, int]) -> None:
        """Throw away what is above the highest taps that are read; a modality of which none is read keeps nothing."""
        for name in self.names:
            for source in self.every(name):
                source.cut(highest[name])


def zero_where_absent(
    values: Float[Tensor, "batch *shape"], here: Bool[Tensor, " batch"]
) -> Float[Tensor, "batch *shape"]:
    """Values of a modality with zeros in the samples that lack it."""
    return values.where(here.reshape(-1, *[1] * (values.ndim - 1)), 0)


def small_net(shape: Sequence[int], outputs: int) -> nn.Module:
    """A network of six blocks for samples of a shape, with fresh weights from torch's global generator."""
    if len(shape) == 2:
        return SmallSeriesNet(shape[1], outputs)
    if len(shape) == 3:
        return SmallImageNet(shape[0], outputs)
    return _Flat(shape, outputs) if len(shape) > 1 else SmallVectorNet(shape[0], outputs)


class _Flat(SmallVectorNet):
    """A network for vectors that reads samples of more axes."""

    def __init__(self, shape: Sequence[int], outputs: int) -> None:
        super().__init__(torch.Size(shape).numel(), outputs)

    def forward(self, values: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch out"]:
        """The outputs of the head."""
        return super().forward(values.flatten(1))


def _sources(spec: DataSpec, name: str, pool: str, generator: torch.Generator) -> list[TapSource]:
    if name in spec.taps:
        return [Columns(spec.taps[name])]
    shape = spec.shapes[name]
    if name in spec.encoders:
        return [Blocks(spec.encoders[name], name, shape, pool)]
    build = partial(small_net, shape, spec.outputs)
    return [OwnBlocks(fresh(build, generator), name, shape, pool) for _ in range(spec.folds)]


def _number_format(net: nn.Module) -> torch.dtype:
    """What a network reads until it is brought to the precision of the others."""
    return next((weight.dtype for weight in net.parameters() if weight.is_floating_point()), torch.float32)


def _blocks(net: nn.Module, name: str) -> list[str]:
    """Paths of the blocks of a network that says what they are: a list of blocks, or modules in a row."""
    for path in _LISTS:
        if isinstance(getattr(net, path, None), nn.ModuleList):
            return [f"{path}.{place}" for place in range(len(getattr(net, path)))]
    if isinstance(net, nn.Sequential) and len(net):
        return [path for path, _ in net.named_children()]
    raise ValueError(
        f"The encoder of modality {name!r}, a {type(net).__name__}, has no `blocks` or `layers` (a "
        "torch.nn.ModuleList) and is no torch.nn.Sequential, so that its taps are not known. Say what they are: "
        "plait.nn.taps.ModuleTaps(module, blocks=[...])."
    )
