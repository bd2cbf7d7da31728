"""FusionClassifier and FusionRegressor: everything that must be right once, whatever the method."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from plait.data.batches import Batch, TrainingData
from plait.data.checks import listed
from plait.data.convert import as_modalities
from plait.data.matching import matched
from plait.data.modalities import Modalities
from plait.data.scaling import Standardiser
from plait.data.spec import DataSpec
from plait.data.tables import Groups
from plait.data.targets import ClassTarget, RealTarget, target_of
from plait.methods.base import Method
from plait.methods.meta import MetaFusion
from plait.nn.module import evaluate
from plait.training.course import Course
from plait.training.splits import validation_folds
from plait.training.trainer import Trainer


class FusionEstimator(BaseEstimator, ABC):  # type: ignore[misc]
    """What both estimators share; see them for the parameters."""

    method: Method | None
    modalities: Groups | None
    encoders: Mapping[str, nn.Module] | None
    scaling: str
    validation: float | int
    trainer: Trainer | None
    random_state: Any
    verbose: int

    def _fit(self, X: Any, y: Any, groups: Any) -> None:
        modalities = self._read(X, reset=True)
        _refuse_empty_rows(modalities)
        target = target_of(y, modalities)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        groups = None if groups is None else _group_labels(groups, modalities)
        folds = validation_folds(len(modalities), self.validation, self._strata(target), groups, seed % 2**31)
        train = folds != 0 if isinstance(self.validation, float) else np.ones(len(folds), dtype=bool)
        encoded = self._fit_target(target, train)
        shapes = {name: tuple(map(int, shape)) for name, shape in modalities.sample_shapes.items()}
        encoders = dict(self.encoders or {})
        self.spec_ = DataSpec(shapes, encoded.shape[1], self._task, encoders, int(folds.max()) + 1)
        self.columns_ = dict(modalities.columns)
        self.standardiser_ = Standardiser(self.scaling).fit(modalities, train)
        data = TrainingData(self._batch(modalities, encoded, folds), self.spec_)
        self._learn(Course(self.trainer or Trainer(), data, seed, self.verbose))

    def _learn(self, course: Course) -> None:
        method: Method = MetaFusion() if self.method is None else clone(self.method)
        if not isinstance(method, Method):
            raise TypeError(f"method must be a fusion method such as MetaFusion(), got {type(method).__name__}.")
        fitted = method.fit(course)
        self.method_, self.module_, self.history_ = fitted.method, fitted.module.cpu().eval(), fitted.history
        self.tables_ = dict(fitted.tables)

    def _read(self, X: Any, *, reset: bool) -> Modalities:
        """Modalities of the input; a plain table goes through scikit-learn's own checks first."""
        if _is_plain(X) and self.modalities is None:
            X = _plain(self, X, reset=reset)
        elif reset:
            self._forget_plain()
        modalities = as_modalities(X, self.modalities)
        return modalities if reset else matched(modalities, self.spec_.shapes, self.columns_)

    def _forget_plain(self) -> None:
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                delattr(self, name)

    def _batch(self, modalities: Modalities, target: ndarray, folds: ndarray) -> Batch:
        values = self.standardiser_.transform(modalities)
        features = {name: torch.from_numpy(value).float() for name, value in values.items()}
        present = torch.from_numpy(modalities.present)
        return Batch(features, present, torch.from_numpy(target).float(), torch.from_numpy(folds))

    def _outputs(self, X: Any) -> Float[ndarray, "sample out"]:
        """The module's outputs, in double precision: a sample's prediction does not depend on its neighbours."""
        check_is_fitted(self, "module_")
        modalities = self._read(X, reset=False)
        _refuse_empty_rows(modalities)
        values = self.standardiser_.transform(modalities)
        features = {name: torch.from_numpy(value) for name, value in values.items()}
        module = copy.deepcopy(self.module_).double()
        return evaluate(module, features, torch.from_numpy(modalities.present)).numpy()

    @property
    def cohort_(self) -> pd.DataFrame:
        """The students of the cohort, one row each."""
        return self._table("cohort")

    @property
    def modality_values_(self) -> pd.DataFrame:
        """What every modality is worth: Shapley values of the fall in validation loss."""
        return self._table("modality_values")

    def _table(self, name: str) -> pd.DataFrame:
        check_is_fitted(self, "module_")
        if name not in self.tables_:
            raise AttributeError(f"{type(self.method_).__name__} has no {name}_; it has {sorted(self.tables_)}.")
        return self.tables_[name]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    @abstractmethod
    def _task(self) -> str:
        """The task, as in the spec."""

    @abstractmethod
    def _strata(self, y: ndarray) -> ndarray | None:
        """Class codes to stratify the validation by; None for none."""

    @abstractmethod
    def _fit_target(self, y: ndarray, train: ndarray) -> Float[ndarray, "sample out"]:
        """Learn how the target is encoded, and encode it."""


