"""One run: a contender fitted on the training samples of a split, and what it says of the reported ones."""

import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from platform import python_version
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from sklearn.base import clone
from threadpoolctl import ThreadpoolController

from plait.compare.runs.changes import Changed
from plait.compare.runs.plan import Run, Samples
from plait.compare.runs.record import Record
from plait.data.text import to_text
from plait.estimators import FusionClassifier, FusionEstimator

_PACKAGES = ("plait", "torch", "scikit-learn", "numpy", "pandas")
_FAILURES = (
    *(ValueError, TypeError, RuntimeError, ArithmeticError, MemoryError),
    *(LookupError, AttributeError, AssertionError, OSError),
)
"""What a method may fail with; among them LinAlgError, NotImplementedError and KeyError."""


_ALONE = threading.Lock()
"""Random numbers, warnings and thread pools belong to the process: of its threads one runs at a time."""


@dataclass(frozen=True)
class Failure:
    """Why there is no record of a run.

    Args:
        reason: The error, in words.
    """

    reason: str


def compute(samples: Samples, run: Run) -> tuple[str, Record | Failure]:
    """Fit and predict; the key of the run, and what it gave.

    It reads and writes no file and needs no state, so that it can be computed anywhere. An error of the method
    becomes a `Failure`.

    Args:
        samples: All samples.
        run: What is run.
    """
    estimator: FusionEstimator = clone(run.estimator)
    try:
        with _ALONE, _threads(estimator.trainer.threads or 1 if estimator.trainer else 1), _recorded() as said:
            return run.key, _computed(samples, run, estimator, said)
    except _FAILURES as error:
        return run.key, Failure(f"{type(error).__name__}: {error}")


def prior_outputs(samples: Samples, train: ndarray) -> Float[ndarray, " out"]:
    """What is said of a sample about which nothing is known: class frequencies, or mean targets."""
    target = samples.target[train]
    if samples.task == "regression":
        return np.asarray(target.reshape(len(train), -1).mean(axis=0), dtype=np.float64)
    return np.bincount(target, minlength=samples.outputs) / len(train)


def _computed(samples: Samples, run: Run, estimator: FusionEstimator, said: list[str]) -> Record:
    train, test = run.split.train, run.split.test
    changed = run.contender.change.apply(samples.modalities, samples.target, train, run.change_seed)
    seconds = _fit(estimator, samples, changed, train)
    outputs = np.tile(prior_outputs(samples, train), (len(test), 1))
    usable = changed.usable[test]
    if usable.any():
        outputs[usable] = _predict(estimator, samples, changed, test[usable])
    facts = {
        "resolved": to_text(estimator.method_),
        "history": {"rows": len(estimator.history_), "last": to_text(_last(estimator))},
        "samples": {"train": len(train), "test": len(test), "without_a_usable_modality": int((~usable).sum())},
        "warnings": sorted(set(said)),
        "versions": _versions(),
    }
    return Record(run.content, outputs, seconds, facts, dict(estimator.tables_))


def _fit(estimator: FusionEstimator, samples: Samples, changed: Changed, train: ndarray) -> float:
    """Fit on the training samples that can be used; the seconds it took."""
    rows = train[changed.usable[train]]
    if not len(rows):
        raise ValueError(f"No training sample has any of the modalities {list(changed.modalities.names)}.")
    groups = None if samples.groups is None else samples.groups[rows]
    fit: Any = estimator
    start = time.perf_counter()
    fit.fit(changed.modalities[rows], changed.target[rows], groups)
    return time.perf_counter() - start


def _predict(
    estimator: FusionEstimator, samples: Samples, changed: Changed, rows: ndarray
) -> Float[ndarray, "row out"]:
    """Probabilities of all classes of the plan (0 of those that no training sample has), or values."""
    new, fitted = changed.modalities[rows], estimator
    if not isinstance(fitted, FusionClassifier):
        model: Any = fitted
        return np.asarray(model.predict(new), dtype=np.float64).reshape(len(rows), -1)
    outputs = np.zeros((len(rows), samples.outputs))
    outputs[:, fitted.classes_] = fitted.predict_proba(new)
    return outputs


def _last(estimator: FusionEstimator) -> dict[str, Any]:
    """The last row of the history."""
    history = estimator.history_
    return dict(history.iloc[-1]) if len(history) else {}


@cache
def _versions() -> dict[str, str]:
    return {"python": python_version(), **{name: version(name) for name in _PACKAGES}}


@lru_cache(maxsize=1)
def _controller(_modules: int) -> ThreadpoolController:
    """Holds the thread pools of all libraries that are loaded; looked for anew (milliseconds) with further modules."""
    return ThreadpoolController()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Within, so many threads at most, in torch and in the libraries under NumPy and scikit-learn."""
    before = torch.get_num_threads()
    with _controller(len(sys.modules)).limit(limits=count):
        torch.set_num_threads(count)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextmanager
def _recorded() -> Iterator[list[str]]:
    """Warnings within are not shown but listed."""
    said: list[str] = []

    def note(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
        said.append(f"{category.__name__}: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        yield said
