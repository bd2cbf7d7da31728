"""What a comparison is computed from: held-out predictions of every contender on the same splits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from numpy import ndarray

from plait.data.spec import Task

Kind = Literal["baseline", "single", "fusion", "control", "subset"]


@dataclass(frozen=True)
class Truth:
    """What was to be predicted, and which samples belong together.

    Args:
        task: "classification" or "regression".
        target: Class codes from 0, one a sample; or real values, one row a sample.
        classes: Names of the classes, in the order of their codes; () in a regression.
        groups: Code of each sample's group; every sample is its own group where there are none.
        fold: The fold that reports each sample in each repeat, from 0; -1 where no fold does.
        train: Number of training samples of each fold of each repeat; 0 where there is no such fold.
    """

    task: Task
    target: Shaped[ndarray, "sample *out"]
    classes: tuple[str, ...]
    groups: Int[ndarray, " sample"]
    fold: Int[ndarray, "repeat sample"]
    train: Int[ndarray, "repeat fold"]

    @property
    def reported(self) -> Bool[ndarray, " sample"]:
        """The samples that some fold reports."""
        return np.asarray((self.fold >= 0).any(0))

    @property
    def splits(self) -> list[tuple[int, int]]:
        """Every split as (repeat, fold)."""
        return [(int(repeat), int(fold)) for repeat, fold in np.argwhere(self.train > 0)]

    def rows(self, repeat: int, fold: int) -> Int[ndarray, " row"]:
        """Positions of the samples that a fold reports."""
        return np.flatnonzero(self.fold[repeat] == fold)

    @property
    def units(self) -> str:
        """What is drawn in a bootstrap: "106 groups", or "1386 samples" where each is a group of its own."""
        reported = self.groups[self.reported]
        count = len(np.unique(reported))
        return f"{count} {'samples' if count == len(reported) else 'groups'}"

    @property
    def protocol(self) -> str:
        """The splits in words: "5 folds x 2 repeats", "5 folds", "one split"."""
        repeats, folds = self.train.shape
        if len(self.splits) == 1:
            return "one split"
        if len(self.splits) < repeats * folds:
            return f"{len(self.splits)} splits"
        if folds == 1:
            return f"{repeats} splits"
        return f"{folds} folds" if repeats == 1 else f"{folds} folds x {repeats} repeats"

    @cached_property
    def test_share(self) -> float:
        """Reported samples over training samples, the mean over the splits (for Nadeau and Bengio's correction)."""
        return float(np.mean([len(self.rows(*split)) / self.train[split] for split in self.splits]))


@dataclass(frozen=True)
class Predicted:
    """What one contender predicted.

    Args:
        label: Its name in every table and picture.
        kind: "baseline" (majority or mean), "single" (one modality), "fusion", "control" (data spoiled on purpose), or
            "subset" (a refit on some of the modalities, for the ledger).
        joins: Where the modalities meet: "nothing", "features", "representations", "predictions" or "all".
        outputs: Class probabilities in the order of the classes, or predicted values; NaN where no fold reports the
            sample.
        seconds: Seconds of each fit; NaN where there is no such fold.
        reads: The modalities that it read.
        failure: Why there are no outputs; "" if there are some.
        learner: What it learns with, in one text: kinds of fusion are compared where both have the same learners.
    """

    label: str
    kind: Kind
    joins: str
    outputs: Float[ndarray, "seed repeat sample out"]
    seconds: Float[ndarray, "seed repeat fold"]
    reads: tuple[str, ...] = ()
    failure: str = ""
    learner: str = ""


@dataclass(frozen=True)
class Outcomes:
    """Held-out predictions of all contenders on the same splits with the same seeds.

    Args:
        truth: What was to be predicted.
        contenders: What each predicted, by label, in the order of the table.
        seeds: Seeds of the models (initial weights, validation split), apart from that of the folds.
    """

    truth: Truth
    contenders: Mapping[str, Predicted]
    seeds: tuple[int, ...]

    def __getitem__(self, label: str) -> Predicted:
        return self.contenders[label]

    def of_kind(self, *kinds: Kind) -> "Outcomes":
        """Those of some kinds that did not fail."""
        kept = {label: one for label, one in self.contenders.items() if one.kind in kinds and not one.failure}
        return replace(self, contenders=kept)

    def checked(self) -> "Outcomes":
        """All of them; one whose predictions are not finite where a fold reports them counts as failed."""
        there = self.truth.fold >= 0
        spoiled = {
            label: replace(one, failure="it predicted values that are not finite")
            for label, one in self.contenders.items()
            if not one.failure and not np.isfinite(one.outputs[:, there]).all()
        }
        return replace(self, contenders={**self.contenders, **spoiled})
