"""What is to be run: every contender on every split with every seed, and the key of each of these runs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped
from numpy import ndarray
from sklearn.base import BaseEstimator, clone

from plait.compare.outcomes import Kind, Truth
from plait.compare.runs.changes import AsIs, Change
from plait.compare.runs.fingerprint import (
    code_version,
    data_fingerprint,
    encoder_fingerprint,
    key_of,
    rows_fingerprint,
    sources_of,
)
from plait.compare.runs.splits import Split, Splits
from plait.data.modalities import Modalities
from plait.data.numeric import real_numbers
from plait.data.settings import check_whole
from plait.data.spec import Task
from plait.data.targets import class_codes
from plait.data.text import to_text
from plait.estimation import Encoder
from plait.estimators import FusionClassifier, FusionEstimator, FusionRegressor
from plait.methods.base import Method
from plait.training.trainer import Trainer

FORMAT = 1
"""Changes whenever what a key or a stored run says changes."""

_ESTIMATORS: dict[str, type[FusionEstimator]] = {"classification": FusionClassifier, "regression": FusionRegressor}
_APART = ("method", "modalities", "encoders", "cache", "random_state", "verbose")  # told elsewhere, or without effect


@dataclass(frozen=True)
class Contender:
    """One line of the table.

    Args:
        label: Its name in every table and picture; all differ.
        kind: "baseline", "single", "fusion", "control" or "subset".
        method: The method.
        change: How its data differ.
        settings: Parameters of its estimator that differ from the plan's, by name (for example `validation`).
        names: The modalities it reads; None is all that the change leaves.
    """

    label: str
    kind: Kind
    method: Method
    change: Change = field(default_factory=AsIs)
    settings: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] | None = None

    def reads(self, modalities: Modalities) -> tuple[str, ...]:
        """The modalities that it reads."""
        left = self.change.reads(modalities.names)
        return left if self.names is None else self.names


@dataclass(frozen=True)
class Samples:
    """What a fit is given, apart from its split.

    Args:
        modalities: All samples.
        target: Class codes from 0, or real values.
        task: "classification" or "regression".
        classes: Names of the classes; () in a regression.
        groups: Code of each sample's group; None for no groups.
    """

    modalities: Modalities
    target: Shaped[ndarray, "sample *out"]
    task: Task
    classes: tuple[str, ...] = ()
    groups: Int[ndarray, " sample"] | None = None

    @property
    def outputs(self) -> int:
        """Number of classes, or of targets."""
        return len(self.classes) or int(np.prod(self.target.shape[1:]))


@dataclass(frozen=True)
class Run:
    """One contender on one split with one seed.

    Args:
        contender: The contender.
        split: Training and reported samples.
        seed: Seed of the model (initial weights, validation split).
        change_seed: Seed of what is random about the change.
        estimator: The estimator that is fitted, not fitted yet.
        content: All that the outputs depend on, as JSON values.
        key: The SHA-256 of the content: what the run is stored under.
    """

    contender: Contender
    split: Split
    seed: int
    change_seed: int
    estimator: FusionEstimator
    content: Mapping[str, Any]
    key: str

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"{self.contender.label} (repeat {self.split.repeat}, fold {self.split.fold}, seed {self.seed})"


@dataclass(frozen=True)
class Plan:
    """A comparison before anything is fitted.

    Args:
        modalities: All samples.
        target: Their classes, as labels of any kind; or real values, one or several a sample.
        task: "classification" or "regression".
        groups: Code of each sample's group; None for no groups.
        splits: Which samples train and which are reported.
        seeds: Seeds of the models, all different.
        contenders: What is compared, in the order of the table.
        trainer: How everything is trained; None is `Trainer()`. Where it says nothing of threads there is one, so
            that no result depends on how many processes there are.
        validation: Hold-out share or number of folds within the training samples, as in `FusionClassifier`.
        scaling: Scaling of the features, as in `FusionClassifier`.
        encoders: The user's torch modules, or layered encoders, by modality, as in `FusionClassifier`.
        cache: Folder for taps of layered encoders, as in `FusionClassifier`.
        random_state: Seed of what is random about the data of controls, beside the seed of the model.
    """

    modalities: Modalities
    target: Shaped[ndarray, "sample *out"]
    task: Task
    groups: Int[ndarray, " sample"] | None
    splits: Splits
    seeds: tuple[int, ...]
    contenders: tuple[Contender, ...]
    trainer: Trainer | None = None
    validation: float | int | None = None
    scaling: str = "standard"
    encoders: Mapping[str, Encoder] | None = None
    cache: Path | None = None
    random_state: int = 0

    @cached_property
    def samples(self) -> Samples:
        """What every fit is given.

        Raises:
            ValueError: If the target is not one of the task.
        """
        if self.task == "regression":
            values = real_numbers("y", self.target).astype(np.float64, copy=False)
            return Samples(self.modalities, values, self.task, (), self.groups)
        classes, codes = class_codes(self.target)
        return Samples(self.modalities, codes, self.task, tuple(map(str, classes.tolist())), self.groups)

    @property
    def truth(self) -> Truth:
        """What is to be predicted."""
        groups = np.arange(len(self.modalities)) if self.groups is None else self.groups
        known = self.samples
        return Truth(self.task, known.target, known.classes, groups, self.splits.fold, self.splits.train)

    @cached_property
    def data_fingerprint(self) -> str:
        """The SHA-256 of samples, targets and groups."""
        return data_fingerprint(self.modalities, self.samples.target, self.samples.classes, self.groups)

    def check(self) -> None:
        """Raise ValueError if the plan cannot be run."""
        labels = [contender.label for contender in self.contenders]
        twice = [label for label, count in Counter(labels).items() if count > 1]
        if not labels or twice:
            raise ValueError(f"Contenders need different labels, at least one; got {twice or 'none'} more than once.")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must be different whole numbers, at least one; got {self.seeds}.")
        for seed in (*self.seeds, self.random_state):
            check_whole("A seed", seed, 0)
        asked: list[Any] = [self.validation, *(each.settings.get("validation") for each in self.contenders)]
        if any(np.ndim(validation) for validation in asked):
            raise ValueError(
                "validation of a comparison must be a share or a number of folds: an array tells the samples of one "
                "fit, but every fold trains on others. For records that stay together give groups."
            )
        if self.splits.samples != len(self.modalities):
            raise ValueError(f"The splits are of {self.splits.samples} samples, but there are {len(self.modalities)}.")
        for contender in self.contenders:
            contender.reads(self.modalities)

    def estimator(self, contender: Contender, seed: int) -> FusionEstimator:
        """The estimator of a contender, not fitted yet."""
        settings: dict[str, Any] = {"validation": self.validation, "scaling": self.scaling, "trainer": self.trainer}
        settings |= contender.settings
        trainer: Trainer = clone(settings["trainer"] or Trainer())
        settings["trainer"] = trainer.set_params(threads=trainer.threads or 1)
        kept = contender.change.reads(self.modalities.names)
        encoders = {name: module for name, module in (self.encoders or {}).items() if name in kept}
        kind: Any = _ESTIMATORS[self.task]
        settings |= {"encoders": encoders or None, "cache": self.cache}
        estimator: FusionEstimator = kind(contender.method, random_state=seed, **settings)
        return estimator

    def runs(self) -> list[Run]:
        """Every run, contender by contender.

        Raises:
            ValueError: If the plan cannot be run, or a parameter has no text.
        """
        self.check()
        splits = [(split, rows_fingerprint(split.train), rows_fingerprint(split.test)) for split in self.splits.parts]
        found = []
        for contender in self.contenders:
            shared = self._content(contender)
            for seed in self.seeds:
                estimator, change_seed = self.estimator(contender, seed), _derived(self.random_state, seed)
                for split, train, test in splits:
                    content = {**shared, "train": train, "test": test, "seed": seed}
                    found.append(Run(contender, split, seed, change_seed, estimator, content, key_of(content)))
        return found

    def _content(self, contender: Contender) -> dict[str, Any]:
        """What all runs of a contender depend on; threads do not count, nor does the label."""
        estimator = self.estimator(contender, 0)
        params = estimator.get_params(deep=False)
        text = to_text({name: value for name, value in params.items() if name not in _APART})
        text["trainer"]["params"].pop("threads")
        return {
            "format": FORMAT,
            "plait": code_version(),
            "task": self.task,
            "classes": len(self.samples.classes),
            "estimator": {"class": type(estimator).__name__, "params": text},
            "method": to_text(contender.method),
            "source": sources_of([contender.method, *_parts(contender.method)]),
            "change": contender.change.text(self.random_state),
            "data": self.data_fingerprint,
            "encoders": {name: encoder_fingerprint(one) for name, one in (params["encoders"] or {}).items()},
        }


def _parts(method: Method) -> list[Any]:
    """The values of a method's parameters, those of nested estimators and those in tuples and lists too."""
    values = list(method.get_params().values())
    several = [part for value in values if isinstance(value, tuple | list) for part in value]
    inner = [value for part in several if isinstance(part, BaseEstimator) for value in part.get_params().values()]
    return [*values, *several, *inner]


def _derived(*parts: int) -> int:
    """A seed made of several."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
