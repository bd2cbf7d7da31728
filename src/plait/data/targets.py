"""Targets on their way in and out: classes as one-hot rows, real values scaled; paired with samples by id."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped
from numpy import ndarray
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from plait.data.checks import has_ids, listed, plain
from plait.data.modalities import Modalities
from plait.data.numeric import real_numbers
from plait.data.scaling import LARGEST, moments


def target_of(y: Any, modalities: Modalities, what: str = "y") -> Shaped[ndarray, "sample ..."]:
    """The target (or the groups) in the order of the samples.

    A pandas target is matched by id where both the samples and its index have ids of their own (not the counted
    0, 1, 2, ...); everything else is matched by position.

    Args:
        y: One value, or one row of values, a sample.
        modalities: The samples.
        what: Name of the argument, for the errors.

    Raises:
        ValueError: If there is no target, its length differs, its index lacks some ids of the samples, or it cannot
            be told whether its index holds ids.
    """
    if y is None:
        raise ValueError(f"fit requires {what} to be passed, but the target {what} is None. Pass one target a sample.")
    if isinstance(y, pd.Series | pd.DataFrame) and modalities.own_ids:
        y = _by_id(y, modalities.ids, what)
    values = _array(y, what)
    if values.ndim == 0 or len(values) != len(modalities):
        raise ValueError(
            f"X has {len(modalities)} samples, but {what} has {len(values) if values.ndim else 'no'} values. Give one "
            "value a sample; as a pandas Series with the ids in its index, it is matched by id."
        )
    return values


def check_order_is_known(X: Any, y: Any, modalities: Modalities, what: str = "y") -> None:
    """Raise ValueError if tables in different orders were joined here, and the target has no ids to follow them."""
    joined = None if isinstance(X, Modalities) else modalities.account
    if joined is not None and not joined.aligned and not isinstance(y, pd.Series | pd.DataFrame):
        raise ValueError(
            f"The tables of X hold different samples, or in another order, and {what} has no ids. Give {what} as a "
            "pandas Series with the ids as its index, or join first (X = Modalities.from_frames(tables)) and give "
            "it in the order of X.ids."
        )


def _array(y: Any, what: str) -> ndarray:
    try:
        return np.asarray(y)
    except ValueError as error:  # rows of several lengths
        raise ValueError(f"{what} must have one value, or one row of as many values, a sample: {error}") from error


def _by_id(y: "pd.Series[Any] | pd.DataFrame", ids: ndarray, what: str) -> "pd.Series[Any] | pd.DataFrame":
    if y.index.equals(pd.Index(ids)):
        return y
    known = pd.Index(ids).isin(y.index)
    counted = not has_ids(y.index) and len(y) == len(ids)
    if counted and not known.any():
        return y
    if counted or not known.all():
        raise ValueError(
            f"{what} cannot be matched by id: " + _unmatched(ids, known) + f" Give {what} the ids of the samples as "
            f"its index, or pass {what}.to_numpy() if it is in the order of X."
        )
    if y.index.has_duplicates:
        raise ValueError(
            f"The index of {what} repeats {listed(y.index[y.index.duplicated()].unique())}; ids must be unique."
        )
    return y.loc[ids]


def _unmatched(ids: ndarray, known: Bool[ndarray, " sample"]) -> str:
    if known.all():
        return f"its index is counted from 0, and the samples have the ids {listed(ids)} of their own."
    return f"it has no value for the samples {listed(ids[~known])} (leave these samples out if there is none)."


def class_codes(y: ndarray) -> tuple[Shaped[ndarray, " class"], Int[ndarray, " sample"]]:
    """The classes, as any labels in sorted order, and the place of every sample's label among them.

    Raises:
        ValueError: If the target is no single column of classes, holds missing values, or one class only.
    """
    labels = _labels(y)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"The target has one class only ({listed(classes)}); a classifier needs at least two. "
            "Check the target, or use FusionRegressor."
        )
    return classes, codes


def group_codes(groups: Any, modalities: Modalities) -> Int[ndarray, " sample"]:
    """One code a sample for the group it belongs to.

    Raises:
        ValueError: If there is not one label a sample, or some are missing.
    """
    labels = target_of(groups, modalities, "groups")
    if labels.ndim > 1 or pd.isna(labels).any():
        raise ValueError(f"groups must have one label a sample, none of them missing; its shape is {labels.shape}.")
    return np.asarray(pd.factorize(labels)[0])


def _labels(y: ndarray) -> Shaped[ndarray, " sample"]:
    if y.ndim == 2 and y.shape[1] > 1:
        raise ValueError(
            f"y has {y.shape[1]} columns; FusionClassifier predicts one target. Fit one classifier a column."
        )
    _refuse(pd.isna(y), "NaN or None")
    labels = np.asarray(column_or_1d(y, warn=True))
    if labels.dtype == object:
        labels = _plain_labels(labels)
    if labels.dtype.kind not in "biufOU":
        raise ValueError(f"y must hold class labels (strings, whole numbers or booleans), got {labels.dtype}.")
    _refuse(labels.dtype.kind == "f" and np.isinf(labels), "infinity")
    check_classification_targets(labels)
    return labels


def _plain_labels(labels: Shaped[ndarray, " sample"]) -> Shaped[ndarray, " sample"]:
    """Labels of an object array: all of them strings, or all of them numbers (which then become an array of such)."""
    text = {isinstance(label, str) for label in labels}
    if len(text) > 1:
        raise ValueError("y mixes strings with other labels; make all of them strings, or all of them numbers.")
    plainer = np.array([plain(label) for label in labels]) if text == {False} else labels
    if plainer.dtype.kind not in "biufO" or (plainer.dtype == object and text == {False}):
        raise ValueError(
            f"y must hold strings, whole numbers or booleans, got {type(labels[0]).__name__}. Convert the labels."
        )
    return plainer


def _refuse(wrong: Any, what: str) -> None:
    """Raise if a value of the target is marked; the message says where."""
    if np.any(wrong):
        rows = np.unique(np.nonzero(wrong)[0])
        raise ValueError(f"Input y contains {what} (positions {listed(rows)}). Correct or leave out these samples.")


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
            ValueError: If the target has missing, infinite, too large or non-numeric values, or more than two axes.
        """
        values = self._values(y)
        if np.abs(values).max() > LARGEST and self.scaling == "none":
            raise ValueError("y holds values too large to train on as they are; use target_scaling='standard'.")
        self.single = y.ndim == 1
        nothing = np.zeros(values.shape[1]), np.ones(values.shape[1])
        self.mean, sd = moments(values[train]) if self.scaling == "standard" else nothing
        self.sd = np.where(sd > 0, sd, 1.0)
        return self

    def follow(self, mean: Float[ndarray, " channel"], sd: Float[ndarray, " channel"]) -> "RealTarget":
        """Take the scale of a series that the targets continue: columns are horizon x channel, the horizon slower."""
        if self.scaling == "standard":
            horizon = len(self.mean) // len(mean)
            self.mean, self.sd = np.tile(mean, horizon), np.tile(np.where(np.isfinite(sd), sd, 1.0), horizon)
        return self

    def encode(self, y: ndarray) -> Float[ndarray, "sample out"]:
        """Scaled targets, one column each."""
        return np.asarray((self._values(y) - self.mean) / self.sd)

    def decode(self, output: Float[ndarray, "sample out"]) -> Float[ndarray, "sample *out"]:
        """Predictions in the units of the target."""
        values = np.asarray(output * self.sd + self.mean)
        return values[:, 0] if self.single else values

    @staticmethod
    def _values(y: ndarray) -> Float[ndarray, "sample out"]:
        if y.ndim > 2 or y.shape[1:] == (0,):
            raise ValueError(f"y must have one row a sample and one column a target; its shape is {y.shape}.")
        _refuse(pd.isna(y), "NaN or None")
        values = real_numbers("y", y).astype(np.float64, order="C", copy=False).reshape(len(y), -1)
        _refuse(np.isinf(values), "infinity")
        return values
