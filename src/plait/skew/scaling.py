"""Taps made comparable: standardised with statistics of the training samples, and brought to a few dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

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
        values = values.astype(np.float64)
        scaler = StandardScaler().fit(values)
        scale = np.maximum(np.sqrt(scaler.var_), _LEAST)
        if rank is None or rank >= min(values.shape):
            return cls(scaler.mean_, scale, None)
        components = PCA(rank, svd_solver="covariance_eigh").fit((values - scaler.mean_) / scale).components_
        return cls(scaler.mean_, scale, np.ascontiguousarray(components.T))

    def __call__(self, values: Float[ndarray, "sample feature"]) -> Float[ndarray, "sample width"]:
        """The samples, scaled; the rotation changes no variance."""
        found = (values - self.mean) / self.scale
        return np.asarray(found if self.rotation is None else found @ self.rotation)


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
