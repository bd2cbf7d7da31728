"""Missing values imputed and features standardised, by what the training rows say alone."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from plait.data.checks import Array
from plait.data.modalities import Modalities

Floats = npt.NDArray[np.float64]

SCALINGS = ("standard", "none")

LARGEST = 1e18  # squares of single precision end at 3e38


class Standardiser:
    """Mean 0 and standard deviation 1 for every feature of every modality; nothing missing afterwards.

    Mean and standard deviation (of the population, as scikit-learn's StandardScaler) are those of the values
    that are there in the training rows. A missing value becomes the training mean, an absent row all zeros. A
    feature that is constant in the training rows, or was never seen there, teaches nothing: it becomes 0, whatever
    its value in other rows.

    Args:
        scaling: "standard", or "none" to keep the units of the data and only impute.

    Attributes:
        mean_: Training mean of each feature, by modality, in the shape of a sample.
        sd_: Training standard deviation of each feature, by modality; infinite where it is 0 or unknown.
    """

    def __init__(self, scaling: str = "standard") -> None:
        self.scaling = scaling

    def fit(self, modalities: Modalities, rows: Any = None, series: str | None = None) -> "Standardiser":
        """Learn means and standard deviations; warns of modalities that teach nothing.

        Args:
            modalities: Samples.
            rows: The training rows, as for `modalities[rows]`; None is all of them.
            series: A modality (time, channel) whose channels have one mean and standard deviation for all times.

        Raises:
            ValueError: If `scaling` is unknown, or is "none" and values are too large for single precision.
        """
        if self.scaling not in SCALINGS:
            raise ValueError(f"scaling must be one of {SCALINGS}, got {self.scaling!r}.")
        train = modalities if rows is None else modalities[rows]
        found = {
            name: moments(array[present]) for (name, array), present in zip(train.items(), train.present.T, strict=True)
        }
        if series is not None:
            found[series] = _of_channels(train[series])
        if self.scaling == "none":
            _check_plain(train)
        self.mean_ = {name: mean for name, (mean, _) in found.items()}
        self.sd_ = {name: np.where(sd > 0, sd, np.inf) for name, (_, sd) in found.items()}
        for (name, sd), present in zip(self.sd_.items(), train.present.T, strict=True):
            if sd.size and np.isinf(sd).all() and (present.all() or not present.any()):  # who has it may tell something
                _warn_of_constant(name, seen=bool(present.any()))
        return self

    def transform(self, modalities: Modalities) -> dict[str, Floats]:
        """The modalities in float64: imputed, scaled, and zero where absent.

        Args:
            modalities: Samples with the modalities and shapes of fit.
        """
        present = dict(zip(modalities.names, modalities.present.T, strict=True))
        return {name: self._scaled(name, array, present[name]) for name, array in modalities.items()}

    def _scaled(self, name: str, array: Array, present: npt.NDArray[np.bool_]) -> Floats:
        mean, sd = self.mean_[name], self.sd_[name]
        values = np.where(np.isnan(array), mean, array).astype(np.float64, order="C", copy=False)
        if self.scaling == "standard":
            values -= mean
            with np.errstate(over="ignore"):  # refused by name where its prediction is not finite
                values /= sd
        values[~present] = 0.0
        return values

    def state(self) -> dict[str, Floats]:
        """What was learned, as arrays by name, for a file."""
        means = {f"{name}.mean": mean for name, mean in self.mean_.items()}
        return means | {f"{name}.sd": sd for name, sd in self.sd_.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, Floats], scaling: str = "standard") -> "Standardiser":
        """The standardiser whose `state` this is.

        Args:
            state: What `state` returned.
            scaling: As in the constructor.
        """
        new = cls(scaling)
        new.mean_ = {key.removesuffix(".mean"): value for key, value in state.items() if key.endswith(".mean")}
        new.sd_ = {key.removesuffix(".sd"): value for key, value in state.items() if key.endswith(".sd")}
        return new


def _of_channels(array: Array) -> tuple[Floats, Floats]:
    """The moments of every channel over samples and times, at every time."""
    times, channels = array.shape[1:]
    mean, sd = moments(array.reshape(-1, channels))
    return np.tile(mean, (times, 1)), np.tile(sd, (times, 1))


def _warn_of_constant(name: str, *, seen: bool) -> None:
    what = "has the same values in" if seen else "is absent from"
    warnings.warn(
        f"Modality {name!r} {what} all training samples: nothing can be learned from it. Look at how it was read and "
        "joined, or leave it out.",
        UserWarning,
        stacklevel=6,
    )


def _check_plain(modalities: Modalities) -> None:
    """Raise ValueError if values are too large to train on as they are."""
    for name, array in modalities.items():
        if np.fmax.reduce(np.abs(array), axis=None, initial=0.0) > LARGEST:
            raise ValueError(
                f"Modality {name!r} holds values too large to train on as they are (above {LARGEST:g}); "
                "use scaling='standard', or give them in a larger unit."
            )


def moments(array: Array) -> tuple[Floats, Floats]:
    """Mean and standard deviation (of the population) of each feature over the rows, in any unit; NaN is left out.

    The mean of a feature that has no value is 0; the standard deviation of one that is constant, or has none, is 0.
    """
    shape = array.shape[1:]
    if array.size == 0:
        return np.zeros(shape), np.zeros(shape)
    rows = np.ascontiguousarray(array).reshape(len(array), -1)  # sums then do not depend on the layout in memory
    unit = _units(rows)
    with np.errstate(invalid="ignore"):
        scaler = StandardScaler().fit(rows if (unit == 1).all() else rows / unit)
    seen, sd = scaler.n_samples_seen_ > 0, np.sqrt(scaler.var_)
    sd = np.where(seen & (scaler.scale_ == sd), sd * unit, 0.0)  # the scaler's scale of a constant is 1
    mean = np.where(seen, scaler.mean_ * unit, 0.0)
    return mean.reshape(shape), sd.reshape(shape)


def _units(rows: Array) -> Floats:
    """Powers of two near the features whose squares would leave the range of numbers; 1 for all others."""
    largest = np.fmax.reduce(np.abs(rows), axis=0)
    exponent = np.frexp(np.where(np.isnan(largest), 0.0, largest))[1]
    limit = np.finfo(rows.dtype).maxexp // 3
    return np.where((largest > 0) & (np.abs(exponent) > limit), np.ldexp(1.0, exponent - 1), 1.0)
