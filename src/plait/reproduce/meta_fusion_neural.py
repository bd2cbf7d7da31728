"""Meta Fusion on recordings of the hippocampus: which arm a mouse will choose, and where an animal is."""

from functools import partial

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils import Bunch

from plait import datasets
from plait.datasets.hippocampus import CHOICES, TRACKS
from plait.methods.early import EarlyFusion
from plait.methods.single import SingleModality
from plait.reproduce.meta_fusion_arms import ALONE
from plait.reproduce.meta_fusion_checks import AboveInMost, NotBelowBest
from plait.reproduce.meta_fusion_real import study_of
from plait.reproduce.meta_fusion_tasks import FOLDS, Division, RealTask, Split, Way, folds
from plait.reproduce.study import Request, Study
from plait.statistics.metrics import metric_by_name

BLOCKS = 5
BEST_PUBLISHED = {
    "mouse1_session1": 0.940,
    "mouse2_session1": 0.898,
    "mouse2_session2": 0.915,
    "mouse2_session3": 0.928,
}
"""The greatest published accuracy by session."""
_MOST = AboveInMost(BEST_PUBLISHED, "accuracy", 3, "the best published one")
_READ = ("spikes", "fpa", "theta")
_NOTE = (
    "Trials are few: intervals are about other divisions of the same trials. The AUC is the mean over the folds; the "
    "published one is of all folds together. Of the tracks a seed is that of the model alone; nothing is published "
    "on this protocol."
)


class LinearSVM(ClassifierMixin, BaseEstimator):
    """The published classifier, a support vector machine with a linear kernel, for two classes.

    Its probabilities are the logistic function of the margin, which leaves classes and ranks as they are; they are not
    calibrated.
    """

    def fit(self, X: Float[ndarray, "row width"], y: Int[ndarray, " row"]) -> "LinearSVM":
        """Fit the machine."""
        self.machine_ = SVC(kernel="linear").fit(X, y)
        self.classes_ = self.machine_.classes_
        return self

    def predict_proba(self, X: Float[ndarray, "row width"]) -> Float[ndarray, "row 2"]:
        """More than half where the margin is above 0."""
        second = expit(self.machine_.decision_function(X))
        return np.column_stack([1 - second, second])

    def predict(self, X: Float[ndarray, "row width"]) -> Int[ndarray, " row"]:
        """The class on whose side a sample is."""
        found: Int[ndarray, " row"] = self.machine_.predict(X)
        return found


def study(request: Request) -> Study:
    """All runs: seeds x sessions x methods.

    Args:
        request: Seeds, epochs, threads.
    """
    return study_of("meta-fusion/neural", TASKS, request, (_MOST,))


def blocks(bunch: Bunch, _seed: int) -> list[Split]:
    """Blocks of successive groups, each tested once by a model of the others, whatever the seed."""
    parts = np.array_split(np.unique(bunch.groups), BLOCKS)
    tested = [np.isin(bunch.groups, part) for part in parts]
    return [(np.flatnonzero(~one), np.flatnonzero(one)) for one in tested]


def median_error(target: Float[ndarray, " sample"], outputs: Float[ndarray, "sample 1"]) -> float:
    """Median absolute error, in the unit of the target."""
    return float(np.median(np.abs(target - outputs[:, 0])))


def _fetch(session: str) -> Bunch:
    return datasets.fetch_hippocampus(session)


def _choice(session: str) -> RealTask:
    """The arm that is chosen, as published but for the folds, which are by class."""
    protocol = f"{FOLDS} folds by class, drawn with the seed; correct trials, the last 0.5 s"
    alone = tuple(f"{name}-{how}" for how in (ALONE, "svm") for name in _READ)
    return RealTask(
        partial(_fetch, session),
        _READ,
        {session: Division(protocol, folds, "10-fold", f"{session}/")},
        {name: metric_by_name("classification", name).score for name in ("accuracy", "roc_auc")},
        (NotBelowBest(session, "accuracy", alone, "single modality"),),
        _NOTE,
        further=_MACHINES,
    )


def _position(session: str) -> RealTask:
    """The position on a track."""
    protocol = f"{BLOCKS} blocks of successive laps; bins with the animal on the move"
    return RealTask(
        partial(_fetch, session),
        ("spikes", "fpa"),
        {session: Division(protocol, blocks, "none", f"{session}/")},
        {"r2": metric_by_name("regression", "r2").score},
        (),
        _NOTE,
        task="regression",
        errors={"median_error_cm": median_error},
    )


_MACHINES = {
    "early-svm": Way(EarlyFusion(base=LinearSVM())),
    "fpa-theta-svm": Way(EarlyFusion(base=LinearSVM()), ("fpa", "theta")),
    **{f"{name}-svm": Way(SingleModality(name, base=LinearSVM())) for name in _READ},
}
TASKS = (*map(_choice, CHOICES), *map(_position, TRACKS))
"""A task a session."""
