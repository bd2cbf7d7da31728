"""What a task of two layered encoders is: samples, how they are split, and how each modality comes to have taps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int
from numpy import ndarray

from plait.nn.taps.base import LayeredEncoder


@dataclass(frozen=True, eq=False)
class Part:
    """A target, and which rows train, choose and test.

    Args:
        target: Code of the class of each sample.
        classes: Number of classes.
        train: Rows that encoders and heads are fitted on.
        validation: Rows that end training and choose.
        test: Rows that are judged at the end, once.
        units: What the uncertainty of the choice is about: a group of each sample.
        groups: What the uncertainty of the test is about.
    """

    target: Int[ndarray, " sample"]
    classes: int
    train: Int[ndarray, " train"]
    validation: Int[ndarray, " held"]
    test: Int[ndarray, " test"]
    units: Int[ndarray, " sample"]
    groups: Int[ndarray, " sample"]


@dataclass(frozen=True)
class Effort:
    """How long an encoder may be trained.

    Args:
        epochs: Most epochs.
        threads: Threads on the processor; None is the trainer's choice.
    """

    epochs: int
    threads: int | None = None


@dataclass(frozen=True, eq=False)
class Reading:
    """A modality and the encoder that reads it.

    Args:
        values: What the encoder reads of all samples: a tensor, or a list of texts.
        encoder: Gives the encoder, from the samples, a seed and how long it may be trained.
        kept: Whether taps are worth keeping on disk: those of a pretrained encoder, which are always the same.
    """

    values: Any
    encoder: Callable[["Reading", Part, int, Effort], LayeredEncoder]
    kept: bool = False


@dataclass(frozen=True, eq=False)
class Fold:
    """Samples with one split.

    Args:
        name: Which one; "" if there is only one.
        readings: Modalities by name.
        part: Target and rows. Folds that share a reading and a part share its taps.
    """

    name: str
    readings: Mapping[str, Reading]
    part: Part


@dataclass(frozen=True)
class Task:
    """A question: which taps of two encoders to join on some data.

    Args:
        name: "image-text".
        modalities: Names of the two, in order.
        variants: What is done to the data, by name, with its protocol in words; at least one.
        folds: Loads the folds of all variants. Tests are of all folds together.
        metric: What pairs are chosen and judged by.
        note: What has to be said with the numbers.
        settings: Constants that the numbers depend on, as JSON values.
        published: Public numbers, with a column group.
    """

    name: str
    modalities: tuple[str, str]
    variants: Mapping[str, str]
    folds: Callable[[], Mapping[str, Sequence[Fold]]]
    metric: str
    note: str
    settings: Mapping[str, Any]
    published: Callable[[], pd.DataFrame]


def nothing_published() -> pd.DataFrame:
    """No public numbers."""
    return pd.DataFrame()


def every(target: ndarray) -> Int[ndarray, " sample"]:
    """Each sample a group of its own."""
    return np.arange(len(target))
