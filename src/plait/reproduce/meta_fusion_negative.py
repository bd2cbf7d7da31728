"""Negative learning: the small cohort of the Meta Fusion paper with good teachers, none, and the worst of all."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from numpy import ndarray

from plait.data.modalities import Modalities
from plait.estimators import FusionRegressor
from plait.methods.meta import MetaFusion
from plait.nn.screening import teacher_weights
from plait.reproduce.meta_fusion_arms import fit_and_tell
from plait.reproduce.meta_fusion_checks import negative_checks
from plait.reproduce.meta_fusion_numbers import NEGATIVE, NEGATIVE_ARMS, NEGATIVE_RHO, SPLIT
from plait.reproduce.meta_fusion_simulations import Rows, SharingProtocol, load
from plait.reproduce.negative_picture import pictures
from plait.reproduce.study import Contrast, Found, Request, Run, Study
from plait.training.mutual_learning import Teachers
from plait.training.trainer import Trainer

NAME, GROUP = "negative-learning", "small cohort"
INDEPENDENT, CLUSTERING, ADVERSARIAL, CHOSEN = "independent", "clustering", "adversarial", "chosen"
STUDENTS = NEGATIVE.methods
NOTE = (
    "The paper's tables are not public: no number of the paper is claimed. Beside ours stand the numbers of one run "
    "that its authors' notebook has saved, of seed 1. A student is named by the principal components that it reads of "
    "each modality; its numbers are test MSE. A seed is that of the data, of the split and of the model. Screening is "
    "by optimal clusters, where the authors take one random start of k-means; components are those of the training "
    "rows, where they take the validation rows in."
)
PROTOCOL = SharingProtocol(
    extractors={"m0": ("pca-80", "pca-60", "pca-50", "null"), "m1": ("pca-60", "null")},
    hidden=(300, 200, 100),
    epochs=30,
    rhos=(0.0, 1.0, 3.0, 5.0, 10.0),
)
"""The authors' settings: the small cohort of seven students; the largest rho is that of the study."""


@dataclass(frozen=True)
class Way:
    """Who teaches.

    Args:
        says: The same in words.
        rhos: Strengths of mutual learning; of several the published method chooses.
        teachers: As in `MetaFusion`.
    """

    says: str
    rhos: tuple[float, ...]
    teachers: Teachers = "clustering"

    def method(self, made: SharingProtocol) -> MetaFusion:
        """The published method with these teachers; where there is nothing to choose, from the initial weights."""
        published = MetaFusion.paper(made.extractors, made.hidden, made.encoder_hidden, self.rhos)
        found = replace(published, screening="exact", teachers=self.teachers)
        return found if len(self.rhos) > 1 else replace(found, init="scratch")


def ways(made: SharingProtocol) -> dict[str, Way]:
    """By arm: nobody teaches; at every rho the best or the worst cluster; rho is chosen."""
    positive = [rho for rho in made.rhos if rho > 0]
    found = {INDEPENDENT: Way("nobody teaches", (0.0,))}
    kinds: tuple[tuple[str, str, Teachers], ...] = (
        (CLUSTERING, "the best cluster teaches", "clustering"),
        (ADVERSARIAL, "the worst cluster teaches", "worst"),
    )
    for arm, says, teachers in kinds:
        found |= {
            arm if rho == max(positive) else f"{arm}/rho-{rho:g}": Way(f"{says}, rho {rho:g}", (rho,), teachers)
            for rho in positive
        }
    return {**found, CHOSEN: Way("the best cluster teaches, rho chosen by validation", made.rhos)}


def study(request: Request, protocol: SharingProtocol | None = None) -> Study:
    """All runs: seeds x teachers.

    Args:
        request: Seeds, epochs, threads.
        protocol: Constants; None is `PROTOCOL`.
    """
    made = protocol or PROTOCOL
    made = replace(made, epochs=request.epochs or made.epochs)
    plan = Plan(made, request.threads, lru_cache(maxsize=1)(load))
    return Study(
        name=f"meta-fusion/{NAME}",
        note=NOTE,
        settings=asdict(made),
        runs=tuple(plan.run(arm, seed) for seed in request.seeds for arm in ways(made)),
        metrics=dict.fromkeys(("mse", *STUDENTS, "best_cluster", "best_single", "ensemble"), "lower"),
        contrasts=contrasts,
        published=published,
        checks=negative_checks,
        pictures=pictures,
    )


