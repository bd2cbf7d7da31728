"""What fitting and predicting have in common, whatever the task and the method: everything that must be right once."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from torch import nn

from plait.data.batches import Batch, TrainingData
from plait.data.checks import check_outputs
from plait.data.forecast import Forecast
from plait.data.modalities import Modalities
from plait.data.reading import read_new_samples, read_samples
from plait.data.scaling import Standardiser
from plait.data.settings import seed_from
from plait.data.spec import DataSpec, Task, own_modules
from plait.data.tables import Groups
from plait.data.targets import check_order_is_known, group_codes, target_of
from plait.methods.base import Fitted, Method
from plait.methods.meta import MetaFusion
from plait.methods.skew_pair import FINDINGS, SkewPairFusion
from plait.nn.committee import Committee, Disagreement
from plait.nn.module import evaluate
from plait.nn.taps.base import LayeredEncoder
from plait.nn.taps.cache_samples import SampleCache
from plait.nn.taps.reading import TapReader, check_unchanged, layered, marks, of_sample
from plait.skew.findings import Findings
from plait.training.course import Course
from plait.training.splits import HeldOut, Labels, holds_nothing, validation_folds
from plait.training.trainer import Trainer

Encoder = nn.Module | LayeredEncoder
Part = TypeVar("Part", Method, Trainer)
_PARTS: dict[str, type] = {"method": MetaFusion, "trainer": Trainer}


class FusionEstimator(BaseEstimator, ABC):
    """What both estimators share; see them for the parameters."""

    _task: ClassVar[Task]
    method: Method | None
    modalities: Groups | None
    encoders: Mapping[str, Encoder] | None
    cache: str | PathLike[str] | None
    scaling: str
    forecast: Forecast | None = None
    validation: HeldOut
    trainer: Trainer | None
    random_state: Any
    verbose: int

    def set_params(self, **params: Any) -> "FusionEstimator":
        """Set parameters, also of parts; a part that is None becomes the default one where its own are set."""
        for name, default in _PARTS.items():
            nested = any(key.startswith(f"{name}__") for key in params)
            if nested and params.get(name, getattr(self, name)) is None:
                params[name] = default()
        return super().set_params(**params)  # type: ignore[no-any-return]

    def _fit(self, X: Any, y: Any, groups: Any) -> None:
        self.__dict__.pop("module_", None)  # a fit that fails leaves no model of two halves
        method: Method = _part("method", self.method, Method, MetaFusion())
        trainer = _part("trainer", self.trainer, Trainer, Trainer())
        trainer.check()
        _check_forecast(method, self.forecast)
        modalities = read_samples(self, X, self.modalities)
        check_order_is_known(X, y, modalities)
        target = self._read_target(target_of(y, modalities))
        labels = None if groups is None else group_codes(groups, modalities)
        seed = seed_from(self.random_state)
        strata, many = self._strata(target), method.folds_below if method.folds_allowed else 0
        held, needed = _held_out(self.validation, method, X, modalities), method.validation_needed
        folds = validation_folds(len(modalities), held, strata, labels, seed, many=many, needed=needed)
        data = self._learn_from(modalities, target, folds, trainer, method)
        if labels is not None:
            data = replace(data, groups=torch.from_numpy(labels))
        with of_sample(modalities.ids, data.samples.features):
            fitted = method.fit(Course(trainer, data, seed, self.verbose))
        self._calibrate(fitted, target[folds >= 0])
        self.method_, self.module_, self.history_ = fitted.method, fitted.module.cpu().eval(), fitted.history
        self.tables_ = dict(fitted.tables)

    def _learn_from(
        self, modalities: Modalities, target: ndarray, folds: Labels, trainer: Trainer, method: Method
    ) -> TrainingData:
        """Scaled samples; spec, columns and scaling are learned on the way."""
        copies = max(1, int(folds.max()) + 1)
        train = (folds < 0) | (copies > 1)
        self.columns_, self.raw_shapes_ = dict(modalities.columns), _shapes(modalities)
        reader = self._reader(method.tap_pooling)
        self.encoder_marks_ = marks(reader.encoders)
        modalities, taps = reader.read(modalities)
        shapes = _shapes(modalities)
        if self.forecast is not None:
            self.forecast.check(shapes, target.size // len(target), self._task)
            modalities = self.forecast.without_gaps(modalities)
        series = None if self.forecast is None else self.forecast.series
        self.standardiser_ = Standardiser(self.scaling).fit(modalities, train, series)
        encoded = self._encoded(target, train)
        encoders = own_modules(self.encoders, apart=reader.encoders)
        self.spec_ = DataSpec(shapes, encoded.shape[1], self._task, encoders, copies, self.forecast, taps)
        features, present = self._tensors(modalities, trainer.dtype)
        samples = Batch(features, present, torch.from_numpy(encoded).to(trainer.dtype), torch.from_numpy(folds))
        return TrainingData(samples, self.spec_)

    def _read(self, X: Any) -> Modalities:
        """New samples with the modalities of the fit, as they are."""
        check_is_fitted(self, "module_")
        return read_new_samples(self, X, self.modalities, self.raw_shapes_, self.columns_)

    def _read_as_fitted(self, X: Any) -> Modalities:
        """New samples as the model reads them: taps of layered encoders, no gaps in the series that it forecasts."""
        modalities = self._read(X)
        reader = self._reader(self.method_.tap_pooling)
        check_unchanged(reader.encoders, self.encoder_marks_)
        highest, widths = self.method_.highest_taps(self.spec_), self.spec_.taps or self._last_taps()
        modalities, _ = reader.read(modalities, highest, widths)
        return modalities if self.spec_.forecast is None else self.spec_.forecast.without_gaps(modalities)

    def _last_taps(self) -> dict[str, tuple[int, ...]]:
        """Widths of what is read of layered encoders by a method that reads their last tap alone."""
        return {name: (self.spec_.width(name),) for name in self.encoder_marks_}

    def _reader(self, pool: str | None) -> TapReader:
        """What reads the modalities that have a layered encoder."""
        return TapReader(layered(self.encoders), SampleCache(self.cache, verbose=self.verbose), pool)

    def _tensors(self, modalities: Modalities, dtype: torch.dtype) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Scaled features and who is present."""
        values = self.standardiser_.transform(modalities)
        features = {name: torch.from_numpy(value).to(dtype) for name, value in values.items()}
        return features, torch.tensor(modalities.present)

    def _outputs(self, X: Any) -> Float[ndarray, "sample out"]:
        """The module's outputs.

        Raises:
            ValueError: If a sample's values are so large that its output is not finite.
        """
        modalities = self._read_as_fitted(X)
        outputs = self._evaluated(self.module_, modalities)
        check_outputs(outputs, modalities.ids)
        return outputs

    def _disagreement(self, X: Any) -> Float[ndarray, "sample out"]:
        """How far the predictors of the module are apart; NaN for samples that none of them can read.

        Raises:
            ValueError: If there are not two of them, or a sample's values are so large that one is not finite.
        """
        check_is_fitted(self, "module_")
        if not isinstance(self.module_, Committee) or self.module_.seats < 2:
            raise ValueError(
                f"This {type(self.method_).__name__} is a single predictor, which cannot disagree with itself. "
                "MetaFusion and LateFusion have several students, and with validation=5 (folds) every method that "
                "trains networks has five copies, each trained on other samples."
            )
        modalities = self._read_as_fitted(X)
        found = self._evaluated(Disagreement(self.module_, self._task), modalities)
        check_outputs(np.where(np.isnan(found), 0.0, found), modalities.ids)
        return found

    def _evaluated(self, module: nn.Module, modalities: Modalities) -> Float[ndarray, "sample out"]:
        """What a module says in double precision, so that it does not depend on the sample's neighbours.

        The user's own encoders may insist on the precision they came in: models that have some stay in single.
        """
        dtype = torch.float32 if self.spec_.encoders else torch.float64
        features, present = self._tensors(modalities, dtype)
        with of_sample(modalities.ids, features):
            return np.asarray(evaluate(copy.deepcopy(module).to(dtype), features, present).double().numpy())

    @property
    def search_(self) -> Findings:
        """What a search of pairs came to: maps, intervals, verdict, and `report(path)`.

        Raises:
            AttributeError: If there was none: of other methods, where pairs were given, and of one modality.
        """
        known = {name.removeprefix(FINDINGS): self.tables_[name] for name in self.tables_ if name.startswith(FINDINGS)}
        if not known:
            check_is_fitted(self, "module_")
            raise AttributeError(f"{type(self.method_).__name__} has no search_: {self._why_no_search()}")
        return Findings.from_tables(known)

    def _why_no_search(self) -> str:
        if not isinstance(self.method_, SkewPairFusion):
            return "only SkewPairFusion searches for pairs."
        if len(self.spec_.shapes) == 1:
            return f"with one modality there is nothing to pair, and its best tap is read, {self.method_.tap}."
        return "its pairs were given (pairs=None searches)."

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
            known = ", ".join(dict.fromkeys(f"{table.partition('/')[0]}_" for table in self.tables_)) or "no findings"
            raise AttributeError(f"{type(self.method_).__name__} has no {name}_; it has {known}.")
        return self.tables_[name]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _calibrate(self, fitted: Fitted, target: ndarray) -> None:
        """Fit what follows the outputs, on those of the validation samples; nothing by default."""

    @abstractmethod
    def _read_target(self, y: ndarray) -> ndarray:
        """The target checked: class codes, or real values as they came."""

    @abstractmethod
    def _strata(self, target: ndarray) -> Int[ndarray, " sample"] | None:
        """Class codes to stratify the validation by; None for none."""

    @abstractmethod
    def _encoded(self, target: ndarray, train: ndarray) -> Float[ndarray, "sample out"]:
        """The target as it is trained on."""


