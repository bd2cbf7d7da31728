"""Taps made comparable: standardised with statistics of the training samples, and brought to a few dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from plait.skew.ridge import Tap, Taps

_LEAST = 1e-6


@dataclass(frozen=True)
class TapScaling:
    """A standardisation and, where there is one, a rotation to fewer dimensions.

    Args:
        mean: Means of the training samples.
        scale: Their standard deviations, at least 1e-6.
        rotation: Columns are the first principal components of the standardised training samples; None keeps all
            features.
    """

    mean: Float[ndarray, " feature"]
    scale: Float[ndarray, " feature"]
    rotation: Float[ndarray, "feature width"] | None

    @classmethod
    def fitted(cls, values: Float[ndarray, "sample feature"], rank: int | None) -> "TapScaling":
        """Of training samples.

        Args:
            values: The samples.
            rank: Dimensions to keep, at least 1; None, or as many as there are features or samples, keeps the features.
        """
        mean = values.mean(axis=0, dtype=np.float64)
        centred = values - mean
        scale = np.maximum(np.sqrt(np.einsum("sf,sf->f", centred, centred) / len(centred)), _LEAST)
        if rank is None or rank >= min(values.shape):
            return cls(mean, scale, None)
        return cls(mean, scale, np.ascontiguousarray(_axes(centred, scale)[:, :rank]))

    def __call__(self, values: Float[ndarray, "sample feature"]) -> Float[ndarray, "sample width"]:
        """The samples, scaled; the rotation changes no variance."""
        found = values - self.mean
        if self.rotation is None:
            return np.asarray(found / self.scale)
        return np.asarray(found @ (self.rotation / self.scale[:, None]))


def fit_scalings(
    taps: Mapping[str, Sequence[Float[ndarray, "_ _"]]],
    train: Int[ndarray, " row"] | Bool[ndarray, " sample"],
    rank: int | None,
) -> dict[Tap, TapScaling]:
    """A scaling for every tap of every modality, of the training rows alone."""
    return {
        (name, number): TapScaling.fitted(np.asarray(values[train]), rank)
        for name, own in taps.items()
        for number, values in enumerate(own, start=1)
    }


def scaled(
    taps: Mapping[str, Sequence[Float[ndarray, "_ _"]]],
    scalings: Mapping[Tap, TapScaling],
    rows: Int[ndarray, " row"] | Bool[ndarray, " sample"],
) -> Taps:
    """These rows of every tap that has a scaling, scaled."""
    return {
        (name, number): scaling(np.asarray(taps[name][number - 1][rows]))
        for (name, number), scaling in scalings.items()
    }


def _axes(
    centred: Float[ndarray, "sample feature"], scale: Float[ndarray, " feature"]
) -> Float[ndarray, "feature axis"]:
    """Principal components of the standardised samples, the first one first; the largest entry of each is positive."""
    axes = np.linalg.eigh(centred.T @ centred / np.outer(scale, scale))[1][:, ::-1]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.asarray(axes * np.sign(largest))
