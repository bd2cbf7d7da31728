"""Meta Fusion on its paper's simulations: the published method, the default one, and ridge, on the same rows."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from plait import datasets
from plait.data.modalities import Modalities
from plait.estimators import FusionRegressor
from plait.methods.base import Method
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.meta import MetaFusion
from plait.reproduce.meta_fusion_arms import DEFAULT, default_settings, default_trainer, fit_and_tell
from plait.reproduce.meta_fusion_checks import simulation_checks
from plait.reproduce.meta_fusion_numbers import SPLIT, published
from plait.reproduce.study import Contrast, Found, Request, Run, Study
from plait.training.trainer import Trainer

PAPER, INDEPENDENT, RIDGE, LATE_RIDGE = "paper", "independent", "ridge", "late-ridge"
_NOTE = (
    "The paper's tables are not public: no number of the paper is claimed. The numbers beside ours were measured with "
    "the authors' published code, seed by seed, and are means over the seeds that were run here. A seed is that of the "
    "data, of the split and of the model. In the authors' row at rho = 0 the ensemble is the one chosen at the other "
    "rho; in our arm `independent` it is chosen at rho = 0."
)
_FIT: Mapping[str, str] = {
    PAPER: "published cohort and training, the authors' validation rows",
    INDEPENDENT: "the same with rho = 0 alone, ensemble chosen there",
    DEFAULT: "default settings, fitted on the same 1600 rows",
    RIDGE: "ridge on the features of all modalities, on the same 1600 rows",
    LATE_RIDGE: "a ridge a modality, averaged, on the same 1600 rows",
}
Extractors = Mapping[str, tuple[str, ...]]


def _widths(kind: str, *widths: int) -> tuple[str, ...]:
    return (*(f"{kind}-{width}" for width in widths), "null")


_ENCODERS: Extractors = {
    "m0": ("identity", *_widths("encoder", 400, 300, 200)),
    "m1": ("identity", *_widths("encoder", 300, 200, 100)),
}
_EARLY: Extractors = {"m0": _widths("pca", 80, 70, 60, 50), "m1": _widths("pca", 90, 80, 70, 60)}
_LATE: Extractors = {"m0": _widths("pca", 120, 100, 80, 60), "m1": _widths("pca", 120, 100, 80, 60)}


@dataclass(frozen=True)
class SharingProtocol:
    """Every constant of the published method on a setting, as in the authors' code.

    Args:
        extractors: What students read of each modality.
        hidden: Widths of the hidden layers of the heads.
        epochs: Passes over the training rows at every rho.
        samples: Rows that are drawn; a fifth is for testing, a fifth of the others for validation.
        encoder_hidden: Widths of the hidden layers of encoders.
        rhos: Strengths of mutual learning to choose from.
        batch_size: Samples a step.
        learning_rate: Of Adam.
    """

    extractors: Extractors
    hidden: tuple[int, ...]
    epochs: int
    samples: int = 2000
    encoder_hidden: tuple[int, ...] = (256,)
    rhos: tuple[float, ...] = (0.0, 0.99, 3.0)
    batch_size: int = 64
    learning_rate: float = 1e-3


PROTOCOLS: Mapping[str, SharingProtocol] = {
    "1.1": SharingProtocol(_ENCODERS, (128, 64), 10),
    **dict.fromkeys(("1.2", "1.3"), SharingProtocol(_EARLY, (300, 200, 100), 30)),
    "2.1": SharingProtocol(_ENCODERS, (128, 64), 30),
    **dict.fromkeys(("2.2", "2.3"), SharingProtocol(_LATE, (300, 200, 100), 30)),
}
"""By setting."""


@dataclass(frozen=True)
class Rows:
    """What is simulated, divided.

    Args:
        data: Rows for fitting; those for training first.
        target: Their responses.
        validation: Which of them the authors validate on.
        test: Rows for testing.
        test_target: Their responses.
    """

    data: Modalities
    target: Float[ndarray, " sample"]
    validation: Bool[ndarray, " sample"]
    test: Modalities
    test_target: Float[ndarray, " test"]


def load(setting: str, samples: int, seed: int) -> Rows:
    """Simulate with the legacy streams and split with the same seed."""
    made = datasets.make_data_sharing(setting, samples, random_state=seed, legacy=True)
    train, validation, test = datasets.split_rows(samples, seed)
    rows = np.concatenate([train, validation])
    held = np.arange(len(rows)) >= len(train)
    return Rows(made.data[rows], made.target[rows], held, made.data[test], made.target[test])


def study(request: Request, setting: str, protocol: SharingProtocol | None = None) -> Study:
    """All runs of a setting: seeds x methods.

    Args:
        request: Seeds, epochs (of all networks), threads.
        setting: Name of the setting: "1.1" to "1.3", "2.1" to "2.3".
        protocol: Constants; None is those of the setting.
    """
    made = protocol or PROTOCOLS[setting]
    made = replace(made, epochs=request.epochs or made.epochs)
    plan = Plan(setting, made, request, lru_cache(maxsize=1)(load))
    return Study(
        name=f"meta-fusion/{setting}",
        note=_NOTE,
        settings={**asdict(made), "default_epochs": default_trainer(request).epochs, DEFAULT: default_settings()},
        runs=tuple(plan.run(way, seed) for seed in request.seeds for way in plan.ways),
        metrics={"mse": "lower"},
        contrasts=contrasts,
        published=partial(_beside, setting),
        checks=partial(simulation_checks, setting),
    )


@dataclass(frozen=True)
class Plan:
    """Makes the runs of a setting.

    Args:
        setting: Its name.
        protocol: Constants of the published method.
        request: Epochs and threads.
        load: Gives the rows of a setting, a number of samples and a seed.
    """

    setting: str
    protocol: SharingProtocol
    request: Request
    load: Callable[[str, int, int], Rows]

    @property
    def ways(self) -> Mapping[str, Callable[[Rows], FusionRegressor]]:
        """From the rows to an unfitted model, by the name of the arm."""
        return {
            PAPER: partial(self._paper, self.protocol.rhos),
            INDEPENDENT: partial(self._paper, (0.0,)),
            DEFAULT: partial(self._usual, MetaFusion()),
            RIDGE: partial(self._usual, EarlyFusion(base="ridge")),
            LATE_RIDGE: partial(self._usual, LateFusion(base="ridge")),
        }

    def run(self, way: str, seed: int) -> Run:
        """A method with a seed."""
        labels = {"group": self.setting, "method": way, "protocol": f"{SPLIT}; {_FIT[way]}"}
        return Run(way, seed, labels, partial(self._fit, way, seed))

    def _fit(self, way: str, seed: int, verbose: int) -> Found:
        rows = self.load(self.setting, self.protocol.samples, seed)
        model = self.ways[way](rows).set_params(random_state=seed, verbose=verbose)
        told = fit_and_tell(model, rows.data, rows.target)
        return Found({"mse": float(np.mean((model.predict(rows.test) - rows.test_target) ** 2)), **told})

    def _usual(self, method: Method, rows: Rows) -> FusionRegressor:
        """A method with default settings, which holds out rows of its own choice."""
        return FusionRegressor(method, trainer=default_trainer(self.request))

    def _paper(self, rhos: tuple[float, ...], rows: Rows) -> FusionRegressor:
        """The published method with the published training."""
        made = self.protocol
        trainer = Trainer(made.epochs, made.batch_size, made.learning_rate, 0.0, None, threads=self.request.threads)
        return FusionRegressor(
            MetaFusion.paper(made.extractors, made.hidden, made.encoder_hidden, rhos),
            scaling="none",
            target_scaling="none",
            validation=rows.validation,
            trainer=trainer,
        )


def contrasts(_results: pd.DataFrame) -> list[Contrast]:
    """The default against all others; the published method against itself without mutual learning, and ridge."""
    return [
        *(Contrast(DEFAULT, way) for way in (PAPER, RIDGE, LATE_RIDGE)),
        *(Contrast(PAPER, way) for way in (INDEPENDENT, RIDGE)),
    ]


def _beside(setting: str, results: pd.DataFrame) -> pd.DataFrame:
    """The numbers of others for the seeds that were run."""
    return published(setting, [] if results.empty else sorted(set(results["seed"])))
