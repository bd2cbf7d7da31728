"""A network of one channel that forecasts all channels of a series."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from plait.data.batches import Batch
from plait.data.forecast import Forecast
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.nn.copies import Copies
from plait.nn.criteria import Criterion
from plait.nn.encodings import whole_readers
from plait.nn.layers import Rows
from plait.nn.representations import Representations
from plait.nn.step_fusion.trace import Trace

_LEAST = 1e-5  # added to a window's variance: one that is constant is forecast as constant


@dataclass(frozen=True)
class Level(Criterion):
    """A criterion of forecasts that are brought back to the level and scale of their windows.

    Args:
        criterion: Judges them in the units of the target.
        mean: Level of each window.
        sd: Scale of each window.
    """

    criterion: Criterion
    mean: Float[Tensor, "batch 1"]
    sd: Float[Tensor, "batch 1"]

    def link(self, output: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return torch.addcmul(self.mean, self.criterion.link(output), self.sd)

    def expected(self, linked: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return self.criterion.expected(linked)

    def score(
        self, linked: Float[Tensor, "*lead batch out"], target: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        return self.criterion.score(linked, target)

    def dispersion(
        self, linked: Float[Tensor, "*lead batch out"], mean: Float[Tensor, "... batch out"]
    ) -> Float[Tensor, "*lead batch"]:
        return self.criterion.dispersion(linked, mean)

    def output_of(self, expected: Float[Tensor, "*lead out"]) -> Float[Tensor, "*lead out"]:
        return (self.criterion.output_of(expected) - self.mean) / self.sd


class ForecastCopies(Copies):
    """Copies of a network of one channel, applied to every channel of the series (see `Forecast`).

    Args:
        spec: Shapes, outputs and task of all channels, with the forecast; the user's modules read one channel.
        network: Builds the copies of the network for the spec of one channel.
    """

    def __init__(self, spec: DataSpec, network: Callable[[DataSpec], Copies]) -> None:
        one = one_channel(spec)
        inner = network(one)
        super().__init__(replace(spec, encoders={}), inner.settings)
        self.inner = inner
        self.representations = Representations(one, whole_readers(one))
        self.forecast = forecast_of(spec)
        self.channels = self.forecast.channels(spec.shapes)

    def forward(self, features: Features, present: Present) -> Output:
        windows = self._windows(features, present)
        normal = self.inner(windows.features, windows.present)
        forecast: Tensor = torch.addcmul(windows.mean, normal, windows.sd)
        apart = forecast.reshape(len(forecast), len(present), self.channels, -1)
        return apart.transpose(2, 3).flatten(2)

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The network's own objective on windows x channels, in the units of the target."""
        windows = self._windows(batch.features, batch.present)
        target = batch.target.reshape(len(batch), -1, self.channels).transpose(1, 2).flatten(0, 1)
        fold = batch.fold.repeat_interleave(self.channels)
        one = Batch(windows.features, windows.present, target, fold)
        return self.inner.objective(one, Level(criterion, windows.mean, windows.sd))

    def trace(self, features: Features, present: Present) -> Trace | None:
        """That of the network of one channel; a row is a sample and channel."""
        windows = self._windows(features, present)
        return self.inner.trace(windows.features, windows.present)

    def owners(self) -> Mapping[str, Rows | int]:
        """Those of the network of one channel."""
        return {f"inner.{name}": owner for name, owner in self.inner.owners().items()}

    def _windows(self, features: Features, present: Present) -> "Windows":
        """What the network sees, one row for every sample and channel, the series normalised."""
        found = {name: self._spread(name, features[f"{name}/identity"]) for name in self.spec.names}
        name, spread = self.forecast.series, present.repeat_interleave(self.channels, 0)
        here = spread[:, [self.spec.names.index(name)]]
        mean, sd = _LEVELS[self.forecast.normalise](found[name][..., 0])
        mean, sd = mean.where(here, 0), sd.where(here, 1)
        found[name] = (found[name] - mean[..., None]) / sd[..., None]
        return Windows(self.representations(found, spread), spread, mean, sd)

    def _spread(self, name: str, values: Float[Tensor, "batch feature"]) -> Float[Tensor, "row ..."]:
        """What the network of one channel sees of a modality, for every sample and channel."""
        shape = self.spec.shapes[name]
        shaped = values.reshape(-1, *shape)
        if name != self.forecast.series and name not in self.forecast.channelwise:
            return shaped.repeat_interleave(self.channels, 0)
        apart = shaped.movedim(-1, 1) if len(shape) == 2 else shaped
        return apart.reshape(-1, *self.forecast.shape_of(name, shape))


@dataclass(frozen=True)
class Windows:
    """Samples x channels, the series normalised.

    Args:
        features: Representations of every modality.
        present: Which modalities each has.
        mean: Level of each window.
        sd: Scale of each window.
    """

    features: Features
    present: Present
    mean: Float[Tensor, "row 1"]
    sd: Float[Tensor, "row 1"]


def forecast_of(spec: DataSpec) -> Forecast:
    """The forecast of a spec that has one."""
    if spec.forecast is None:
        raise ValueError("The spec has no forecast. Give FusionRegressor(forecast=Forecast(...)).")
    return spec.forecast


def one_channel(spec: DataSpec) -> DataSpec:
    """What the network of one channel may know."""
    forecast = forecast_of(spec)
    shapes = {name: forecast.shape_of(name, shape) for name, shape in spec.shapes.items()}
    outputs = spec.outputs // forecast.channels(spec.shapes)
    return replace(spec, shapes=shapes, outputs=outputs, forecast=None)


def _window_level(values: Float[Tensor, "rows time"]) -> tuple[Float[Tensor, "rows 1"], Float[Tensor, "rows 1"]]:
    variance, mean = torch.var_mean(values, 1, correction=0, keepdim=True)
    return mean, (variance + _LEAST).sqrt()


def _last_level(values: Float[Tensor, "rows time"]) -> tuple[Float[Tensor, "rows 1"], Float[Tensor, "rows 1"]]:
    return values[:, -1:], torch.ones_like(values[:, -1:])


def _no_level(values: Float[Tensor, "rows time"]) -> tuple[Float[Tensor, "rows 1"], Float[Tensor, "rows 1"]]:
    return torch.zeros_like(values[:, -1:]), torch.ones_like(values[:, -1:])


_LEVELS = {"window": _window_level, "last": _last_level, "none": _no_level}
