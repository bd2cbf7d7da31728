"""What a target is taken for, and its values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from plait.cli.sources import Samples

MOST_CLASSES = 20
"""Whole numbers of at most so many values, each twice on average or more, are taken for classes."""


@dataclass(frozen=True)
class TargetValues:
    """A target as an estimator takes it.

    Args:
        values: Classes or numbers, one a sample.
        task: "classification" or "regression".
    """

    values: NDArray[Any]
    task: str

    @classmethod
    def of(cls, samples: Samples, task: str | None) -> "TargetValues":
        """The target of samples.

        Args:
            samples: Samples with targets.
            task: What it is taken for; None is by its values, which is told.

        Raises:
            ValueError: If there is no target.
        """
        values = _values(samples.target)
        task = task or ("regression" if values.ndim > 1 else _task_of(values))
        return cls(_classes(values) if task == "classification" else values, task)


def _values(target: "pd.Series[Any] | pd.DataFrame | None") -> NDArray[Any]:
    """The target as an array; text as text of a fixed width."""
    if target is None:
        raise ValueError("There is no target to learn.")
    if isinstance(target, pd.DataFrame):
        return target.to_numpy()
    plain = is_numeric_dtype(target.dtype) or is_bool_dtype(target.dtype)
    return target.to_numpy() if plain else target.astype(str).to_numpy(dtype=str)


def _task_of(target: NDArray[Any]) -> str:
    """The task that fits the target; said, since it is a guess."""
    distinct = len(np.unique(target))
    numbers = target.dtype.kind in "iuf"
    few = numbers and bool((target % 1 == 0).all()) and distinct <= min(MOST_CLASSES, len(target) / 2)
    task = "classification" if few or not numbers else "regression"
    what = f"{distinct} whole numbers" if few else f"{distinct} values" if not numbers else "numbers"
    typer.echo(f"plait: the target holds {what}: {task} (--task changes that)", err=True)
    return task


def _classes(target: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers that pandas read as 0.0 and 1.0 are the classes 0 and 1."""
    whole = target.dtype.kind == "f" and bool((target % 1 == 0).all())
    return target.astype(np.int64) if whole else target
