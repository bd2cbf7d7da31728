"""Forecasting as supervised learning: the targets continue a series that is among the modalities."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sklearn.base import BaseEstimator

from plait.data.checks import listed
from plait.data.gaps import fill_gaps
from plait.data.modalities import Modalities
from plait.data.settings import check_one_of, words

Normalisation = Literal["window", "last", "none"]
_SERIES = 2  # axes of a sample
_NORMALISATIONS = ("window", "last", "none")


@dataclass(repr=False)
class Forecast(BaseEstimator):
    """The targets of a regression are the next values of a series: (horizon, channel) in one row, the horizon slower.

    Every channel of the series is forecast by the same network, which sees one channel at a time
    ("channel-independent", Nie et al., "A Time Series is Worth 64 Words", 2023): a minibatch is windows x channels.
    Each window of a channel is normalised by its own statistics, and the forecast is brought back to the window's
    level and scale ("reversible instance normalisation" without learned factors, Kim et al., 2022). Losses are of
    forecasts in the target's units, or in those of its scaling. Before all else, missing steps of the series (and of
    channelwise ones) are interpolated within window and channel; a channel that has no value in a window stands at its
    training mean there.

    Args:
        series: Modality that is continued, of shape (time, channel). The targets are `horizon * channel` columns.
        channelwise: Other modalities that have something of their own for every channel: series (time, channel), or
            images (channel, height, width), for example pictures of the windows. All others are given whole to the
            network of every channel.
        normalise: "window" takes off the window's mean and divides by its standard deviation; "last" takes off its
            last value and divides by nothing; "none" leaves windows as they are.
    """

    series: str = "series"
    channelwise: tuple[str, ...] = ()
    normalise: Normalisation = "window"

    def check(self, shapes: Mapping[str, tuple[int, ...]], outputs: int, task: str) -> None:
        """Raise ValueError if a setting is out of range, or the data cannot be forecast this way.

        Args:
            shapes: Shape of one sample of each modality.
            outputs: Number of targets.
            task: "classification" or "regression".
        """
        if task != "regression":
            raise ValueError("A forecast is a regression; use FusionRegressor.")
        self._check_names(shapes)
        channels = self._check_series(shapes[self.series], outputs)
        for name in self.channelwise:
            found = _channels(shapes[name])
            if found != channels:
                raise ValueError(
                    f"Modality {name!r} is channelwise, but its samples of shape {shapes[name]} have {found} channels, "
                    f"those of {self.series!r} {channels}."
                )

    def _check_names(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        check_one_of("normalise of the forecast", self.normalise, _NORMALISATIONS)
        channelwise = words("channelwise of the forecast", self.channelwise)
        if self.series in channelwise:
            raise ValueError(f"The series {self.series!r} is channelwise by itself; list other modalities only.")
        for name in (self.series, *channelwise):
            if name not in shapes:
                raise ValueError(f"The forecast names the modality {name!r}; the modalities are {listed(shapes)}.")

    def _check_series(self, shape: tuple[int, ...], outputs: int) -> int:
        """Number of its channels, where series and targets are fine."""
        if len(shape) != _SERIES:
            raise ValueError(f"The series {self.series!r} must have samples of shape (time, channel), has {shape}.")
        if outputs % shape[1]:
            raise ValueError(
                f"The targets must be horizon x channel columns; {outputs} columns cannot be divided among the "
                f"{shape[1]} channels of {self.series!r}. Give y.reshape(n, horizon * {shape[1]})."
            )
        return shape[1]

    def without_gaps(self, modalities: Modalities) -> Modalities:
        """The same samples, the missing steps of their series interpolated (see `fill_gaps`).

        Of the series that is continued and of the channelwise ones, not of images. What has no value at all in a window
        of a channel stays missing, and so do absent modalities. The samples given are not changed.
        """
        names = [name for name in (self.series, *self.channelwise) if modalities[name].ndim == 1 + _SERIES]
        arrays = dict(modalities.items()) | {name: fill_gaps(modalities[name]) for name in names}
        own = modalities.own_ids
        return Modalities.trusted(arrays, modalities.ids, modalities.present, modalities.columns, own_ids=own)

    def channels(self, shapes: Mapping[str, tuple[int, ...]]) -> int:
        """Number of channels that are forecast."""
        return shapes[self.series][-1]

    def shape_of(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of what the network of one channel sees of a modality."""
        if name != self.series and name not in self.channelwise:
            return shape
        return (*shape[:-1], 1) if len(shape) == _SERIES else (1, *shape[1:])

    @classmethod
    def from_json(cls, saved: Any) -> "Forecast | None":
        """What `to_json` wrote; None for nothing.

        Raises:
            TypeError: If it is something else.
        """
        return None if saved is None else cls(**{**saved, "channelwise": tuple(saved["channelwise"])})

    def to_json(self) -> dict[str, Any]:
        """As plain text values."""
        return {"series": self.series, "channelwise": list(self.channelwise), "normalise": self.normalise}


def _channels(shape: tuple[int, ...]) -> int:
    """Channels of a series (its last axis) or of an image (its first); 0 of anything else."""
    if len(shape) == _SERIES:
        return shape[-1]
    return shape[0] if len(shape) > _SERIES else 0
