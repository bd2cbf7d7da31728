"""Which scikit-learn estimators can be learners, what the words "linear", "forest" and "boosting" mean, and seeds."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, RidgeCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags

from plait.data.settings import check_one_of
from plait.data.spec import Task

Word: TypeAlias = Literal["linear", "forest", "boosting", "ridge", "quadratic", "logistic"]
"""The last three are heads in closed form (`plait.nn.closed_head`), the others estimators of scikit-learn."""
Base: TypeAlias = BaseEstimator | Word

_TREES, _LEAF, _FOLDS = 200, 3, 5
_STRENGTHS = np.logspace(-3, 5, 17)  # of the ridge, for standardised features
_COSTS = (0.001, 0.01, 0.1, 1.0)  # of logistic regression: 1 / strength
_LEAST = float(np.finfo(np.float64).eps)  # probabilities are clipped here, as where losses are taken


class LearnerTask(ABC):
    """What classifiers and regressors do differently as learners."""

    words: Mapping[str, Callable[[ndarray], BaseEstimator]]

    def estimator(self, base: Base, target: ndarray, seed: int) -> BaseEstimator:
        """A fresh estimator for a target: a copy of the user's, or what the word stands for.

        Args:
            base: The estimator, or a word.
            target: The target it will be fitted on, as `target` gives it.
            seed: Where the estimator, or a part of it, has a `random_state` that is None.
        """
        return seeded(self.words[base](target) if isinstance(base, str) else clone(base), seed)

    @abstractmethod
    def check(self, base: Base, parameter: str) -> None:
        """Raise ValueError, with the name of the parameter, if the estimator cannot learn such a task."""

    @abstractmethod
    def fit(self, base: Base, values: Float[ndarray, "row width"], target: ndarray, seed: int) -> BaseEstimator:
        """A fitted estimator, for a target with one column an output (one-hot classes)."""

    @abstractmethod
    def output(
        self, estimator: Any, classes: Int[ndarray, " known"], values: Float[ndarray, "row width"], outputs: int
    ) -> Float[ndarray, "row out"]:
        """What a fitted estimator says of samples: values, or logarithms of the probabilities of all classes."""


class Classes(LearnerTask):
    """Class probabilities."""

    def __init__(self) -> None:
        self.words = {
            "linear": _logistic,
            "forest": lambda _: RandomForestClassifier(_TREES, min_samples_leaf=_LEAF),
            "boosting": lambda _: HistGradientBoostingClassifier(),
        }

    def check(self, base: Base, parameter: str) -> None:
        if isinstance(base, str):
            return
        name = type(base).__name__
        if not is_classifier(base):
            raise ValueError(f"{name}() (parameter {parameter}) is no classifier, and FusionClassifier needs one.")
        if not hasattr(base, "predict_proba"):
            raise ValueError(
                f"{name}() (parameter {parameter}) predicts no probabilities, which fusion of classes needs. "
                f"Calibrate it: sklearn.calibration.CalibratedClassifierCV({name}())."
            )

    def fit(self, base: Base, values: Float[ndarray, "row width"], target: ndarray, seed: int) -> BaseEstimator:
        codes = np.unique(target.argmax(1), return_inverse=True)[1]  # 0, 1, ... without gaps, as some libraries insist
        given = self.estimator(base, codes, seed) if codes.any() else DummyClassifier()  # one class is all there is
        fitted: BaseEstimator = given.fit(values, codes)
        return fitted

    def output(
        self, estimator: Any, classes: Int[ndarray, " known"], values: Float[ndarray, "row width"], outputs: int
    ) -> Float[ndarray, "row out"]:
        found = np.zeros((len(values), outputs))
        found[:, classes[np.asarray(estimator.classes_, dtype=np.int64)]] = estimator.predict_proba(values)
        return np.asarray(np.log(found.clip(_LEAST, 1)))


class Reals(LearnerTask):
    """Real values, one or several."""

    def __init__(self) -> None:
        self.words = {
            "linear": lambda _: RidgeCV(_STRENGTHS),
            "forest": lambda _: RandomForestRegressor(_TREES, min_samples_leaf=_LEAF, max_features=1 / 3),
            "boosting": lambda _: HistGradientBoostingRegressor(),
        }

    def check(self, base: Base, parameter: str) -> None:
        if base == "logistic":
            raise ValueError("'logistic' predicts classes, and FusionRegressor needs values. Take 'ridge'.")
        if not isinstance(base, str) and not is_regressor(base):
            name = type(base).__name__
            raise ValueError(f"{name}() (parameter {parameter}) is no regressor, and FusionRegressor needs one.")

    def fit(self, base: Base, values: Float[ndarray, "row width"], target: ndarray, seed: int) -> BaseEstimator:
        single = target.shape[1] == 1
        estimator = self.estimator(base, target, seed)
        if not single and not get_tags(estimator).target_tags.multi_output:
            estimator = MultiOutputRegressor(estimator)
        fitted: BaseEstimator = estimator.fit(values, target[:, 0] if single else target)
        return fitted

    def output(
        self, estimator: Any, classes: Int[ndarray, " known"], values: Float[ndarray, "row width"], outputs: int
    ) -> Float[ndarray, "row out"]:
        return np.asarray(estimator.predict(values), dtype=np.float64).reshape(len(values), outputs)


def _logistic(codes: ndarray) -> BaseEstimator:
    """L2-penalised, its strength by cross-validated log-loss; as scikit-learn sets it where a class has one sample."""
    folds = min(_FOLDS, int(np.bincount(codes).min()))
    if folds < 2:
        return LogisticRegression(max_iter=1000)
    known = signature(LogisticRegressionCV).parameters
    newer = {"l1_ratios": (0.0,), "use_legacy_attributes": False} if "use_legacy_attributes" in known else {}
    return LogisticRegressionCV(Cs=list(_COSTS), cv=folds, scoring="neg_log_loss", max_iter=1000, **newer)


LEARNER_TASKS: dict[Task, LearnerTask] = {"classification": Classes(), "regression": Reals()}


def check_base(base: Any, task: Task, name: str = "base") -> None:
    """Raise what a user needs to hear if something cannot be a learner of the task.

    Args:
        base: An unfitted estimator, or a word.
        task: What is learned.
        name: Name of the parameter, for the errors.

    Raises:
        ValueError: If it is an unknown word, of the other task, or predicts no probabilities of classes.
        TypeError: If it is no estimator.
    """
    if isinstance(base, str):
        check_one_of(name, base, get_args(Word))
    elif isinstance(base, type) or not isinstance(base, BaseEstimator):
        raise TypeError(
            f"{name} must be a scikit-learn estimator such as RandomForestClassifier(), or one of the words "
            f"{', '.join(map(repr, get_args(Word)))} (got {base!r})."
        )
    LEARNER_TASKS[task].check(base, name)


def seeded(estimator: BaseEstimator, seed: int) -> BaseEstimator:
    """The estimator with a seed of its own in every `random_state` that is None, those of its parts too."""
    states = {key for key, value in estimator.get_params().items() if value is None and _is_state(key)}
    seeds = np.random.RandomState(seed).randint(2**31 - 1, size=len(states))
    found: BaseEstimator = estimator.set_params(**dict(zip(sorted(states), map(int, seeds), strict=True)))
    return found


def _is_state(key: str) -> bool:
    return key == "random_state" or key.endswith("__random_state")


def learner_list(name: str, values: Any) -> tuple[Base, ...]:
    """Learners as a tuple.

    Raises:
        TypeError: If they are no list, for example one estimator or one word.
        ValueError: If a word is there twice.
    """
    if not isinstance(values, list | tuple):
        raise TypeError(f"{name} must be a list of learners, for example ('forest',), or () for none (got {values!r}).")
    twice = [word for place, word in enumerate(values) if isinstance(word, str) and word in values[:place]]
    if twice:
        raise ValueError(f"{name} has {twice[0]!r} twice; once is enough.")
    return tuple(values)


def learner_labels(bases: tuple[Base, ...]) -> tuple[str, ...]:
    """A name for each: the word or the class, numbered from the second of the same name."""
    names = [base if isinstance(base, str) else type(base).__name__ for base in bases]
    earlier = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return tuple(name if count == 1 else f"{name} {count}" for name, count in zip(names, earlier, strict=True))