class FusionClassifier(ClassifierMixin, FusionEstimator):  # type: ignore[misc]
    """Predict a class from several modalities.

    Args:
        method: Fusion strategy, for example `MetaFusion()` (the default) or `LateFusion()`.
        modalities: Columns of each modality, where X is one table or array: a mapping of names to lists of column
            names or positions, slices, or patterns such as "rna_*". None: X says itself.
        encoders: The user's torch modules by modality; each maps (batch, *shape) to one row a sample. A module whose
            parameters all have `requires_grad=False` is frozen and evaluated once a sample, others are trained.
        scaling: "standard" (every feature to mean 0 and standard deviation 1 over the training samples), or "none".
        validation: Share of the samples held out for early stopping and selection, or a whole number K of folds: then
            K copies of the model are trained, each validated on its fold, and their predictions averaged (K times
            the work, better on small data).
        trainer: Epochs, learning rate and so on; None is `Trainer()`.
        random_state: Seed of the validation split, initial weights and order of samples. The same seed gives the same
            numbers on one machine.
        verbose: 1 shows progress bars on standard error; 0 is silent.

    Attributes:
        classes_: The class labels, sorted.
        method_: The method with everything it searched resolved.
        module_: The trained torch module.
        spec_: Shapes, outputs and task.
        history_: One row an epoch.
        cohort_: The students, where the method has a cohort.
        modality_values_: Shapley values of the modalities, where the method gives them.

    Examples:
        >>> from plait import FusionClassifier, MetaFusion
        >>> FusionClassifier(MetaFusion(), random_state=0).fit(X, y).predict_proba(X_new)  # doctest: +SKIP
    """

    _task = "classification"

    def __init__(
        self,
        method: Method | None = None,
        *,
        modalities: Groups | None = None,
        encoders: Mapping[str, nn.Module] | None = None,
        scaling: str = "standard",
        validation: float | int = 0.2,
        trainer: Trainer | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.method = method
        self.modalities = modalities
        self.encoders = encoders
        self.scaling = scaling
        self.validation = validation
        self.trainer = trainer
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, groups: Any = None) -> "FusionClassifier":
        """Fit on samples with their classes.

        Args:
            X: `Modalities`, a mapping of names to arrays or tables, a list of arrays, a DataFrame, or a 2-D array.
            y: One class label a sample; a pandas Series is matched by id where the samples have ids.
            groups: Group of each sample; the validation never divides a group.

        Raises:
            ValueError: If the input cannot be used; the message names modality, row or column, and what to do.
        """
        self._fit(X, y, groups)
        return self

    def predict_proba(self, X: Any) -> Float[ndarray, "sample out"]:
        """Probability of each class, in the order of `classes_`."""
        return torch.from_numpy(self._outputs(X)).softmax(-1).numpy()

    def predict(self, X: Any) -> ndarray:
        """The most probable class of each sample."""
        return np.asarray(self.classes_[self._outputs(X).argmax(1)])

    def _strata(self, y: ndarray) -> ndarray:
        return ClassTarget().fit(y).codes(y)

    def _fit_target(self, y: ndarray, train: ndarray) -> Float[ndarray, "sample out"]:  # noqa: ARG002
        target = ClassTarget().fit(y)
        self.classes_ = target.classes
        return target.encode(y)


