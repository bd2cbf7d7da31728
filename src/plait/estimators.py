"""FusionClassifier and FusionRegressor: fusion methods as scikit-learn estimators."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from numpy import ndarray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import Tags

from plait.data.forecast import Forecast
from plait.data.settings import check_one_of
from plait.data.tables import Groups
from plait.data.targets import RealTarget, class_codes, target_of
from plait.estimation import Encoder, FusionEstimator
from plait.methods.base import Fitted, Method
from plait.nn.temperature import temperature
from plait.training.splits import HeldOut, holds_nothing
from plait.training.trainer import Trainer

__all__ = ["FusionClassifier", "FusionEstimator", "FusionRegressor"]


class FusionClassifier(ClassifierMixin, FusionEstimator):
    """Predict a class from several modalities.

    Args:
        method: Fusion strategy, for example `MetaFusion()` (the default) or `LateFusion()`.
        modalities: Columns of each modality, where X is one table or array: a mapping of names to lists of column
            names or positions, slices, or patterns such as "rna_*". None: X says itself.
        encoders: The user's torch modules by modality; each maps (batch, *shape) to one row a sample. A module whose
            parameters all have `requires_grad=False` is frozen and evaluated once a sample, others are trained. Or
            layered encoders of `plait.nn.taps`, which are frozen and read values, or texts, as they are: methods read
            their last tap, `SkewPairFusion` all of them.
        cache: Folder in which taps of layered encoders are kept, so that every sample passes an encoder once, ever;
            None keeps nothing.
        scaling: "standard" (every feature to mean 0 and standard deviation 1 over the training samples), or "none".
        validation: Share of the samples held out for early stopping and selection, or a whole number K of folds: then
            K copies of the model are trained, each validated on its fold, and their predictions averaged (K times
            the work, better on small data). None: 5 folds from 20 to below 1000 samples (of `MetaFusion` up to 2000),
            else 0.2. Or one boolean a sample (True is held out; a pandas Series is matched by id, as y is), where it
            must be certain samples: whole records, the last months. 0 holds out nothing: the network takes all of the
            trainer's epochs and keeps its last weights (for methods that choose nothing; losses of validation are then
            NaN).
        calibration: "temperature" divides the outputs by one number before they become probabilities, so that these
            fit the validation samples best, each predicted by a model that was not trained on it (Guo et al., 2017).
            Predicted classes stay the same. None leaves probabilities as they are.
        trainer: Epochs, learning rate and so on; None is `Trainer()`.
        random_state: Seed of the validation split, initial weights and order of samples. The same seed gives the same
            numbers on one machine.
        verbose: 1 shows progress bars on standard error; 0 is silent.

    Attributes:
        classes_: The class labels, sorted.
        method_: The method with everything it searched resolved.
        module_: The trained torch module.
        temperature_: What the outputs are divided by; 1 without calibration, above 1 where they were too sure.
        spec_: Shapes, outputs and task.
        history_: One row an epoch.
        cohort_: The students, where the method has a cohort.
        modality_values_: Shapley values of the modalities, where the method gives them.

    Examples:
        >>> from plait import FusionClassifier, MetaFusion
        >>> FusionClassifier(MetaFusion(), random_state=0).fit(X, y).predict_proba(X_new)  # doctest: +SKIP
    """

    classes_: Shaped[ndarray, " class"]
    temperature_: float = 1.0
    _task = "classification"

    def __init__(
        self,
        method: Method | None = None,
        *,
        modalities: Groups | None = None,
        encoders: Mapping[str, Encoder] | None = None,
        cache: str | PathLike[str] | None = None,
        scaling: str = "standard",
        validation: HeldOut = None,
        calibration: str | None = None,
        trainer: Trainer | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.method = method
        self.modalities = modalities
        self.encoders = encoders
        self.cache = cache
        self.scaling = scaling
        self.validation = validation
        self.calibration = calibration
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
        """Probability of each class, in the order of `classes_`; one row a sample, in the order of the samples."""
        return torch.from_numpy(self._outputs(X) / self.temperature_).softmax(-1).numpy()

    def predict(self, X: Any) -> Shaped[ndarray, " sample"]:
        """The most probable class of each sample."""
        places = self._outputs(X).argmax(1)
        return np.asarray(self.classes_[places])

    def predict_disagreement(self, X: Any) -> Float[ndarray, " sample"]:
        """How far apart the model's own predictors are: what it does not know for want of data, sample by sample.

        The predictors are the students of the ensemble that can read the sample, by their renormalised weights; with
        folds of validation each of them is one predictor a fold (a deep ensemble: Lakshminarayanan et al., 2017). Of
        methods that train one network they are its copies, one a fold. See docs/meta_fusion.md.

        Returns:
            The mutual information between class and predictor, in nats: the entropy of the mean of their class
            probabilities minus the mean of their entropies (Houlsby et al., 2011), before any `calibration`. From 0
            (all say the same, or only one can read the sample) to the logarithm of the number of classes; NaN for a
            sample that none of them can read.

        Raises:
            ValueError: If the model is a single predictor, or the input cannot be used.
        """
        return self._disagreement(X)[:, 0]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy; a pandas target is matched by id, as in fit."""
        modalities = self._read(X)
        return float(super().score(modalities, target_of(y, modalities), sample_weight))

    def _calibrate(self, fitted: Fitted, target: ndarray) -> None:
        self.temperature_ = 1.0
        if self.calibration is None:
            return
        if fitted.validation is None:
            raise ValueError(f"{type(fitted.method).__name__} has no validation predictions to calibrate by.")
        self.temperature_ = temperature(fitted.validation.double().numpy(), target)

    def _read_target(self, y: ndarray) -> Int[ndarray, " sample"]:
        if self.calibration is not None:
            check_one_of("calibration", self.calibration, ("temperature",))
            if holds_nothing(self.validation):
                raise ValueError(
                    f"calibration={self.calibration!r} is fitted on validation samples, but validation=0 holds none "
                    "out. Leave calibration=None, or give a share, for example validation=0.2."
                )
        self.classes_, codes = class_codes(y)
        return codes

    def _strata(self, target: ndarray) -> Int[ndarray, " sample"]:
        return target

    def _encoded(self, target: ndarray, train: ndarray) -> Float[ndarray, "sample out"]:
        return np.asarray(np.eye(len(self.classes_))[target])


