"""The encoder of a modality by the shape of its samples, or by the name of a kind."""

import re
from collections.abc import Callable, Mapping, Sequence

from plait.nn.encoders.base import TokenEncoder
from plait.nn.encoders.images import ImageConvolution, ImagePatches
from plait.nn.encoders.series import SeriesConvolution, SeriesPatches
from plait.nn.encoders.vectors import Perceptron

_Build = Callable[..., TokenEncoder]
_CONVOLUTIONS: Mapping[int, _Build] = {2: SeriesConvolution, 3: ImageConvolution}
_PATCHES: Mapping[int, _Build] = {2: SeriesPatches, 3: ImagePatches}
# What reads samples of so many axes, and what reads all others (None: nothing).
_KINDS: Mapping[str, tuple[Mapping[int, _Build], _Build | None]] = {
    "shape": (_CONVOLUTIONS, Perceptron),
    "perceptron": ({}, Perceptron),
    "convolution": ({1: Perceptron, **_CONVOLUTIONS}, None),
    "patches": ({1: Perceptron, **_PATCHES}, None),
}


def encoder_for(shape: Sequence[int], kind: str = "shape", width: int = 64, dropout: float = 0.1) -> TokenEncoder:
    """A fresh encoder of samples of one shape, drawn from torch's global random numbers.

    Args:
        shape: Shape of a sample: (features,), (time, channel), (channel, height, width), or more axes.
        kind: "shape": convolutions for a series or an image, a perceptron for the rest. "perceptron": one token of the
            whole sample, whatever its shape. "convolution", "patches": of a series or an image; a vector,
            which has nothing to cut, is read by a perceptron. Any of them with a width in place of `width`:
            "patches-32".
        width: Size of a token; a multiple of 4 where there are transformer layers (all but perceptrons and
            convolutions of images).
        dropout: Share of units dropped in training, in [0, 1).

    Raises:
        ValueError: If there is no such kind, if it cannot read the shape, or if width or dropout are out of range.
    """
    parts = re.fullmatch(r"([a-z]+)(?:-([1-9]\d*))?", kind)
    if parts is None or parts[1] not in _KINDS:
        raise ValueError(
            f"'{kind}' is not a kind of encoder. Known kinds: {', '.join(map(repr, _KINDS))}, each with a width if "
            "wanted, for example 'patches-32'."
        )
    by_axes, otherwise = _KINDS[parts[1]]
    chosen = by_axes.get(len(shape), otherwise)
    if chosen is None:
        raise ValueError(
            f"A '{parts[1]}' encoder reads a vector, a series (time, channel) or an image (channel, height, width), "
            f"not samples of shape {tuple(shape)}. Use 'perceptron', which reads any shape."
        )
    return chosen(shape, int(parts[2] or width), dropout=dropout)
