"""Every modality as a few tokens of one width, for networks that attend to them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import count
from math import ceil, prod

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import pad

from plait.data.shapes import Features, Present
from plait.data.spec import DataSpec
from plait.nn.encodings import read_whole, stacked_linear
from plait.nn.layers import uniform

_WINDOWS, _PATCHES = 32, 64  # tokens of a series and of an image, at most
_VECTOR, _SERIES = 1, 2  # axes of a sample


class Embedding(nn.Module, ABC):
    """A modality's values as tokens.

    Attributes:
        count: Number of tokens.
    """

    count: int

    @abstractmethod
    def forward(self, values: Float[Tensor, "*unit batch feature"]) -> Float[Tensor, "units batch token width"]:
        """The tokens of all copies; values without the leading axis are shared by all of them."""


class Pieces(Embedding):
    """A vector as so many learned projections of the whole.

    Args:
        features: Numbers in the vector.
        tokens: Number of tokens.
        width: Size of a token.
        units: Number of independent copies.
        generator: Source of the initial weights.
    """

    def __init__(self, features: int, tokens: int, width: int, units: int, generator: torch.Generator) -> None:
        super().__init__()
        self.count = tokens
        self.embed = stacked_linear(units, features, tokens * width, generator)

    def forward(self, values: Float[Tensor, "*unit batch feature"]) -> Float[Tensor, "units batch token width"]:
        projected: Tensor = self.embed(values)
        return projected.reshape(*projected.shape[:2], self.count, -1)


class Patches(Embedding):
    """A series or an image, cut into equal patches that are embedded alike, each with a learned position.

    A patch is the smallest cube of which at most `most` cover the sample; zeros fill the last ones up.

    Args:
        shape: Shape of a sample: channels and then the axes that are cut (of an image), or the channels last (of a
            series), as `series` says.
        most: Patches, at most.
        width: Size of a token.
        units: Number of independent copies.
        generator: Source of the initial weights.
        series: Whether the channels are the last axis rather than the first.
    """

    def __init__(
        self, shape: Sequence[int], most: int, width: int, units: int, generator: torch.Generator, *, series: bool
    ) -> None:
        super().__init__()
        self.shape, self.series = tuple(shape), series
        channels, axes = (shape[-1], shape[:-1]) if series else (shape[0], shape[1:])
        self.sides, self.counts = _cut(axes, most)
        self.count = prod(self.counts)
        self.embed = stacked_linear(units, channels * prod(self.sides), width, generator)
        self.position = nn.Parameter(uniform((units, self.count, width), width, generator))

    def patches(self, values: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch token patch"]:
        """The values of every patch, channels first."""
        shaped = values.reshape(-1, *self.shape)
        shaped = shaped.movedim(-1, 1) if self.series else shaped
        cuts = list(zip(shaped.shape[2:], self.counts, self.sides, strict=True))
        lacking = [(0, number * side - size) for size, number, side in cuts]
        shaped = pad(shaped, [end for ends in reversed(lacking) for end in ends])
        shaped = shaped.reshape(*shaped.shape[:2], *(size for _, *cut in cuts for size in cut))
        axes = range(2, shaped.ndim)
        return shaped.permute(0, *axes[::2], 1, *axes[1::2]).reshape(len(values), self.count, -1)

    def forward(self, values: Float[Tensor, "batch feature"]) -> Float[Tensor, "units batch token width"]:
        patches = self.patches(values)
        embedded: Tensor = self.embed(patches.flatten(0, 1))
        return embedded.reshape(-1, *patches.shape[:2], embedded.shape[-1]) + self.position[:, None]


def _cut(axes: Sequence[int], most: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sides of a patch, and their number along every axis."""
    side = next(side for side in count(1) if prod(ceil(size / side) for size in axes) <= most)
    return tuple(min(side, size) for size in axes), tuple(ceil(size / side) for size in axes)


class Tokens(nn.Module):
    """Every modality as tokens of one width, by its shape, with a learned mark of the modality.

    - A vector, and what the user's module gives: so many learned projections of the whole.
    - A series (time, channel): its steps, or up to 32 windows of equally many steps. A sample of two axes is always
      read as a series, a grey image (height, width) row by row; give it as (1, height, width) to cut it into patches.
    - An image (channel, height, width), or a volume: up to 64 square patches.

    Args:
        spec: Shapes of the data, and the user's modules.
        width: Size of a token, at least 1.
        tokens: Tokens of a vector, at least 1.
        units: Number of independent copies.
        generator: Source of the initial weights.
    """

    places: Tensor

    def __init__(self, spec: DataSpec, width: int, tokens: int, units: int, generator: torch.Generator) -> None:
        super().__init__()
        self.keys, self.modules_given, widths = read_whole(spec, units, generator)
        self.embeddings = nn.ModuleList()
        for name, read in zip(spec.names, widths, strict=True):
            shape = (read,) if name in spec.encoders else spec.shapes[name]
            self.embeddings.append(_embedding(shape, width, tokens, units, generator))
        self.mark = nn.Parameter(uniform((units, len(spec.names), width), width, generator))
        counts = torch.tensor([part.count for part in self.embeddings])
        self.register_buffer("places", torch.arange(len(counts)).repeat_interleave(counts), persistent=False)

    def forward(
        self, features: Features, present: Present
    ) -> tuple[Float[Tensor, "unit batch token width"], Bool[Tensor, "batch token"]]:
        """The tokens, for cached representations (named "modality/source"), and which of them are there."""
        found = [self._embedded(place, features[key]) for place, key in enumerate(self.keys)]
        return torch.cat(found, dim=2) + self.mark[:, self.places][:, None], present[:, self.places]

    def _embedded(self, place: int, values: Float[Tensor, "batch ..."]) -> Float[Tensor, "unit batch token width"]:
        given = self.modules_given[str(place)](values) if str(place) in self.modules_given else values.flatten(1)
        found: Tensor = self.embeddings[place](given)
        return found


def _embedding(
    shape: tuple[int, ...], width: int, tokens: int, units: int, generator: torch.Generator
) -> Pieces | Patches:
    if len(shape) == _VECTOR:
        return Pieces(shape[0], tokens, width, units, generator)
    series = len(shape) == _SERIES
    return Patches(shape, _WINDOWS if series else _PATCHES, width, units, generator, series=series)


def modality_mean(
    tokens: Float[Tensor, "unit batch token width"], here: Bool[Tensor, "batch token"], places: Tensor
) -> Float[Tensor, "unit batch width"]:
    """Mean of each modality's tokens, then of the modalities that are there; zero where none is.

    Args:
        tokens: The tokens.
        here: Which tokens are there.
        places: The modality of each token.
    """
    share = here / torch.bincount(places)[places]
    share = (share / share.sum(1, keepdim=True).clamp(min=1)).to(tokens.dtype)  # the sum counts the modalities
    return torch.einsum("ubtw,bt->ubw", tokens, share)