def _shapes(modalities: Modalities) -> dict[str, tuple[int, ...]]:
    return {name: tuple(map(int, shape)) for name, shape in modalities.sample_shapes.items()}


def _check_forecast(method: Method, forecast: Any) -> None:
    """Raise ValueError if the method cannot continue a series, TypeError if the forecast is none."""
    if forecast is None:
        return
    if not isinstance(forecast, Forecast):
        series = forecast if isinstance(forecast, str) else Forecast().series
        raise TypeError(f"forecast must be a Forecast or None, got {forecast!r}. Pass forecast=Forecast({series!r}).")
    if not method.forecasts:
        raise ValueError(
            f"{type(method).__name__} cannot forecast channel by channel. Use a method that trains one network, for "
            "example StepFusion(), CrossAttentionFusion() or GatedFusion(), or leave `forecast` out."
        )


def _held_out(validation: Any, method: Method, X: Any, modalities: Modalities) -> Any:
    """The validation asked for; booleans in the order of the samples."""
    if holds_nothing(validation) and method.validation_needed:
        raise ValueError(
            f"{type(method).__name__} chooses by validation samples, but validation={validation!r} holds none out. "
            "Give a share between 0 and 1, or 2 folds or more."
        )
    if not np.ndim(validation):
        return validation
    check_order_is_known(X, validation, modalities, "validation")
    return target_of(validation, modalities, "validation")


def _part(name: str, given: Any, kind: type[Part], default: Part) -> Part:
    """The part given, as a copy of its own, or the default."""
    if given is None:
        return default
    if not isinstance(given, kind):
        raise TypeError(f"{name} must be one such as {default!r}, or None; got {given!r}.")
    return clone(given)  # type: ignore[no-any-return]
