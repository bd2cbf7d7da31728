"""One whole fit of Meta Fusion with many students: seconds, where they go, and peak memory, in a process of its own."""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from cProfile import Profile
from dataclasses import asdict, dataclass
from functools import cache
from inspect import unwrap

import numpy as np
import pandas as pd
import torch

from benchmarks import peaks
from benchmarks.one_by_one import Beside, beside
from plait.data.modalities import Modalities
from plait.datasets import fetch_mfeat, make_data_sharing
from plait.estimators import FusionClassifier, FusionRegressor
from plait.methods import MetaFusion
from plait.nn.cohort import Cohort
from plait.nn.dictionary import found_labels
from plait.nn.learners import Learners
from plait.training.ensembling import _chosen, fit_representations, training_parts
from plait.training.findings import modality_values
from plait.training.learners import fit_learners
from plait.training.mutual_learning import learn
from plait.training.trainer import Trainer

PARTS: dict[str, tuple[Callable[..., object], ...]] = {
    "representations": (training_parts, found_labels, fit_representations),
    "heads in closed form": (fit_learners,),
    "networks": (learn,),
    "ensemble": (_chosen,),
    "values of modalities": (modality_values,),
}
"""What a fit consists of; there is next to nothing beside."""

_HELD = 400  # samples that score
_NUMBERS_OF_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Fit:
    """What is fitted, on what, with what; everything else is the default.

    Args:
        students: Networks, and heads in closed form of each word at most.
        rows: Training samples, those that validate among them.
        data: "mfeat", "simulated" (four modalities that share latents) or "drawn" (small, for a quick run).
        folds: Folds that validate; 0 holds out a fifth.
        learners: Words of heads in closed form; empty leaves networks alone.
        learner_rhos: As in `MetaFusion`.
        epochs: Epochs at most.
        threads: Threads of torch and numpy.
        alone: Networks that are then trained one by one, for comparison.
    """

    students: int = 500
    rows: int = 1600
    data: str = "mfeat"
    folds: int = 0
    learners: tuple[str, ...] = ("ridge", "quadratic")
    learner_rhos: tuple[float, ...] | None = None
    epochs: int = 100
    threads: int = 2
    alone: int = 0


@dataclass(frozen=True)
class Found:
    """What it took, and what came of it.

    Args:
        seconds: On the clock.
        processor: Of processor time.
        parts: Seconds on the clock of each of `PARTS`.
        peak: Megabytes above what the process held before, with the data and all code loaded by a small fit.
        networks: How many.
        heads: Heads in closed form.
        parameters: Of the networks, in all copies.
        epochs: That some network was trained.
        score: On samples that nothing was fitted on: accuracy, or R2.
        beside: Some of the networks one by one, and the limit of the machine, where this was asked for.
    """

    seconds: float
    processor: float
    parts: dict[str, float]
    peak: float
    networks: int
    heads: int
    parameters: int
    epochs: int
    score: float
    beside: Beside | None = None


def in_own_process(fit: Fit) -> Found:
    """Measure a fit in a process of its own."""
    threads = dict.fromkeys(_NUMBERS_OF_THREADS, str(fit.threads))
    command = [sys.executable, "-m", "benchmarks.one_fit", json.dumps(asdict(fit))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads})
    return read_found(json.loads(done.stdout))


def read_found(values: dict) -> Found:
    """What `asdict` made of it."""
    told = values["beside"]
    return Found(**{**values, "beside": None if told is None else Beside(**told)})


def measured(fit: Fit) -> Found:
    """Measure a fit here, after a small one that loads all code."""
    _load_code()
    (data, target), held = _parted(fit.data, fit.rows)
    model, profile = _model(fit), Profile()
    gc.collect()
    before = _memory_now()
    start, spent = time.perf_counter(), time.process_time()
    profile.runcall(model.fit, data, target)
    seconds, processor = time.perf_counter() - start, time.process_time() - spent
    peak = (peaks.megabytes("VmHWM") if peaks.are_known() else float("nan")) - before
    networks = next(part for part in model.module_.modules() if isinstance(part, Cohort))
    return Found(
        seconds,
        processor,
        _parts(profile),
        peak,
        networks.count,
        sum(part.count for part in model.module_.modules() if isinstance(part, Learners)),
        sum(parameter.numel() for parameter in networks.parameters()),
        len(model.history_),
        float(model.score(*held)) if len(held[0]) else float("nan"),
        beside(model, data, target, fit.alone) if fit.alone else None,
    )


@cache
def _load_code() -> None:
    _model(Fit(8, epochs=2)).fit(*_parted("drawn", 60)[0])


def _memory_now() -> float:
    if not peaks.are_known():
        return float("nan")
    peaks.begin_anew()
    return peaks.megabytes("VmRSS")


def _model(fit: Fit) -> FusionClassifier | FusionRegressor:
    kind = FusionRegressor if fit.data == "simulated" else FusionClassifier
    heads = {"learners": tuple(fit.learners), "learner_rhos": fit.learner_rhos}
    method = MetaFusion(max_students=fit.students, policy="product", **heads)
    return kind(method, validation=fit.folds or 0.2, trainer=Trainer(epochs=fit.epochs), random_state=0)


def _parted(data: str, rows: int) -> tuple[tuple[Modalities, np.ndarray], tuple[Modalities, np.ndarray]]:
    """So many samples that train, every class in turn, and others to score on, always the same."""
    values, target = _SOURCES[data](rows)
    order = _in_turn(target) if data != "simulated" else np.arange(len(target))
    least = len(order) - min(_HELD, len(order) // 4)
    train, held = order[:rows], order[max(least, rows) :]
    return (values[train], target[train]), (values[held], target[held])


def _in_turn(target: np.ndarray) -> np.ndarray:
    """Positions of samples in random order, one of every class in turn."""
    drawn = np.random.default_rng(0).permutation(len(target))
    labels = pd.Series(target[drawn])
    return drawn[np.argsort(labels.groupby(labels).cumcount().to_numpy(), kind="stable")]


def _mfeat(_rows: int) -> tuple[Modalities, np.ndarray]:
    return fetch_mfeat(return_X_y=True)


def _simulated(rows: int) -> tuple[Modalities, np.ndarray]:
    made = make_data_sharing("four-modalities", rows + _HELD)
    return made.data, made.target


def _drawn(_rows: int) -> tuple[Modalities, np.ndarray]:
    draw, target = np.random.default_rng(0), np.arange(80) % 3
    return Modalities({name: draw.standard_normal((80, 6)) + target[:, None] for name in ("one", "two")}), target


_SOURCES: dict[str, Callable[[int], tuple[Modalities, np.ndarray]]] = {
    "mfeat": _mfeat,
    "simulated": _simulated,
    "drawn": _drawn,
}


def _parts(profile: Profile) -> dict[str, float]:
    took = {entry.code: entry.totaltime for entry in profile.getstats()}
    return {
        name: sum(took.get(unwrap(function).__code__, 0.0) for function in functions)
        for name, functions in PARTS.items()
    }


if __name__ == "__main__":
    asked = Fit(**json.loads(sys.argv[1]))
    torch.set_num_threads(asked.threads)
    print(json.dumps(asdict(measured(asked))))