@dataclass(frozen=True)
class Plan:
    """Makes the runs.

    Args:
        protocol: Constants.
        threads: Threads of the training.
        load: Gives the rows of a setting, a number of samples and a seed.
    """

    protocol: SharingProtocol
    threads: int | None
    load: Callable[[str, int, int], Rows]

    def run(self, arm: str, seed: int) -> Run:
        """Some teachers with a seed."""
        labels = {"group": GROUP, "method": ways(self.protocol)[arm].says, "protocol": SPLIT}
        return Run(arm, seed, labels, partial(self._fit, arm, seed))

    def _fit(self, arm: str, seed: int, verbose: int) -> Found:
        rows, way = self.load(NAME, self.protocol.samples, seed), ways(self.protocol)[arm]
        model = self.model(way, rows).set_params(random_state=seed, verbose=verbose)
        told = fit_and_tell(model, rows.data, rows.target)
        errors = np.square(student_outputs(model, rows.test) - rows.test_target).mean(1)
        ensemble = float(np.square(model.predict(rows.test) - rows.test_target).mean())
        return _found(model.cohort_, errors, way.teachers, {**told, "ensemble": ensemble})

    def model(self, way: Way, rows: Rows) -> FusionRegressor:
        """The model, with the published training."""
        made = self.protocol
        return FusionRegressor(
            way.method(made),
            scaling="none",
            target_scaling="none",
            validation=rows.validation,
            trainer=Trainer(made.epochs, made.batch_size, made.learning_rate, 0.0, None, threads=self.threads),
        )


def student_outputs(model: FusionRegressor, data: Modalities) -> Float[ndarray, "student sample"]:
    """What every student of a fitted cohort predicts by itself, in the units of the target."""
    values = model.standardiser_.transform(data)
    features = {name: torch.from_numpy(np.asarray(value, dtype=np.float64)) for name, value in values.items()}
    module: Any = copy.deepcopy(model.module_).double()
    with torch.no_grad():
        outputs = module.students(features, torch.tensor(data.present))
    return np.stack([model.target_.decode(one.numpy()) for one in outputs])


def _found(
    cohort: pd.DataFrame, errors: Float[ndarray, " student"], teachers: Teachers, told: Mapping[str, float]
) -> Found:
    """Numbers of all students together and of each; who taught whom, in a table."""
    alone, losses = (cohort[name].to_numpy(float) for name in ("independent_loss", "validation_loss"))
    best = teacher_weights(alone) > 0
    teaching: Bool[ndarray, " student"] = (teacher_weights(alone, teachers) > 0) & (told["rho"] > 0)
    names = student_names(cohort)
    numbers = {"mse": float(errors.mean()), **dict(zip(names, errors.tolist(), strict=True))}
    numbers |= {"best_cluster": float(errors[best].mean()), "best_single": float(errors[losses.argmin()])}
    columns = {"mse": errors, "validation_loss": losses, "independent_loss": alone, "teaches": teaching}
    columns["rho"] = np.full(len(names), told["rho"])
    table = {
        name: {column: float(values[place]) for column, values in columns.items()} for place, name in enumerate(names)
    }
    return Found({**numbers, **told, "teachers": float(teaching.sum())}, {"students": table})


def student_names(cohort: pd.DataFrame) -> list[str]:
    """The authors' names: components of each modality, "(80,0)"."""
    read = cohort[["m0", "m1"]].replace({"null": "pca-0"}).to_numpy(str)
    return [f"({','.join(label.removeprefix('pca-') for label in row)})" for row in read.tolist()]


def contrasts(_results: pd.DataFrame) -> list[Contrast]:
    """Good teachers against none, and bad ones against both."""
    return [
        Contrast(CLUSTERING, INDEPENDENT),
        Contrast(ADVERSARIAL, INDEPENDENT),
        Contrast(ADVERSARIAL, CLUSTERING),
        Contrast(CHOSEN, INDEPENDENT),
    ]


def published(results: pd.DataFrame) -> pd.DataFrame:
    """The saved run of the authors, where its seed was run."""
    seeds, says = set() if results.empty else set(results["seed"]), ways(PROTOCOL)
    known = {arm: NEGATIVE.of(arm).assign(mse=NEGATIVE.of(arm).mean(axis=1)) for arm in NEGATIVE_ARMS}
    known[CHOSEN] = pd.DataFrame({"rho": [NEGATIVE_RHO]}, index=[1])
    rows = [
        (GROUP, says[arm].says, metric, value, float("nan"), f"{SPLIT}; seed {seed}", NEGATIVE.source)
        for arm, table in known.items()
        for seed, values in table.iterrows()
        if seed in seeds
        for metric, value in values.items()
    ]
    return pd.DataFrame(rows, columns=["group", "method", "metric", "value", "sd", "protocol", "source"])