class FusionRegressor(RegressorMixin, FusionEstimator):
    """Predict one or several real values from several modalities.

    Args:
        method: Fusion strategy, as in `FusionClassifier`.
        modalities: Columns of each modality, as in `FusionClassifier`.
        encoders: The user's torch modules, or layered encoders, by modality, as in `FusionClassifier`.
        cache: Folder for taps of layered encoders, as in `FusionClassifier`.
        scaling: Scaling of the features, as in `FusionClassifier`.
        target_scaling: "standard" (targets to mean 0 and standard deviation 1 over the training samples) or "none".
        forecast: The series among the modalities that the targets continue; it is then forecast channel by channel,
            its windows normalised one by one (see `plait.Forecast`; for networks that are trained as a whole). None:
            the targets are taken as they are.
        validation: Hold-out share, number of folds, booleans or 0, as in `FusionClassifier`.
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
        encoders: Mapping[str, Encoder] | None = None,
        cache: str | PathLike[str] | None = None,
        scaling: str = "standard",
        target_scaling: str = "standard",
        forecast: Forecast | None = None,
        validation: HeldOut = None,
        trainer: Trainer | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.method = method
        self.modalities = modalities
        self.encoders = encoders
        self.cache = cache
        self.scaling = scaling
        self.target_scaling = target_scaling
        self.forecast = forecast
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
        """Predicted values, in the order of the samples; one-dimensional if the target was."""
        outputs = self._outputs(X)
        return self.target_.decode(outputs)

    def predict_disagreement(self, X: Any) -> Float[ndarray, " sample"]:
        """How far apart the model's own predictors are, who are those of `FusionClassifier.predict_disagreement`.

        Returns:
            Their weighted standard deviation in units of the target, the mean over several targets; 0 where only one of
            them can read the sample, NaN where none can.

        Raises:
            ValueError: If the model is a single predictor, or the input cannot be used.
        """
        return np.asarray((self._disagreement(X) * self.target_.sd).mean(1))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination R2; a pandas target is matched by id, as in fit."""
        modalities = self._read(X)
        return float(super().score(modalities, target_of(y, modalities), sample_weight))

    def _read_target(self, y: ndarray) -> ndarray:
        return y

    def _strata(self, target: ndarray) -> None:
        return None

    def _encoded(self, target: ndarray, train: ndarray) -> Float[ndarray, "sample out"]:
        self.target_ = RealTarget(self.target_scaling).fit(target, train)
        if self.forecast is not None:
            self._check_scalings()
            series, scales = self.forecast.series, self.standardiser_
            self.target_.follow(scales.mean_[series][0], scales.sd_[series][0])
        return self.target_.encode(target)

    def _check_scalings(self) -> None:
        """Raise ValueError if series and target would be in different units."""
        if self.scaling != self.target_scaling:
            raise ValueError(
                f"A forecast needs its series and its targets in the same units: scaling={self.scaling!r} and "
                f"target_scaling={self.target_scaling!r} must be alike."
            )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