class FusionRegressor(RegressorMixin, FusionEstimator):  # type: ignore[misc]
    """Predict one or several real values from several modalities.

    Args:
        method: Fusion strategy, as in `FusionClassifier`.
        modalities: Columns of each modality, as in `FusionClassifier`.
        encoders: The user's torch modules by modality, as in `FusionClassifier`.
        scaling: Scaling of the features, as in `FusionClassifier`.
        target_scaling: "standard" (targets to mean 0 and standard deviation 1 over the training samples) or "none".
        validation: Hold-out share or number of folds, as in `FusionClassifier`.
        trainer: Epochs, learning rate and so on; None is `Trainer()`.
        random_state: Seed, as in `FusionClassifier`.
        verbose: 1 shows progress bars on standard error; 0 is silent.

    Attributes:
        method_: The method with everything it searched resolved.
        module_: The trained torch module; it predicts scaled targets.
        target_: Mean and standard deviation of the targets.
        spec_: Shapes, outputs and task.
        history_: One row an epoch; losses are of scaled targets.
        cohort_: The students, where the method has a cohort.
        modality_values_: Shapley values of the modalities, where the method gives them.
    """

    _task = "regression"

    def __init__(
        self,
        method: Method | None = None,
        *,
        modalities: Groups | None = None,
        encoders: Mapping[str, nn.Module] | None = None,
        scaling: str = "standard",
        target_scaling: str = "standard",
        validation: float | int = 0.2,
        trainer: Trainer | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.method = method
        self.modalities = modalities
        self.encoders = encoders
        self.scaling = scaling
        self.target_scaling = target_scaling
        self.validation = validation
        self.trainer = trainer
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, groups: Any = None) -> "FusionRegressor":
        """Fit on samples with their targets.

        Args:
            X: `Modalities`, a mapping of names to arrays or tables, a list of arrays, a DataFrame, or a 2-D array.
            y: One value a sample, or one row of several; pandas objects are matched by id where samples have ids.
            groups: Group of each sample; the validation never divides a group.

        Raises:
            ValueError: If the input cannot be used; the message names modality, row or column, and what to do.
        """
        self._fit(X, y, groups)
        return self

    def predict(self, X: Any) -> Float[ndarray, "sample *out"]:
        """Predicted values; one-dimensional if the target was."""
        return self.target_.decode(self._outputs(X))

    def _strata(self, y: ndarray) -> None:  # noqa: ARG002
        return None

    def _fit_target(self, y: ndarray, train: ndarray) -> Float[ndarray, "sample out"]:
        self.target_ = RealTarget(self.target_scaling).fit(y, train)
        return self.target_.encode(y)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _is_plain(X: Any) -> bool:
    """Whether X is one table: not several modalities, and not a table that is divided by its columns."""
    if isinstance(X, pd.DataFrame):
        return X.columns.nlevels == 1
    if isinstance(X, Modalities | Mapping) or hasattr(X, "mod"):
        return False
    return not (isinstance(X, list | tuple) and any(part is None or np.ndim(part) > 1 for part in X))


def _plain(estimator: BaseEstimator, X: Any, *, reset: bool) -> pd.DataFrame | ndarray:
    """One table after scikit-learn's checks (two axes, numbers, same columns as in fit); NaN is allowed."""
    values: ndarray = validate_data(estimator, X, reset=reset, ensure_all_finite="allow-nan", dtype="numeric")
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame(values, index=X.index, columns=X.columns)
    return values


def _refuse_empty_rows(modalities: Modalities) -> None:
    empty = ~modalities.present.any(1)
    if empty.any():
        raise ValueError(
            f"{empty.sum()} sample(s) have no modality at all: ids {listed(modalities.ids[empty])}. "
            "Nothing can be learned from or said of them; leave them out, for example X[X.present.any(1)]."
        )


def _group_labels(groups: Any, modalities: Modalities) -> ndarray:
    """One code a sample, in the samples' order."""
    labels = target_of(groups, modalities)
    if labels.ndim > 1 or pd.isna(labels).any():
        raise ValueError("groups must have one label a sample, none of them missing.")
    return np.asarray(pd.factorize(labels)[0])
