"""Targets on their way in and out: classes as one-hot rows, real values scaled; paired with samples by id."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from plait.data.checks import listed
from plait.data.modalities import Modalities


def target_of(y: Any, modalities: Modalities) -> Shaped[ndarray, "sample ..."]:
    """The target in the order of the samples.

    A pandas target is matched by id where the samples have ids of their own (anything but 0, 1, 2, ...) and its
    index holds them all; everything else is matched by position.

    Raises:
        ValueError: If there is no target, its length differs, or its index shares some ids with the samples but
            lacks others.
    """
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None. Pass one target a sample.")
    if isinstance(y, pd.Series | pd.DataFrame):
        y = _by_id(y, modalities.ids)
    values = np.asarray(y)
    if values.ndim == 0 or len(values) != len(modalities):
        raise ValueError(
            f"X has {len(modalities)} samples, but y has {len(values) if values.ndim else 'no'} values. Give one target "
            "a sample; as a pandas Series with the ids in its index, it is matched by id."
        )
    return values


def _by_id(y: pd.Series | pd.DataFrame, ids: ndarray) -> pd.Series | pd.DataFrame:
    own = not np.array_equal(ids, np.arange(len(ids)))
    if not own or y.index.equals(pd.Index(ids)):
        return y
    known = pd.Index(ids).isin(y.index)
    if not known.any() and len(y) == len(ids):
        return y
    if not known.all():
        raise ValueError(
            f"y has no target for the samples {listed(ids[~known])}. Its index must hold the id of every sample; "
            "leave these samples out, or pass y.to_numpy() if it is in the order of X."
        )
    if y.index.has_duplicates:
        raise ValueError(
            f"The index of y repeats {listed(y.index[y.index.duplicated()].unique())}; ids must be unique."
        )
    return y.loc[ids]


class ClassTarget:
    """Classes, as any labels, and the one-hot rows they are trained as.

    Attributes:
        classes: The labels in sorted order.
    """

    classes: ndarray

    def fit(self, y: ndarray) -> "ClassTarget":
        """Learn the classes.

        Raises:
            ValueError: If the target is no single column of classes, holds missing values, or one class only.
        """
        self.classes = np.unique(self._labels(y))
        if len(self.classes) < 2:
            raise ValueError(
                f"The target has one class only ({listed(self.classes)}); a classifier needs at least two. "
                "Check the target, or use FusionRegressor."
            )
        return self

    def codes(self, y: ndarray) -> ndarray:
        """Place of every label among the classes."""
        return np.searchsorted(self.classes, self._labels(y))

    def encode(self, y: ndarray) -> Float[ndarray, "sample out"]:
        """One-hot rows."""
        return np.eye(len(self.classes))[self.codes(y)]

    @staticmethod
    def _labels(y: ndarray) -> ndarray:
        if y.ndim == 2 and y.shape[1] > 1:
            raise ValueError(
                f"y has {y.shape[1]} columns; FusionClassifier predicts one target. Fit one classifier a column."
            )
        missing = _missing(y)
        if missing.any():
            raise ValueError(
                f"Input y contains NaN or None (positions {listed(np.flatnonzero(missing))}). Leave these samples out."
            )
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        if labels.dtype == object and len({isinstance(label, str) for label in labels}) > 1:
            raise ValueError("y mixes strings with other labels; make all labels strings, or all numbers.")
        return np.asarray(labels)


class RealTarget:
    """Real targets, scaled for training.

    Args:
        scaling: "standard" (mean 0 and standard deviation 1 over the training samples) or "none".

    Attributes:
        mean: Mean of each target.
        sd: Standard deviation of each target; 1 where it is constant.
        single: Whether predictions are one-dimensional, as the target was.
    """

    mean: ndarray
    sd: ndarray
    single: bool

    def __init__(self, scaling: str) -> None:
        if scaling not in ("standard", "none"):
            raise ValueError(f"target_scaling must be 'standard' or 'none' (got {scaling!r}).")
        self.scaling = scaling

    def fit(self, y: ndarray, train: Bool[ndarray, " sample"]) -> "RealTarget":
        """Learn mean and standard deviation from the training samples.

        Raises:
            ValueError: If the target has missing, infinite or non-numeric values, or more than two axes.
        """
        values = self._values(y)
        self.single = y.ndim == 1
        standard = self.scaling == "standard"
        width = values.shape[1]
        self.mean = values[train].mean(0) if standard else np.zeros(width)
        spread = values[train].std(0) if standard else np.ones(width)
        self.sd = np.where(spread > 1e-12 * np.abs(self.mean).clip(min=1e-300), spread, 1.0)
        return self

    def encode(self, y: ndarray) -> Float[ndarray, "sample out"]:
        """Scaled targets, one column each."""
        return (self._values(y) - self.mean) / self.sd

    def decode(self, output: Float[ndarray, "sample out"]) -> Float[ndarray, "sample *out"]:
        """Predictions in the units of the target."""
        values = output * self.sd + self.mean
        return values[:, 0] if self.single else values

    @staticmethod
    def _values(y: ndarray) -> Float[ndarray, "sample out"]:
        values = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        return values.reshape(len(values), -1) if values.ndim <= 2 else _refuse_axes(values)


def _missing(y: ndarray) -> Bool[ndarray, "..."]:
    return np.asarray(pd.isna(y))


def _refuse_axes(y: ndarray) -> ndarray:
    raise ValueError(f"y must have one row a sample and one column a target; its shape is {y.shape}.")
