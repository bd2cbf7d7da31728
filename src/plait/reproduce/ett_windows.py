"""Forecasting tasks of ETT: which windows, which modalities, and what a model makes of them."""

import time
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from sklearn.metrics import mean_absolute_error, mean_squared_error

from plait import datasets
from plait.data.modalities import Modalities
from plait.estimators import FusionRegressor
from plait.reproduce.study import Found
from plait.transforms import GramianAngularField, WithImage

_STEPS_AN_HOUR = MappingProxyType({"ETTh": 1, "ETTm": 4})


@dataclass(frozen=True)
class Group:
    """One forecasting task.

    Args:
        data: Name of the data set.
        horizon: Steps that are forecast.
        lookback: Steps of history.
        image: Pixels of a side of a window's image.
        name: What the group is called.
    """

    data: str
    horizon: int
    lookback: int
    image: int
    name: str


@dataclass(frozen=True)
class Inputs:
    """A set of modalities.

    Args:
        name: What it is called.
        words: What the modalities are.
        fetched: Modalities of `fetch_ett`; the first one is the series that is continued.
        variables: From how many variables how many are forecast.
        target: The variables that are forecast.
        images: Modalities that are drawn of the series: "image", or none.
        reference: Name of the set that holds the series alone.
    """

    name: str
    words: str
    fetched: tuple[str, ...]
    variables: str = "7 to 7"
    target: str | tuple[str, ...] = "all"
    images: tuple[str, ...] = ()
    reference: str = "series"


@dataclass(frozen=True)
class Windows:
    """Samples of a task.

    Args:
        data: Training and validation windows.
        target: What follows them.
        validation: Which of them are held out.
        test: Test windows.
        test_target: What follows those.
    """

    data: Modalities
    target: Float[ndarray, "window out"]
    validation: Bool[ndarray, " window"]
    test: Modalities
    test_target: Float[ndarray, "test out"]


def load(group: Group, inputs: Inputs, validation_hours: int) -> Windows:
    """Fetch the windows, and draw Gramian summation fields where images are wanted.

    Args:
        group: The task.
        inputs: The modalities.
        validation_hours: Hours from one validation window to the next, at least 1; training has all windows.
    """
    part = partial(datasets.fetch_ett, group.data, group.lookback, group.horizon, modalities=inputs.fetched)
    fitted, tested = (part(split=name, variables=inputs.target) for name in ("train+validation", "test"))
    held = np.asarray(fitted.validation)
    rows = _thinned(held, validation_hours * _STEPS_AN_HOUR[group.data[:4]])
    data, test = fitted.data[rows], tested.data
    for name in inputs.images:
        drawn = WithImage(inputs.fetched[0], GramianAngularField(kind="sum", size=group.image), name)
        data, test = drawn.fit_transform(data), drawn.transform(test)
    return Windows(data, np.asarray(fitted.target)[rows], held[rows], test, np.asarray(tested.target))


def _thinned(held: Bool[ndarray, " window"], every: int) -> Int[ndarray, " row"]:
    """Rows of all training windows, and of one in so many that are held out."""
    return np.concatenate([np.flatnonzero(~held), np.flatnonzero(held)[::every]])


def forecast(model: FusionRegressor, windows: Windows) -> Found:
    """Fit a model and forecast the test windows.

    Returns:
        mse and mae over all test windows, steps and variables, in the units of the target; the same mse on the
        validation windows at the best epoch; epochs, weights, seconds of the fit, test windows a second.
    """
    start = time.perf_counter()
    model.fit(windows.data, windows.target)
    fitted = time.perf_counter()
    predicted = model.predict(windows.test)
    done = time.perf_counter()
    history = model.history_
    facts = {
        "validation_mse": float(history["best_validation_loss"].iloc[-1]),
        "epochs": float(len(history)),
        "weights": float(sum(part.numel() for part in model.module_.parameters())),
        "fit_seconds": fitted - start,
        "windows_per_second": len(predicted) / (done - fitted),
    }
    return Found({**errors(windows.test_target, predicted), **facts})


def last_value(windows: Windows, series: str) -> Found:
    """The forecast that every variable stays at its last value."""
    last = np.asarray(windows.test[series])[:, -1]
    return Found(errors(windows.test_target, np.tile(last, (1, windows.test_target.shape[1] // last.shape[1]))))


def errors(target: Float[ndarray, "window out"], predicted: Float[ndarray, "window out"]) -> dict[str, float]:
    """Mean squared and mean absolute error over windows, steps and variables."""
    target, predicted = target.astype(np.float64), predicted.astype(np.float64)
    return {
        "mse": float(mean_squared_error(target, predicted)),
        "mae": float(mean_absolute_error(target, predicted)),
    }
