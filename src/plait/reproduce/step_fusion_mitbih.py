"""Step Fusion on MIT-BIH: heartbeats by two leads, intervals between beats, and an image of the first lead."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from typing import Literal

import pandas as pd

from plait import datasets
from plait.estimators import FusionClassifier
from plait.methods.base import Method
from plait.methods.early import EarlyFusion
from plait.methods.late import LateFusion
from plait.methods.step import StepFusion
from plait.reproduce.heartbeats import Beats, classify, encoders, load
from plait.reproduce.step_fusion_arms import ALONE, CONCAT, CROSS, RECONSTRUCTION, STEP, alone, fusions
from plait.reproduce.study import Contrast, Found, Request, Run, Study
from plait.training.trainer import Trainer

ALL, PAIR = ("lead1", "lead2", "rr", "image"), ("lead1", "image")
SPLITS: Mapping[str, str] = {
    "inter": "DS1 -> DS2, by record, classes N, S, V, F; beats beside the usual and the late beats of their record (no "
    "labels); validation on the records 118, 122, 124, 207, 223 of DS1",
    "intra": "Kaggle-style: random 80/20 split of beats, patients in both parts, classes N, S, V, F; beats beside "
    "the usual and the late beats of their record (no labels); validation on random beats of the training part",
}
SETS: Mapping[str, tuple[str, ...]] = {**{name: (name,) for name in ALL}, "pair": PAIR, "all": ALL}
Ways = Mapping[str, Callable[[], Method]]
_FORESTS: Ways = {
    "early-forest": partial(EarlyFusion, base="forest"),
    "late-forest": partial(LateFusion, base="forest"),
}
_FIT = {
    "forest": "forest of 200 trees without class weights, fitted on all training beats, validation beats too",
    "network": "settings tuned on DS1, {epochs} epochs, refitted on all training beats for the test",
}
_CHOSEN_BY = "validation_balanced_accuracy"


@dataclass(frozen=True)
class MitbihProtocol:
    """Every constant of the experiment; ours, since the paper's are not public.

    They were tuned on DS1 alone, in four folds of whole records.

    Args:
        image: Pixels of a side of the Gramian image of a beat.
        width: Size of a token.
        steps: Steps of Step Fusion; None is two a modality.
        dropout: Share dropped in training.
        scaling: "standard" brings every feature to mean 0 and standard deviation 1 over the training beats.
        epochs: Epochs of the cosine.
        batch_size: Beats a step of training.
        learning_rate: At the start; 1 % of it at the end, along half a cosine.
        weight_decay: Of AdamW.
        patience: Epochs without progress after which training stops; None is all epochs.
        clip: Largest norm of a gradient; None leaves them.
        class_weight: "sqrt" counts a beat by one over the square root of its class's share.
        validation_share: Of the random beats held out with "intra".
    """

    image: int = 24
    width: int = 32
    steps: int | None = 4
    dropout: float = 0.2
    scaling: str = "none"
    epochs: int = 3
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    patience: int | None = None
    clip: float | None = None
    class_weight: Literal["balanced", "sqrt"] | None = "sqrt"
    validation_share: float = 0.1


def study(request: Request, protocol: MitbihProtocol | None = None) -> Study:
    """All runs: splits x sets of modalities x seeds x methods.

    Args:
        request: Seeds, epochs, threads.
        protocol: Constants; None is the default ones.
    """
    made = protocol or MitbihProtocol()
    made = replace(made, epochs=request.epochs or made.epochs)
    plan = Plan(made, request, lru_cache(maxsize=1)(load))
    return Study(
        name="step-fusion/mitbih",
        note=f"{RECONSTRUCTION} Always guessing N is right for 89 % of the test beats of DS2. With the random split "
        "(intra), beats of one patient are in training and test: its scores say little about new patients.",
        settings=asdict(made),
        runs=tuple(run for split in SPLITS for run in plan.runs(split)),
        metrics=dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1", "kappa", "j_kappa"), "higher"),
        contrasts=contrasts,
        published=published,
    )


@dataclass(frozen=True)
class Plan:
    """Makes the runs of a split.

    Args:
        protocol: Constants.
        request: Seeds and threads.
        load: Gives the beats of a split, with images of a size and validation beats of a share.
    """

    protocol: MitbihProtocol
    request: Request
    load: Callable[[str, int, float], Beats]

    def runs(self, split: str) -> list[Run]:
        """Every modality alone, the lead and its image fused, all fused, and forests on all."""
        made = self.protocol
        several = fusions(made.width, made.steps, "shape", "joint", made.dropout)
        single = {ALONE: partial(alone, made.width, "shape", "joint", made.dropout)}
        ways: dict[str, Ways] = {**dict.fromkeys(ALL, single), "pair": several, "all": {**several, **_FORESTS}}
        return [
            self._run(split, name, way, seed, make)
            for name in SETS
            for seed in self.request.seeds
            for way, make in ways[name].items()
        ]

    def _run(self, split: str, name: str, way: str, seed: int, make: Callable[[], Method]) -> Run:
        fit = _FIT["forest" if way in _FORESTS else "network"].format(epochs=self.protocol.epochs)
        labels: dict[str, str | int] = {"group": split, "modalities": " + ".join(SETS[name]), "method": way}
        labels |= {"lookback": "one beat and its RR intervals" if "rr" in SETS[name] else "one beat"}
        labels |= {"protocol": f"{SPLITS[split]}; {fit}"}
        return Run(f"{split}/{name}/{way}", seed, labels, partial(self._fit, split, name, make, seed))

    def _fit(self, split: str, name: str, make: Callable[[], Method], seed: int, verbose: int) -> Found:
        made = self.protocol
        beats = self.load(split, made.image, made.validation_share).select(SETS[name])
        method = make()
        network = isinstance(method, StepFusion)
        model = FusionClassifier(
            method,
            encoders=encoders(beats, made.width, seed) if network else None,
            scaling=made.scaling,
            validation=beats.validation,
            trainer=self._trainer(),
            random_state=seed,
            verbose=verbose,
        )
        return classify(model, beats, refit=network)

    def _trainer(self) -> Trainer:
        made = self.protocol
        return Trainer(
            epochs=made.epochs,
            batch_size=made.batch_size,
            learning_rate=made.learning_rate,
            weight_decay=made.weight_decay,
            patience=made.patience,
            schedule="cosine",
            clip=made.clip,
            class_weight=made.class_weight,
            threads=self.request.threads,
        )


def contrasts(results: pd.DataFrame) -> list[Contrast]:
    """Step Fusion against the other ways, and against the single modality that is best on validation."""
    found = []
    for group, runs in results.groupby("group", sort=False):
        step = f"{group}/all/{STEP}"
        found += [Contrast(step, f"{group}/all/{way}") for way in (CONCAT, CROSS, *_FORESTS)]
        found += [Contrast(f"{group}/pair/{STEP}", f"{group}/pair/{way}") for way in (CONCAT, CROSS)]
        single = runs[runs["method"] == ALONE].groupby("arm")[_CHOSEN_BY].mean()
        if len(single.dropna()):
            note = f"best single modality by balanced accuracy on validation, of {len(single)}"
            found += [Contrast(step, str(single.idxmax()), note)]
    return found


def published(results: pd.DataFrame) -> pd.DataFrame:
    """Public numbers of both splits, by the protocol that each says of itself."""
    if results.empty:
        return pd.DataFrame()
    public: pd.DataFrame = datasets.fetch_mitbih(modalities=("rr",)).published
    inter = public["protocol"].str.contains("DS1 to DS2")
    told = public.assign(group=inter.map({True: "inter", False: "intra"}), modalities="", lookback="")
    return told[told["group"].isin(results["group"])]
