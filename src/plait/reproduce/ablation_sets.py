"""Data sets of the ablation of Meta Fusion: simulations and real ones, small enough for many seeds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from plait import datasets
from plait.data.modalities import Modalities
from plait.data.spec import Task

SIMULATED = ("1.1", "1.3", "2.1", "2.3")
_TRAIN, _TEST = 600, 1000
_SESSION = "mouse2_session3"


@dataclass(frozen=True)
class Divided:
    """Samples for fitting and for testing.

    Args:
        data: Samples for fitting.
        target: Their targets.
        test: Samples for testing.
        test_target: Their targets.
    """

    data: Modalities
    target: Shaped[ndarray, " sample"]
    test: Modalities
    test_target: Shaped[ndarray, " test"]


@dataclass(frozen=True)
class AblationSet:
    """A data set and how it is divided.

    Args:
        task: Whether classes or values are predicted.
        protocol: What a seed draws, in words, with the numbers of samples.
        load: Gives the samples of a seed.
    """

    task: Task
    protocol: str
    load: Callable[[int], Divided]


def simulate(setting: str, train: int, test: int, seed: int) -> Divided:
    """Simulate with the legacy streams and divide with the same seed.

    Args:
        setting: Name of the setting.
        train: Samples for fitting.
        test: Samples for testing.
        seed: Of the data and the division.
    """
    made = datasets.make_data_sharing(setting, train + test, random_state=seed, legacy=True)
    rows, held = train_test_split(np.arange(train + test), train_size=train, random_state=seed)
    return Divided(made.data[rows], made.target[rows], made.data[held], made.target[held])


def divide(fetch: Callable[[], Bunch], modalities: tuple[str, ...], train: int | float, seed: int) -> Divided:
    """Divide classes by class with a seed.

    Args:
        fetch: Loads the data.
        modalities: What is read of them; () is everything.
        train: Samples for fitting, or their share; all others are for testing.
        seed: Of the division.
    """
    bunch = fetch()
    data = bunch.data.select(modalities) if modalities else bunch.data
    rows = np.arange(len(bunch.target))
    rows, held = train_test_split(rows, train_size=train, stratify=bunch.target, random_state=seed)
    return Divided(data[rows], bunch.target[rows], data[held], bunch.target[held])


def _simulated(setting: str) -> AblationSet:
    protocol = f"legacy generator, {_TRAIN} rows for fitting, {_TEST} for testing, simulated anew with each seed"
    return AblationSet("regression", protocol, partial(simulate, setting, _TRAIN, _TEST))


def _real(fetch: Callable[[], Bunch], train: int | float, words: str, modalities: tuple[str, ...] = ()) -> AblationSet:
    """Classes, divided with the seed."""
    return AblationSet(
        "classification", f"{words}, by class, drawn with the seed", partial(divide, fetch, modalities, train)
    )


SETS: Mapping[str, AblationSet] = {
    **{setting: _simulated(setting) for setting in SIMULATED},
    "rosmap": _real(datasets.fetch_rosmap, 0.7, "70 % of 351 samples for fitting, 30 % for testing"),
    "htad": _real(datasets.fetch_htad, 300, "300 samples for fitting, the other 1086 for testing"),
    "mfeat": _real(
        datasets.fetch_mfeat,
        300,
        "fou, kar and zer; 300 samples for fitting, the other 1700 for testing",
        ("fou", "kar", "zer"),
    ),
    "hippocampus": _real(
        partial(datasets.fetch_hippocampus, _SESSION),
        0.5,
        f"{_SESSION}, half of 77 correct trials for fitting, half for testing",
    ),
}
"""By name."""
