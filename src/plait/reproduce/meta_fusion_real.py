"""Meta Fusion with default settings on real data, beside public numbers, linear models and single modalities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from jaxtyping import Int
from numpy import ndarray
from sklearn.utils import Bunch

from plait.estimators import FusionClassifier
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
from plait.reproduce.meta_fusion_checks import real_checks
from plait.reproduce.meta_fusion_tasks import TASKS, Division, RealTask
from plait.reproduce.study import Contrast, Found, Request, Run, Study

_NOTE = (
    "Other data than the paper's, whose sets are restricted or its tables not public: no number of the paper is "
    "claimed. All settings are defaults. A seed is that of the split, where it is random, and of the model."
)


def study(request: Request, name: str) -> Study:
    """All runs of a task: seeds x divisions x methods.

    Args:
        request: Seeds, epochs, threads.
        name: "digits", "activities" or "alzheimer".
    """
    task = TASKS[name]
    plan = Plan(task, request, lru_cache(maxsize=1)(task.fetch))
    trainer = default_trainer(request)
    return Study(
        name=f"meta-fusion/{name}",
        note=f"{_NOTE} {task.note}",
        settings={"epochs": trainer.epochs, DEFAULT: default_settings()},
        runs=tuple(
            plan.run(group, way, seed) for group in task.divisions for seed in request.seeds for way in plan.ways
        ),
        metrics=dict.fromkeys(task.scores, "higher"),
        contrasts=partial(contrasts, task),
        published=partial(_beside, plan),
        checks=partial(real_checks, task.thresholds),
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
    def ways(self) -> Mapping[str, Method]:
        """The methods, by the name of the arm."""
        fusions: dict[str, Method] = {DEFAULT: MetaFusion()}
        fusions |= {LATE_LINEAR: LateFusion(base="linear"), EARLY_LINEAR: EarlyFusion(base="linear")}
        return fusions | {f"{name}-{ALONE}": SingleModality(name) for name in self.task.modalities}

    def run(self, group: str, way: str, seed: int) -> Run:
        """A method with a seed."""
        division = self.task.divisions[group]
        labels = {"group": group, "method": way, "protocol": division.protocol}
        return Run(f"{division.prefix}{way}", seed, labels, partial(self._fit, division, way, seed))

    def _fit(self, division: Division, way: str, seed: int, verbose: int) -> Found:
        """On every split of the division; numbers are means over them, seconds their sum."""
        bunch = self.load()
        model = FusionClassifier(
            self.ways[way], trainer=default_trainer(self.request), random_state=seed, verbose=verbose
        )
        found = [self._judge(model, bunch, *rows) for rows in division.splits(bunch, seed)]
        numbers = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        return Found(numbers | {"fit_seconds": numbers["fit_seconds"] * len(found)})

    def _judge(
        self, model: FusionClassifier, bunch: Bunch, train: Int[ndarray, " train"], test: Int[ndarray, " test"]
    ) -> dict[str, float]:
        told = fit_and_tell(model, bunch.data[train], bunch.target[train])
        outputs = model.predict_proba(bunch.data[test])
        return {**{name: score(bunch.target[test], outputs) for name, score in self.task.scores.items()}, **told}


def contrasts(task: RealTask, results: pd.DataFrame) -> list[Contrast]:
    """The default against linear models and the single modality that is best by its validation loss."""
    found: list[Contrast] = []
    for group, runs in results.groupby("group", sort=False):
        default, *others = (f"{task.divisions[str(group)].prefix}{way}" for way in (DEFAULT, LATE_LINEAR, EARLY_LINEAR))
        found += [Contrast(default, other) for other in others]
        found += [Contrast(default, arm, note) for arm, note in _best_alone(runs)]
    return found


def _best_alone(runs: pd.DataFrame) -> Sequence[tuple[str, str]]:
    """The arm of the best single modality, and how it was chosen; none where none was run."""
    single = runs[runs["method"].str.endswith(f"-{ALONE}")].groupby("arm")["validation_loss"].mean().dropna()
    note = f"best single modality by validation loss, of {len(single)}"
    return [(str(single.idxmin()), note)] if len(single) else []


def _beside(plan: Plan, results: pd.DataFrame) -> pd.DataFrame:
    """Public numbers of the data set, each in the group whose protocol is nearest to its own."""
    if results.empty:
        return pd.DataFrame()
    public: pd.DataFrame = plan.load().published
    told = [
        public[public["protocol"].str.contains(one.published, regex=False)].assign(group=group)
        for group, one in plan.task.divisions.items()
        if group in set(results["group"])
    ]
    return pd.concat(told, ignore_index=True)
