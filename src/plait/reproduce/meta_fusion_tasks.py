"""The real data of Meta Fusion's reproductions: how they are divided, scored, and what is asked of the default."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.utils import Bunch

from plait import datasets
from plait.data.spec import Task
from plait.methods.base import Method
from plait.reproduce.meta_fusion_arms import LATE_LINEAR
from plait.reproduce.meta_fusion_checks import Floor, NotBelow, Threshold
from plait.statistics.metrics import Score, metric_by_name

Split = tuple[Int[ndarray, " train"], Int[ndarray, " test"]]
FOLDS = 10


@dataclass(frozen=True)
class Division:
    """A way to divide the samples.

    Args:
        protocol: What it is, in words.
        splits: From the data and a seed to rows for training and for testing.
        published: Part of the protocol of the public numbers that stand beside it.
        prefix: What the names of its arms begin with, "" for the main one.
    """

    protocol: str
    splits: Callable[[Bunch, int], Sequence[Split]]
    published: str
    prefix: str = ""


@dataclass(frozen=True)
class Way:
    """A method and what it reads.

    Args:
        method: The method.
        modalities: What it reads; () is everything.
    """

    method: Method
    modalities: tuple[str, ...] = ()


@dataclass(frozen=True)
class RealTask:
    """A data set and what is asked of it.

    Args:
        fetch: Loads it. Where it comes with `groups`, a fit holds out whole ones to choose by.
        modalities: Its modalities.
        divisions: Ways to divide it, by group.
        scores: What predictions are scored by, by name; higher is better.
        thresholds: What the default must reach.
        note: What has to be said with every number.
        task: Whether classes or real values are predicted.
        errors: What predictions are scored by too, by name; lower is better.
        further: What is run beside the arms that every task has, by the name of the arm.
    """

    fetch: Callable[[], Bunch]
    modalities: tuple[str, ...]
    divisions: Mapping[str, Division]
    scores: Mapping[str, Score]
    thresholds: tuple[Threshold, ...]
    note: str
    task: Task = "classification"
    errors: Mapping[str, Score] = field(default_factory=dict)
    further: Mapping[str, Way] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, str]:
        """Everything that predictions are scored by: whether higher or lower is better, by name."""
        return dict.fromkeys(self.scores, "higher") | dict.fromkeys(self.errors, "lower")


def binary_f1(target: Int[ndarray, " sample"], outputs: Float[ndarray, "sample out"]) -> float:
    """F1 of the second of two classes."""
    return float(f1_score(target, outputs.argmax(1)))


def random_split(share: float, bunch: Bunch, seed: int) -> Sequence[Split]:
    """One random split by class, with that share of test rows."""
    rows = np.arange(len(bunch.target))
    train, test = train_test_split(rows, test_size=share, stratify=bunch.target, random_state=seed)
    return [(train, test)]


def folds(bunch: Bunch, seed: int) -> Sequence[Split]:
    """Ten random folds by class."""
    rows = np.arange(len(bunch.target))
    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows, bunch.target))


def fixed_split(bunch: Bunch, _seed: int) -> Sequence[Split]:
    """The published one, whatever the seed."""
    return [(np.asarray(bunch.train), np.asarray(bunch.test))]


def _scores(*names: str) -> dict[str, Score]:
    return {name: metric_by_name("classification", name).score for name in names}


TASKS: Mapping[str, RealTask] = {
    "digits": RealTask(
        datasets.fetch_mfeat,
        ("fou", "fac", "kar", "pix", "zer", "mor"),
        {"digits": Division("random 80/20 split by class, drawn with the seed", partial(random_split, 0.2), "80/20")},
        _scores("accuracy", "macro_f1"),
        (Floor("digits", "accuracy", 0.99),),
        "2000 digits by six sets of features.",
    ),
    "activities": RealTask(
        datasets.fetch_htad,
        ("audio", "accelerometer"),
        {"activities": Division(f"{FOLDS} folds by class, drawn with the seed", folds, "10-fold")},
        _scores("accuracy", "macro_f1"),
        (Floor("activities", "accuracy", 0.945),),
        "Subjects are not recorded: samples of one person may be in training and test. How the published F1 is "
        "averaged over the classes is not known, so ours stands apart.",
    ),
    "alzheimer": RealTask(
        datasets.fetch_rosmap,
        ("mrna", "meth", "mirna"),
        {
            "random": Division(
                "random 70/30 split by class, drawn with the seed", partial(random_split, 0.3), "random 70/30"
            ),
            "fixed": Division(
                "the published split, 245 training and 106 test rows", fixed_split, "the published split", "fixed/"
            ),
        },
        {**_scores("accuracy", "roc_auc", "macro_f1"), "f1": binary_f1},
        (
            Floor("random", "accuracy", 0.815),
            Floor("random", "roc_auc", 0.874),
            NotBelow("random", "accuracy", LATE_LINEAR),
            NotBelow("random", "roc_auc", LATE_LINEAR),
        ),
        "Features were selected with the labels of the published training rows, so that random splits leak a little, "
        "for every method here; MOGONET's table has features selected anew in each split.",
    ),
}
"""By the name of the reproduction."""
