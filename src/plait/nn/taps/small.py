"""Small networks with blocks in a row, to be trained on the spot and then read at their taps."""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu

from plait.data.settings import check_real, check_whole
from plait.nn.taps.mel import LogMel

_DEPTH = 6
_HALVED = (2, 4)  # blocks, counted from 0, that halve the image or the series and double the width


class _ImageBlock(nn.Module):
    """Two convolutions beside a shortcut: a map (batch, channel, row, column) of another width and size."""

    def __init__(self, read: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(read, out, 3, stride, 1)
        self.second = nn.Conv2d(out, out, 3, 1, 1)
        self.norms = nn.ModuleList([nn.GroupNorm(1, read), nn.GroupNorm(1, out)])
        self.shortcut = nn.Identity() if read == out else nn.Conv2d(read, out, 1, stride)

    def forward(self, values: Float[Tensor, "batch channel row column"]) -> Float[Tensor, "batch out down across"]:
        changed = self.first(gelu(self.norms[0](values)))
        found: Tensor = self.shortcut(values) + self.second(gelu(self.norms[1](changed)))
        return found


class _SeriesBlock(nn.Module):
    """Two convolutions along time beside a shortcut; a moment is a token (batch, time, width)."""

    def __init__(self, read: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(read, out, 5, stride, 2)
        self.second = nn.Conv1d(out, out, 5, 1, 2)
        self.norms = nn.ModuleList([nn.LayerNorm(read), nn.LayerNorm(out)])
        self.shortcut = nn.Identity() if read == out else nn.Linear(read, out)
        self.stride = stride

    def forward(self, tokens: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch later out"]:
        changed = self.first(gelu(self.norms[0](tokens)).mT).mT
        changed = self.second(gelu(self.norms[1](changed)).mT).mT
        found: Tensor = self.shortcut(tokens[:, :: self.stride]) + changed
        return found


class _VectorBlock(nn.Module):
    """A perceptron beside a shortcut: a vector of the same width."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        hidden = nn.Linear(width, 2 * width)
        self.layers = nn.Sequential(
            nn.LayerNorm(width), hidden, nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    def forward(self, values: Float[Tensor, "batch width"]) -> Float[Tensor, "batch width"]:
        found: Tensor = values + self.layers(values)
        return found


class SmallImageNet(nn.Module):
    """Six residual blocks of convolutions (after He et al., 2016); blocks 3 and 5 halve the image, twice as wide.

    Drawn from torch's global random numbers.

    Args:
        channels: Channels of an image, at least 1.
        out: Outputs of the head, at least 1.
        width: Channels of the first two blocks, at least 1; the last two have four times as many.

    Attributes:
        blocks: The blocks; each gives a map (batch, channel, row, column).

    Raises:
        ValueError: If a size is below 1.
    """

    def __init__(self, channels: int, out: int, width: int = 16) -> None:
        _check(channels=channels, out=out, width=width)
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, 1, 1)
        self.blocks = nn.ModuleList(_ImageBlock(*sizes) for sizes in _sizes(width))
        self.head = nn.Linear(4 * width, out)

    def forward(self, images: Float[Tensor, "batch channel row column"]) -> Float[Tensor, "batch out"]:
        """The outputs of the head, from the mean of the last map; images may have any size."""
        values = self.stem(images)
        for block in self.blocks:
            values = block(values)
        found: Tensor = self.head(values.mean((2, 3)))
        return found


class SmallSeriesNet(nn.Module):
    """Six residual blocks of convolutions along time, for a series (time, channel); blocks 3 and 5 halve the time.

    Drawn from torch's global random numbers.

    Args:
        channels: Channels of a series, at least 1.
        out: Outputs of the head, at least 1.
        width: Size of a token of the first two blocks, at least 2; those of the last two are four times as wide.

    Attributes:
        blocks: The blocks; each gives tokens (batch, time, width).

    Raises:
        ValueError: If a size is below 1 (the width: 2).
    """

    def __init__(self, channels: int, out: int, width: int = 32) -> None:
        _check(channels=channels, out=out)
        check_whole("width", width, 2)  # what is normalised to mean 0 says nothing if it is one number
        super().__init__()
        self.stem = nn.Linear(channels, width)
        self.blocks = nn.ModuleList(_SeriesBlock(*sizes) for sizes in _sizes(width))
        self.head = nn.Linear(4 * width, out)

    def forward(self, series: Float[Tensor, "batch time channel"]) -> Float[Tensor, "batch out"]:
        """The outputs of the head, from the mean of the last tokens; series may have any length."""
        tokens = self.stem(series)
        for block in self.blocks:
            tokens = block(tokens)
        found: Tensor = self.head(tokens.mean(1))
        return found


class SmallAudioNet(SmallSeriesNet):
    """`SmallSeriesNet` on the mel bands of a waveform.

    Drawn from torch's global random numbers.

    Args:
        out: Outputs of the head, at least 1.
        rate: Samples a second.
        width: Size of a token of the first two blocks, at least 2; those of the last two are four times as wide.
        bands: Number of mel bands.

    Attributes:
        blocks: The blocks; each gives tokens (batch, time, width).

    Raises:
        ValueError: If a size is below 1 (the width: 2), or there are too many bands for the rate.
    """

    def __init__(self, out: int, rate: int = 16_000, width: int = 32, bands: int = 40) -> None:
        super().__init__(bands, out, width)
        self.mel = LogMel(rate, bands)

    def forward(self, waveforms: Float[Tensor, "batch time"]) -> Float[Tensor, "batch out"]:
        """The outputs of the head, from the mean of the last tokens; waveforms may have any length."""
        return super().forward(self.mel(waveforms))


class SmallVectorNet(nn.Module):
    """Six blocks of a perceptron with residuals, for a vector.

    Drawn from torch's global random numbers.

    Args:
        features: Numbers in a vector, at least 1.
        out: Outputs of the head, at least 1.
        width: Width of every block, at least 2.
        dropout: Share of hidden units dropped in training, in [0, 1).

    Attributes:
        blocks: The blocks; each gives vectors (batch, width).

    Raises:
        ValueError: If a size or the share is out of range.
    """

    def __init__(self, features: int, out: int, width: int = 64, dropout: float = 0.1) -> None:
        _check(features=features, out=out)
        check_whole("width", width, 2)  # what is normalised to mean 0 says nothing if it is one number
        check_real("dropout", dropout, 0.0, 1.0)
        super().__init__()
        self.stem = nn.Linear(features, width)
        self.blocks = nn.ModuleList(_VectorBlock(width, dropout) for _ in range(_DEPTH))
        self.head = nn.Linear(width, out)

    def forward(self, values: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch out"]:
        """The outputs of the head."""
        values = self.stem(values)
        for block in self.blocks:
            values = block(values)
        found: Tensor = self.head(values)
        return found


def _sizes(width: int) -> Sequence[tuple[int, int, int]]:
    """What each block reads and gives, and its stride."""
    halved = [sum(block >= place for place in _HALVED) for block in range(-1, _DEPTH)]
    return [(width * 2**before, width * 2**after, 1 + after - before) for before, after in pairwise(halved)]


def _check(**sizes: int) -> None:
    for name, size in sizes.items():
        check_whole(name, size, 1)
