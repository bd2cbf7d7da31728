"""What each piece of Meta Fusion's default buys: the default without it, on the same splits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd

from plait.data.spec import Task
from plait.estimators import FusionClassifier, FusionEstimator, FusionRegressor
from plait.methods.base import Method
from plait.methods.meta import MetaFusion
from plait.reproduce.ablation_arms import ARMS, CHOICES, TRAINED
from plait.reproduce.ablation_picture import pictures
from plait.reproduce.ablation_sets import SETS, AblationSet, Divided
from plait.reproduce.ablation_students import Reselecting, rechosen
from plait.reproduce.ablation_table import overviews
from plait.reproduce.meta_fusion_arms import DEFAULT, default_settings, default_trainer, fit_and_tell
from plait.reproduce.study import Contrast, Found, Request, Run, Study
from plait.statistics.metrics import metric_by_name

NOTE = (
    "Not the paper's ablation: no number of the paper is claimed. Each arm is `MetaFusion()` with one piece changed, "
    "fitted and tested on the same rows with the same seed, its ensemble chosen anew. Students learn from each other "
    "from the same initial weights, and for as many epochs, as they learn alone. A seed is that of the data or the "
    "split and of the model. There is nothing to pass."
)
_ESTIMATORS: Mapping[Task, type[FusionEstimator]] = {"classification": FusionClassifier, "regression": FusionRegressor}
ORDER = (DEFAULT, *CHOICES, *TRAINED)
"""The arms as they are run: those that the default's students serve follow its training."""
_METRICS: Mapping[str, str] = {"mse": "lower", "error": "lower", "log_loss": "lower"}


def study(request: Request) -> Study:
    """All runs: seeds x sets x arms.

    Args:
        request: Seeds, epochs, threads.
    """
    plan = Plan(request, SETS)
    return Study(
        name="meta-fusion/ablation",
        note=NOTE,
        settings={"epochs": default_trainer(request).epochs, DEFAULT: default_settings()},
        runs=tuple(plan.run(name, arm, seed) for seed in request.seeds for name in SETS for arm in ORDER),
        metrics=_METRICS,
        contrasts=contrasts,
        published=lambda _: pd.DataFrame(),
        pictures=pictures,
        overviews=overviews,
    )


@dataclass(frozen=True)
class Plan:
    """Makes the runs; the default is trained once a set and seed, for all arms that its students serve.

    Args:
        request: Epochs and threads.
        sets: Data sets by name.
    """

    request: Request
    sets: Mapping[str, AblationSet]

    @cached_property
    def divided(self) -> Callable[[str, int], Divided]:
        """The samples of a set, by its name and a seed."""
        return lru_cache(maxsize=1)(lambda name, seed: self.sets[name].load(seed))

    @cached_property
    def default(self) -> Callable[[str, int, int], tuple[FusionEstimator, dict[str, float]]]:
        """The fitted default and what came of it, by set, seed and talk."""
        return lru_cache(maxsize=1)(partial(self._trained, Reselecting(MetaFusion(), CHOICES)))

    def run(self, name: str, arm: str, seed: int) -> Run:
        """An arm on a set with a seed."""
        says = ARMS[arm].says if arm in ARMS else "default settings"
        labels = {"group": name, "method": arm, "protocol": f"{self.sets[name].protocol}; {says}"}
        return Run(f"{name}/{arm}", seed, labels, partial(self._fit, name, arm, seed))

    def _fit(self, name: str, arm: str, seed: int, verbose: int) -> Found:
        if arm in TRAINED:
            model, told = self._trained(ARMS[arm].method, name, seed, verbose)
        else:
            model, told = self.default(name, seed, verbose)
            model = rechosen(model, arm) if arm in CHOICES else model
        rows = self.divided(name, seed)
        return Found({**_ERRORS[self.sets[name].task](model, rows), **told, **_learned(model)})

    def _trained(self, method: Method, name: str, seed: int, verbose: int) -> tuple[FusionEstimator, dict[str, float]]:
        """A fitted model, and what came of it."""
        kind, rows = _ESTIMATORS[self.sets[name].task], self.divided(name, seed)
        model = kind(method, trainer=default_trainer(self.request), random_state=seed, verbose=verbose)
        return model, fit_and_tell(model, rows.data, rows.target)


def _of_values(model: Any, rows: Divided) -> dict[str, float]:
    return {"mse": float(np.mean((model.predict(rows.test) - rows.test_target) ** 2))}


def _of_classes(model: Any, rows: Divided) -> dict[str, float]:
    probabilities = model.predict_proba(rows.test)
    accuracy, loss = (metric_by_name("classification", name).score for name in ("accuracy", "log_loss"))
    return {"error": 1 - accuracy(rows.test_target, probabilities), "log_loss": loss(rows.test_target, probabilities)}


_ERRORS: Mapping[Task, Callable[[Any, Divided], dict[str, float]]] = {
    "classification": _of_classes,
    "regression": _of_values,
}


def _learned(model: Any) -> dict[str, float]:
    """The strength at which students that are no networks learned from each other, and the weight of networks."""
    networks = (model.cohort_["kind"] == "network").to_numpy()
    weights = model.module_.weights.double().numpy()
    share = float(weights[networks].sum() / weights.sum())
    return {"learner_rho": float(model.method_.learner_rhos[0]), "network_weight": share}


def contrasts(results: pd.DataFrame) -> list[Contrast]:
    """Every arm against the default on the same set."""
    return [Contrast(f"{name}/{arm}", f"{name}/{DEFAULT}") for name in dict.fromkeys(results["group"]) for arm in ARMS]
