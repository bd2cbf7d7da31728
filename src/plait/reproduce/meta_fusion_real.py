"""Meta Fusion with default settings on real data, beside public numbers, linear models and single modalities."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray
from sklearn.utils import Bunch

from plait.data.modalities import Modalities
from plait.data.spec import Task
from plait.estimators import FusionClassifier, FusionEstimator, FusionRegressor
from plait.methods.base import Method
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.methods.single import SingleModality
from plait.reproduce.meta_fusion_arms import (
    ALONE,
    DEFAULT,
    EARLY_LINEAR,
    LATE_LINEAR,
    default_settings,
    default_trainer,
    fit_and_tell,
)
from plait.reproduce.meta_fusion_checks import Threshold, real_checks
from plait.reproduce.meta_fusion_tasks import TASKS, Division, RealTask, Way
from plait.reproduce.study import Contrast, Found, Request, Run, Study

_NOTE = (
    "Other data than the paper's, whose sets are restricted or its tables not public: no number of the paper is "
    "claimed. All settings are defaults. A seed is that of the split, where it is random, and of the model."
)


_ESTIMATORS: Mapping[Task, type[FusionEstimator]] = {"classification": FusionClassifier, "regression": FusionRegressor}
_OUTPUTS: Mapping[Task, Callable[[Any, Modalities], Float[ndarray, "sample out"]]] = {
    "classification": lambda model, data: model.predict_proba(data),
    "regression": lambda model, data: model.predict(data).reshape(len(data), -1),
}


def study(request: Request, name: str) -> Study:
    """All runs of a task: seeds x divisions x methods.

    Args:
        request: Seeds, epochs, threads.
        name: "digits", "activities" or "alzheimer".
    """
    return study_of(f"meta-fusion/{name}", (TASKS[name],), request)


def study_of(name: str, tasks: Sequence[RealTask], request: Request, together: Sequence[Threshold] = ()) -> Study:
    """All runs of one or several tasks.

    Args:
        name: Name of the study.
        tasks: The tasks; no two have groups of the same name.
        request: Seeds, epochs, threads.
        together: What is asked of several tasks at once.
    """
    plans = [Plan(task, request, lru_cache(maxsize=1)(task.fetch)) for task in tasks]
    trainer = default_trainer(request)
    notes = dict.fromkeys(task.note for task in tasks)
    return Study(
        name=name,
        note=" ".join([_NOTE, *notes]),
        settings={"epochs": trainer.epochs, DEFAULT: default_settings()},
        runs=tuple(run for plan in plans for run in plan.runs),
        metrics={metric: better for task in tasks for metric, better in task.metrics.items()},
        contrasts=partial(contrasts, {group: one for task in tasks for group, one in task.divisions.items()}),
        published=partial(_beside, plans),
        checks=partial(real_checks, [*(one for task in tasks for one in task.thresholds), *together]),
    )


@dataclass(frozen=True)
class Plan:
    """Makes the runs of a task.

    Args:
        task: Data and divisions.
        request: Epochs and threads.
        load: Gives the data.
    """

    task: RealTask
    request: Request
    load: Callable[[], Bunch]

    @property
    def ways(self) -> Mapping[str, Way]:
        """What is run, by the name of the arm."""
        methods: dict[str, Method] = {DEFAULT: MetaFusion()}
        methods |= {LATE_LINEAR: LateFusion(base="linear"), EARLY_LINEAR: EarlyFusion(base="linear")}
        methods |= {f"{name}-{ALONE}": SingleModality(name) for name in self.task.modalities}
        return {arm: Way(method) for arm, method in methods.items()} | dict(self.task.further)

    @property
    def runs(self) -> Iterable[Run]:
        """Seeds x divisions x methods."""
        for group in self.task.divisions:
            for seed in self.request.seeds:
                yield from (self.run(group, arm, seed) for arm in self.ways)

    def run(self, group: str, arm: str, seed: int) -> Run:
        """A method with a seed."""
        division = self.task.divisions[group]
        labels = {"group": group, "method": arm, "protocol": division.protocol}
        return Run(f"{division.prefix}{arm}", seed, labels, partial(self._fit, division, self.ways[arm], seed))

    def _fit(self, division: Division, way: Way, seed: int, verbose: int) -> Found:
        """On every split of the division; numbers are means over them, seconds their sum."""
        bunch, trainer = self.load(), default_trainer(self.request)
        read = bunch.data.select(way.modalities) if way.modalities else bunch.data
        model: Any = _ESTIMATORS[self.task.task](way.method, trainer=trainer, random_state=seed, verbose=verbose)
        found = [self._judge(model, Bunch(**{**bunch, "data": read}), *rows) for rows in division.splits(bunch, seed)]
        numbers = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        return Found(numbers | {"fit_seconds": numbers["fit_seconds"] * len(found)})

    def _judge(
        self, model: Any, bunch: Bunch, train: Int[ndarray, " train"], test: Int[ndarray, " test"]
    ) -> dict[str, float]:
        groups = bunch.groups[train] if "groups" in bunch else None
        told = fit_and_tell(model, bunch.data[train], bunch.target[train], groups)
        outputs = _OUTPUTS[self.task.task](model, bunch.data[test])
        scores = {**self.task.scores, **self.task.errors}
        return {**{name: score(bunch.target[test], outputs) for name, score in scores.items()}, **told}


def contrasts(divisions: Mapping[str, Division], results: pd.DataFrame) -> list[Contrast]:
    """The default against linear models and the single modality that is best by its validation loss."""
    found: list[Contrast] = []
    for group, runs in results.groupby("group", sort=False):
        default, *others = (f"{divisions[str(group)].prefix}{arm}" for arm in (DEFAULT, LATE_LINEAR, EARLY_LINEAR))
        found += [Contrast(default, other) for other in others]
        found += [Contrast(default, arm, note) for arm, note in _best_alone(runs)]
    return found


def _best_alone(runs: pd.DataFrame) -> Sequence[tuple[str, str]]:
    """The arm of the best single modality, and how it was chosen; none where none was run."""
    single = runs[runs["method"].str.endswith(f"-{ALONE}")].groupby("arm")["validation_loss"].mean().dropna()
    note = f"best single modality by validation loss, of {len(single)}"
    return [(str(single.idxmin()), note)] if len(single) else []


def _beside(plans: Sequence[Plan], results: pd.DataFrame) -> pd.DataFrame:
    """Public numbers of the data sets, each in the group whose protocol is nearest to its own."""
    if results.empty:
        return pd.DataFrame()
    told = [
        _as_in(one, plan.load().published).assign(group=group)
        for plan in plans
        for group, one in plan.task.divisions.items()
        if group in set(results["group"])
    ]
    return pd.concat(told, ignore_index=True)


def _as_in(division: Division, public: pd.DataFrame) -> pd.DataFrame:
    """The public numbers of a protocol."""
    return public[public["protocol"].str.contains(division.published, regex=False)]
