"""The front door: which methods are compared on which rows, from the user's words to a finished comparison."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import type_of_target

from plait.compare.comparison import Comparison, Reading
from plait.compare.lineup import Lineup, Methods, chosen_methods
from plait.compare.runs.parallel import execute
from plait.compare.runs.plan import Plan
from plait.compare.runs.splits import Splits, from_cv, make_splits
from plait.data.modalities import Modalities
from plait.data.reading import read_samples
from plait.data.settings import check_one_of, check_real, check_whole
from plait.data.spec import Task
from plait.data.tables import Groups
from plait.data.targets import check_order_is_known, class_codes, group_codes, target_of
from plait.estimation import Encoder
from plait.nn.taps.reading import layered
from plait.statistics.metrics import metric_by_name, primary
from plait.training.trainer import Trainer

TASKS = ("classification", "regression")


def compare(  # noqa: PLR0913 - the one front door
    methods: Methods,
    X: Any,
    y: Any,
    *,
    cv: Any = 5,
    repeats: int = 1,
    groups: Any = None,
    seeds: Any = (0,),
    random_state: int = 0,
    task: str | None = None,
    metric: str | None = None,
    margin: float = 0.01,
    probe: str | None = None,
    ledger: str = "auto",
    controls: bool = True,
    modalities: Groups | None = None,
    encoders: Mapping[str, Encoder] | None = None,
    scaling: str = "standard",
    calibration: str | None = None,
    validation: float | int | None = None,
    trainer: Trainer | None = None,
    store: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    verbose: int = 1,
) -> Comparison:
    """Compare fusion strategies on the same folds with the same seeds.

    Each modality alone and the majority class (or mean) are always in the table. Every fit validates and stops early
    on rows of its own training part: what is reported, nothing has seen.

    Args:
        methods: "all", names, methods (`LateFusion(base=RandomForestClassifier())`), or methods by names of your own.
        X: The samples: anything that the estimators take.
        y: Classes, or real values (several a sample too); pandas objects are matched by id.
        cv: Number of folds (stratified by class, whole groups together), a splitter of scikit-learn, or pairs of
            training and test rows: `[(train, test)]` is one published split.
        repeats: How often folds are drawn anew; for a number of folds alone.
        groups: Group of each sample (patient, recording); neither folds nor validation divide one, and intervals
            are over groups.
        seeds: Seeds of the models: every method is fitted with each on each fold.
        random_state: Seed of folds, intervals and spoiled data.
        task: "classification" or "regression"; None is by the target: whole numbers and text are classes.
        metric: What decides (accuracy or r2); all others are in the table too.
        margin: Differences up to this size count as none, in units of the metric.
        probe: Label of the method that is refitted for ledger and controls; None is early fusion, where it is among the
            methods, else the first.
        ledger: Refits on subsets of the modalities: "full" (every subset: exact Shapley values), "auto" (that for up
            to 4 modalities; of more, each alone and all but each), or "none".
        controls: Whether the probe is also fitted on a shuffled target, and with each modality shuffled.
        modalities: Columns of each modality, where X is one table.
        encoders: Your torch modules, or layered encoders (for texts, for example), by modality, as in the estimators.
            Taps of layered encoders are kept in the store, or while the comparison runs, so that every sample passes
            an encoder once.
        scaling: Scaling of the features, as in the estimators.
        calibration: "temperature" scales the probabilities of every method, as in `FusionClassifier`; None does not.
        validation: Validation inside every fit, as in the estimators.
        trainer: Epochs, learning rate and so on; None is `Trainer()`.
        store: Folder in which every run is kept: a killed comparison goes on where it stopped, and what was computed
            is never computed again. None keeps nothing.
        jobs: Processes to spread the runs over, -1 for one a core; None is one. Results do not depend on it. Inside
            `joblib.parallel_config(backend=...)` that backend (Dask, Ray) takes them.
        verbose: 1 shows a progress bar with the time left on standard error; 0 is silent.

    Returns:
        A `Comparison`: `table()`, `verdict`, `pairs`, `ledger()`, `report("report.html")`.

    Raises:
        ValueError: If the input cannot be used; the message names method, modality, row or group, and what to do.
    """
    question = Question.of(X, y, modalities, groups, task)
    how = Reading(metric or primary(question.task).name, margin, "", random_state, store=store)
    metric_by_name(question.task, how.metric)  # a wrong name is told before the fits, not after
    check_real("margin", margin)
    _check_encoders(encoders, question.modalities.names)
    lineup = Lineup(chosen_methods(methods), question.modalities.names, probe, ledger, controls)
    settings: dict[str, Any] = {"trainer": trainer, "validation": validation, "scaling": scaling, "encoders": encoders}
    settings |= {"splits": question.splits(cv, repeats, random_state), "seeds": _seeds(seeds)}
    plan = Plan(**vars(question), **settings, contenders=lineup.contenders(calibration), random_state=random_state)
    with _cache(store, encoders) as cache:
        runs = execute(replace(plan, cache=cache), store, jobs, verbose)
    return Comparison(plan, runs, replace(how, probe=lineup.probing))


@dataclass(frozen=True)
class Question:
    """What is to be predicted from what.

    Args:
        modalities: The samples.
        target: Classes or values as the user gave them.
        task: "classification" or "regression".
        groups: Code of each sample's group; None for no groups.
    """

    modalities: Modalities
    target: np.ndarray
    task: Task
    groups: np.ndarray | None

    @classmethod
    def of(cls, X: Any, y: Any, columns: Groups | None, groups: Any, task: str | None) -> "Question":
        """Read what the user gave.

        Raises:
            ValueError: If it cannot be used.
        """
        samples = read_samples(_Reader(), X, columns)
        check_order_is_known(X, y, samples)
        target = _one_column(target_of(y, samples))
        labels = None if groups is None else group_codes(groups, samples)
        return cls(samples, target, _task(task, target), labels)

    def splits(self, cv: Any, repeats: int, seed: int) -> Splits:
        """Which samples train and which are reported.

        Raises:
            ValueError: If the samples cannot be divided so.
        """
        check_whole("repeats", repeats, 1)
        codes = class_codes(self.target)[1] if self.task == "classification" else None
        found = self._divided(cv, repeats, seed, codes)
        alone = [part for part in found.parts if codes is not None and len(np.unique(codes[part.train])) < 2]
        if alone:
            raise ValueError(
                f"Fold {alone[0].fold} of repeat {alone[0].repeat} leaves one class to train on. Use fewer folds, or "
                "groups that do not hold all samples of a class."
            )
        return found

    def _divided(self, cv: Any, repeats: int, seed: int, codes: np.ndarray | None) -> Splits:
        if isinstance(cv, int | np.integer):
            names = () if codes is None else tuple(map(str, class_codes(self.target)[0].tolist()))
            return make_splits(len(self.modalities), codes, self.groups, int(cv), repeats, seed, names)
        if repeats != 1:
            raise ValueError("repeats goes with a number of folds; a splitter, or pairs of rows, say themselves.")
        return from_cv(cv, self.modalities, self.target if codes is None else codes, self.groups)


class _Reader(BaseEstimator):
    """Takes the part of an estimator where samples are read."""


def _one_column(target: np.ndarray) -> np.ndarray:
    """One column is one value a sample; checked for what is missing, and for what cannot be compared on.

    Raises:
        ValueError: If values are missing, or all are the same.
    """
    target = target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target
    missing = pd.isna(pd.DataFrame(target)).any(axis=1).to_numpy()
    if missing.any():
        raise ValueError(
            f"y is missing in {missing.sum()} sample(s), the first in row {missing.argmax()}. Leave them out."
        )
    if len(target) and (target == target[0]).all():
        raise ValueError(f"All values of y are the same ({target[0]!r}): there is nothing to predict.")
    return target


def _task(task: str | None, target: np.ndarray) -> Task:
    if task is not None:
        check_one_of("task", task, TASKS)
        return cast("Task", task)
    return "regression" if type_of_target(target).startswith("continuous") or target.ndim > 1 else "classification"


@contextmanager
def _cache(store: str | os.PathLike[str] | None, encoders: Mapping[str, Encoder] | None) -> Iterator[Path | None]:
    """Where taps of layered encoders are kept while a comparison runs."""
    if not layered(encoders):
        yield None
    elif store is not None:
        yield Path(store) / "taps"
    else:
        with tempfile.TemporaryDirectory(prefix="plait-taps-") as folder:
            yield Path(folder)


def _check_encoders(encoders: Mapping[str, Encoder] | None, names: tuple[str, ...]) -> None:
    unknown = sorted(set(encoders or {}) - set(names))
    if unknown:
        raise ValueError(f"Encoders are given for modalities that are not there: {unknown}. There are {list(names)}.")


def _seeds(seeds: Any) -> tuple[int, ...]:
    found = tuple(seeds) if isinstance(seeds, Iterable) else ()
    for seed in found:
        check_whole("Each of seeds", seed, 0)
    if not found or len(set(found)) != len(found):
        raise ValueError(f"seeds must list one or more different whole numbers (got {seeds!r}).")
    return tuple(map(int, found))
