"""`plait fit`: what the target is taken for, the estimator, its training, and what is said of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from plait.cli.encoders import check_texts, made
from plait.cli.listing import MODEL_FILE, shapes
from plait.cli.parameters import method_from_text
from plait.cli.reporting import search_in, summary
from plait.cli.sources import Samples
from plait.cli.targets import TargetValues
from plait.data.text import to_text
from plait.estimators import FusionClassifier, FusionRegressor
from plait.methods.base import Method
from plait.methods.registry import method_by_name
from plait.nn.taps.text import TextEncoder
from plait.persistence import save
from plait.training.trainer import Trainer

Estimator = FusionClassifier | FusionRegressor
_ESTIMATORS: dict[str, type[Estimator]] = {"classification": FusionClassifier, "regression": FusionRegressor}


@dataclass(frozen=True)
class Settings:
    """How the estimator is set.

    Args:
        task: "classification", "regression", or None: by the target.
        validation: Share of the samples, or number of folds; None is by their number.
        epochs: Most epochs; None is the trainer's default.
        seed: Seed of everything random.
        verbose: Whether progress bars are shown.
    """

    task: str | None
    validation: int | float | None
    epochs: int | None
    seed: int
    verbose: bool

    def estimator(
        self, method: Method, task: str, encoders: Mapping[str, TextEncoder], cache: Path | None
    ) -> Estimator:
        """An estimator for the task with these settings."""
        return _ESTIMATORS[task](
            method,
            encoders=encoders or None,
            cache=cache,
            validation=self.validation,
            trainer=Trainer() if self.epochs is None else Trainer(epochs=self.epochs),
            random_state=self.seed,
            verbose=int(self.verbose),
        )


@dataclass(frozen=True)
class FitRequest:
    """What was asked for.

    Args:
        method: Name of the method.
        params: Parameters of the method, as NAME=VALUE.
        settings: How the estimator is set.
        out: Folder to save in.
        overwrite: Whether a model in `out` is replaced.
        kinds: Names of encoders, by modality of texts.
        cache: Folder that what encoders give is kept in.
    """

    method: str
    params: tuple[str, ...]
    settings: Settings
    out: Path
    overwrite: bool
    kinds: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None

    @cached_property
    def encoders(self) -> dict[str, TextEncoder]:
        """Encoders, by modality of texts."""
        return made(self.kinds)

    def check(self) -> None:
        """Raise before anything is read or trained what would fail after it.

        Raises:
            ValueError: If method or parameters are unknown, or there is nothing to keep in the cache.
            OSError: If the model cannot be saved where it is to be, or the cache is no folder.
            ImportError: If the packages of an encoder are not installed.
        """
        self.made_method()
        self._check_out()
        if self.cache is not None and not self.kinds:
            raise ValueError("--cache keeps what encoders give, and there is no --encoder. Leave it out, or give one.")
        if self.cache is not None and self.cache.exists() and not self.cache.is_dir():
            raise NotADirectoryError(f"--cache {self.cache} is a file. Name a folder; it is made if need be.")
        _ = self.encoders

    def _check_out(self) -> None:
        if not self.out.absolute().parent.is_dir():
            raise FileNotFoundError(f"There is no folder {self.out.parent} to save {self.out.name} in. Make it first.")
        if self.out.exists() and not self.overwrite:
            raise FileExistsError(f"{self.out} exists. Choose another folder, or --overwrite the model in it.")
        if self.out.exists() and not (self.out / MODEL_FILE).is_file():
            raise FileExistsError(f"{self.out} exists and holds no saved model to overwrite. Choose another folder.")

    def made_method(self) -> Method:
        """The method with its parameters."""
        return method_from_text(method_by_name(self.method), self.params)


def fitted(samples: Samples, request: FitRequest) -> dict[str, Any]:
    """Fit, save, and report.

    Args:
        samples: Samples with targets.
        request: What was asked for.

    Raises:
        ValueError: If the samples cannot be learned from.
    """
    check_texts(samples.modalities, request.kinds)
    target = TargetValues.of(samples, request.settings.task)
    estimator = request.settings.estimator(request.made_method(), target.task, request.encoders, request.cache)
    groups = None if samples.groups is None else samples.groups.to_numpy()
    start = time.perf_counter()
    estimator.fit(samples.modalities, target.values, groups)
    seconds = time.perf_counter() - start
    save(estimator, request.out, overwrite=request.overwrite)
    return {**_report(estimator, samples, request.settings), "seconds": round(seconds, 2), "saved_in": str(request.out)}


def _report(estimator: Estimator, samples: Samples, settings: Settings) -> dict[str, Any]:
    spec = estimator.spec_
    classes = spec.task == "classification"
    share = 0.2 if settings.validation is None else settings.validation
    held_out = f"{spec.folds} folds" if spec.folds > 1 else f"{share:.0%} of the samples, held out"
    unit = "cross-entropy in nats" if classes else "squared error of the scaled target"
    return {
        "method": type(estimator.method_).__name__,
        "task": f"{spec.task} ({spec.outputs} {'classes' if classes else 'target'})",
        "trained_on": samples.rows,
        "n": len(samples.modalities),
        "modalities": shapes(estimator.raw_shapes_),
        **_search(estimator),
        **_modality_values(estimator),
        "validation_loss": _validation_loss(estimator),
        "loss_is": f"{unit}; mean over the students of the ensemble, by weight; validation: {held_out}",
        "params": to_text(estimator.method_.get_params(deep=False)),
        "seed": settings.seed,
    }


def _search(estimator: Estimator) -> dict[str, Any]:
    """What a search of pairs found; nothing where there was none."""
    found = search_in(estimator.tables_)
    return {} if found is None else summary(found)


def _modality_values(estimator: Estimator) -> dict[str, Any]:
    """The Shapley value of each modality, in the unit of the loss; nothing where the method has none."""
    table = estimator.tables_.get("modality_values")
    return {} if table is None or table.empty else {"modality_values": table["value"].to_dict()}


def _validation_loss(estimator: Estimator) -> float:
    """Mean validation loss of the students in the ensemble; without a cohort, of the last epoch that was best."""
    if "cohort" not in estimator.tables_:
        return float(estimator.history_["best_validation_loss"].iloc[-1])
    voting = estimator.cohort_.query("weight > 0")
    return float(np.average(voting["validation_loss"], weights=voting["weight"]))
