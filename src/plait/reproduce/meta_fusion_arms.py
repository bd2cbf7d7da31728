"""What the reproductions of Meta Fusion have in common: names of arms, default settings, facts of a fit."""

import time
from dataclasses import replace
from typing import Any

from jaxtyping import Shaped
from numpy import ndarray

from plait.data.modalities import Modalities
from plait.estimators import FusionEstimator
from plait.methods.meta import MetaFusion
from plait.reproduce.study import Request
from plait.training.trainer import Trainer

DEFAULT, LATE_LINEAR, EARLY_LINEAR, ALONE = "default", "late-linear", "early-linear", "alone"


def default_settings() -> dict[str, str]:
    """Every setting of `MetaFusion()`, as text: with another default, runs are other runs."""
    return {name: str(value) for name, value in sorted(MetaFusion().get_params(deep=False).items())}


def default_trainer(request: Request) -> Trainer:
    """The default trainer, with the epochs and threads that were asked for."""
    trainer = Trainer(threads=request.threads)
    return trainer if request.epochs is None else replace(trainer, epochs=request.epochs)


def fit_and_tell(
    model: FusionEstimator,
    data: Modalities,
    target: Shaped[ndarray, " sample"],
    groups: Shaped[ndarray, " sample"] | None = None,
) -> dict[str, float]:
    """Fit a model that has a cohort, and say what came of it.

    Args:
        model: The model.
        data: Samples.
        target: Their targets.
        groups: Which of them are validated together; None is each by itself.

    Returns:
        `fit_seconds`; `students`; `validation_loss`, that of the best student; of Meta Fusion `teachers` and the chosen
        `rho`.
    """
    start = time.perf_counter()
    estimator: Any = model
    estimator.fit(data, target, groups=groups)
    seconds, cohort, method = time.perf_counter() - start, model.cohort_, model.method_
    told = {"fit_seconds": seconds, "students": float(len(cohort))}
    told |= {"validation_loss": float(cohort["validation_loss"].min())}
    if isinstance(method, MetaFusion):
        told |= {"teachers": float(cohort["teaches"].sum()), "rho": float(method.rhos[0])}
    return told
