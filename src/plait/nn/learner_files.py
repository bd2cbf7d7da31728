"""Fitted scikit-learn estimators as bytes, in the format of skops: no pickle, and no type that is not known to be safe.

skops takes scikit-learn's estimators, and leaves out some of their inner parts. Those listed here are taken as well:
parts that hold numbers and settings alone, and the trees, whose node numbers are checked before they are used.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray
from sklearn.base import BaseEstimator
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.tree import BaseDecisionTree

from plait.data.checks import listed

_KERNELS = ("ConstantKernel", "DotProduct", "Exponentiation", "ExpSineSquared", "Matern", "Product", "RBF")
_SCORES = ("chi2", "f_classif", "f_oneway", "f_regression", "r_regression")
INNER = (
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    *(f"sklearn.feature_selection._univariate_selection.{name}" for name in _SCORES),
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(f"sklearn.gaussian_process.kernels.{name}" for name in (*_KERNELS, "RationalQuadratic", "Sum", "WhiteKernel")),
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""Inner parts of scikit-learn's estimators that are taken beside what skops takes."""


def written_learner(fitted: Any) -> bytes:
    """A fitted estimator, and what belongs to it, as bytes.

    Raises:
        ValueError: If skops cannot write it.
    """
    from skops.io import dumps  # noqa: PLC0415 - takes a second, and only saving needs it
    from skops.io.exceptions import UnsupportedTypeException  # noqa: PLC0415

    try:
        return bytes(dumps(fitted, compression=ZIP_DEFLATED, compresslevel=1))
    except UnsupportedTypeException as error:
        raise ValueError(f"A learner cannot be saved: {error} Use one that skops can write.") from error


def read_learner(content: bytes, trusted: Sequence[str] = ()) -> Any:
    """What `written_learner` wrote.

    Args:
        content: The bytes.
        trusted: Types that may be made beside scikit-learn's own, as "xgboost.sklearn.XGBClassifier".

    Raises:
        ValueError: If they hold other types, or are damaged.
    """
    from skops.io import get_untrusted_types, loads  # noqa: PLC0415 - takes a second, and only loading needs it

    try:
        strange = [name for name in get_untrusted_types(data=content) if name not in (*INNER, *trusted)]
        fitted = None if strange else loads(content, trusted=[*INNER, *trusted])
        sound = all(map(_sound, _parts(fitted)))
    except (BadZipFile, LookupError, TypeError, ValueError, AttributeError, ImportError, EOFError) as error:
        raise ValueError(
            "A fitted learner cannot be read: it is damaged, or was saved with another version of its library "
            f"({type(error).__name__}: {error}). Restore a copy, or load it with the versions that model.json names."
        ) from error
    if strange:
        raise _untrusted(strange)
    if not sound:
        raise ValueError("A fitted learner holds a tree whose nodes lead nowhere: it is damaged. Restore a copy.")
    return fitted


def _untrusted(names: Sequence[str]) -> ValueError:
    return ValueError(
        f"The model holds types that are not known to be safe: {listed(names, 20)}. If it comes from someone you "
        f"trust, name them: load(folder, trusted={list(names)!r})."
    )


def _parts(fitted: Any) -> Iterator[Any]:
    """Everything that is in an object: itself, its attributes, entries, and so on."""
    waiting, seen = [fitted], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | None):
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple | set) or (isinstance(part, ndarray) and part.dtype == object):
            waiting += list(np.ravel(part) if isinstance(part, ndarray) else part)
        elif hasattr(part, "__dict__"):
            waiting += vars(part).values()


def _sound(part: Any) -> bool:
    """Whether the trees of an estimator stay within their nodes and features (scikit-learn does not look)."""
    found = vars(part) if isinstance(part, BaseEstimator) else {}
    if isinstance(part, BaseForest | BaseGradientBoosting):
        trees = np.ravel(found.get("estimators_", [])).tolist()
        alike = all(isinstance(one, BaseDecisionTree) and one.n_features_in_ == part.n_features_in_ for one in trees)
        return alike and (not isinstance(part, BaseGradientBoosting) or _sound_stages(part))
    if isinstance(part, BaseHistGradientBoosting):
        return all(_sound_predictor(one, part) for several in found.get("_predictors", []) for one in several)
    return (
        not isinstance(part, BaseDecisionTree) or "tree_" not in found or _sound_tree(part.tree_, part.n_features_in_)
    )


def _sound_stages(part: Any) -> bool:
    """Whether there is a column of outputs for every tree of a stage, into which it is added."""
    one = np.zeros((1, part.n_features_in_), dtype=np.float32)
    return bool(part._raw_predict_init(one).shape == (1, part.estimators_.shape[1]))


def _sound_tree(tree: Any, features: int) -> bool:
    if not 0 < tree.node_count <= tree.capacity:
        return False
    left, right = tree.children_left.astype(np.int64), tree.children_right.astype(np.int64)
    return _lead_on(left != -1, left, right) and _within(tree.feature[left != -1], features)


def _sound_predictor(predictor: Any, part: BaseEstimator) -> bool:
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    sets = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
    kept = min(len(predictor.raw_left_cat_bitsets), len(predictor.binned_left_cat_bitsets))
    leads = len(nodes) > 0 and _lead_on(inner, nodes["left"].astype(np.int64), nodes["right"].astype(np.int64))
    return leads and _within(nodes["feature_idx"][inner], part.n_features_in_) and _within(sets, kept)


def _lead_on(inner: Bool[ndarray, " node"], left: Int[ndarray, " node"], right: Int[ndarray, " node"]) -> bool:
    """Whether the children of every inner node exist and stand behind it, so that no path is endless."""
    places = np.arange(len(inner))
    return all(_within(child[inner], len(inner)) and bool((child > places)[inner].all()) for child in (left, right))


def _within(numbers: Any, count: int) -> bool:
    return bool(((numbers >= 0) & (numbers < count)).all())
