"""From recordings of the hippocampus to samples: trials with the arm that was chosen, bins with a position."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Real
from numpy import ndarray

from plait.data.modalities import Modalities
from plait.datasets._fetch import Arrays

MOST_BINS = 25
"""Bins of a trial in the files."""
MOVING = 0.05
"""Speed above which an animal counts as moving, in the unit of the file, as the authors have it."""

Rescaled = Callable[[Real[ndarray, "*rows place"]], Float[ndarray, "*rows place"]]


@dataclass(frozen=True)
class Samples:
    """Samples with what is known of them.

    Args:
        data: Modalities.
        told: Arrays of one value a sample, by name; "target" among them.
        published: Which samples the published protocol keeps.
    """

    data: Modalities
    told: Mapping[str, Any]
    published: Bool[ndarray, " sample"]

    def kept(self, rows: Bool[ndarray, " sample"]) -> dict[str, Any]:
        """These samples, by name, "data" among them."""
        return {"data": self.data[rows], **{name: values[rows] for name, values in self.told.items()}}


def as_recorded(values: Real[ndarray, "*rows place"]) -> Float[ndarray, "*rows place"]:
    """The values as they are."""
    return values.astype(np.float32)


def standardised(values: Real[ndarray, "*rows place"]) -> Float[ndarray, "*rows place"]:
    """Each bin less its mean over the places, by its standard deviation (n - 1); a bin of equal values is 0."""
    apart = values - values.mean(-1, keepdims=True, dtype=np.float64)
    spread = np.sqrt((apart**2).sum(-1, keepdims=True) / (values.shape[-1] - 1))
    return as_recorded(np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0))


def ranged(values: Real[ndarray, "*rows place"]) -> Float[ndarray, "*rows place"]:
    """Each bin from 0 at its least place to 1 at its greatest; a bin of equal values is 0."""
    apart = np.subtract(values, values.min(-1, keepdims=True), dtype=np.float64)
    width = apart.max(-1, keepdims=True)
    return as_recorded(np.divide(apart, width, out=np.zeros_like(apart), where=width > 0))


IN_A_TRIAL: Mapping[str, Rescaled] = {"bin": standardised, "nothing": as_recorded}
ON_A_TRACK: Mapping[str, Rescaled] = {"bin": ranged, "nothing": as_recorded}
"""What is done to the values of a bin, by what they are to be relative to."""


def choice_samples(arrays: Arrays, bins: int, rescaled: Rescaled) -> Samples:
    """Trials of a maze, each with its last bins side by side.

    Args:
        arrays: spikes, fpa_uhf, lfp_theta_amp, lfp_theta_phase (trial, bin, place), choice, correct, trial.
        bins: How many bins.
        rescaled: What is done to each bin of a recording.
    """
    spikes, fpa, *theta = (
        rescaled(arrays[name][:, -bins:]) for name in ("spikes", "fpa_uhf", "lfp_theta_amp", "lfp_theta_phase")
    )
    read = {"spikes": spikes, "fpa": fpa, "theta": np.concatenate(theta, axis=-1)}
    data = Modalities({name: values.reshape(len(values), -1) for name, values in read.items()})
    correct = arrays["correct"] == 1
    told = {"target": arrays["choice"].astype(np.intp), "trial": arrays["trial"].astype(np.intp), "correct": correct}
    return Samples(data, told, correct)


def track_samples(arrays: Arrays, unit: float, rescaled: Rescaled) -> Samples:
    """Bins on a track.

    Args:
        arrays: spikes, fpa_uhf (bin, place), position, speed (bin).
        unit: Centimetres of the unit of positions.
        rescaled: What is done to each bin of the field potential; spikes stay counts.
    """
    data = Modalities({"spikes": as_recorded(arrays["spikes"]), "fpa": rescaled(arrays["fpa_uhf"])})
    position = arrays["position"].astype(np.float64) * unit
    told = {"target": position, "groups": laps(position), "speed": arrays["speed"].astype(np.float64) * unit}
    return Samples(data, told, arrays["speed"] > MOVING)


def laps(position: Float[ndarray, " bin"]) -> Int[ndarray, " bin"]:
    """The lap of each bin, from 0: a new one begins where the position jumps by over half of what it spans."""
    jumps = np.abs(np.diff(position)) > np.ptp(position) / 2
    return np.concatenate([[0], np.cumsum(jumps)]).astype(np.intp)
