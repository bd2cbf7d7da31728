"""Save and load fitted estimators: a folder of text and tensors, never a pickle; nothing in it is executed.

model.json holds format number, estimator, resolved method, spec, findings and versions; weights.safetensors every
tensor of the module, and the scaling of features and target.
"""

import copy
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

import plait
from plait import methods
from plait.data.checks import listed
from plait.data.forecast import Forecast
from plait.data.scaling import Standardiser
from plait.data.spec import DataSpec
from plait.data.targets import RealTarget
from plait.data.text import Classes, from_text, to_text
from plait.estimation import Encoder
from plait.estimators import FusionClassifier, FusionEstimator, FusionRegressor
from plait.nn.extractors import is_frozen
from plait.nn.learners import trust
from plait.nn.module import FusionModule
from plait.nn.taps.base import LayeredEncoder
from plait.nn.taps.reading import check_unchanged, layered
from plait.nn.taps.text import from_words, in_words
from plait.training.trainer import Trainer

FORMAT = 1
_MODEL, _WEIGHTS = "model.json", "weights.safetensors"
_ESTIMATORS: dict[str, type[FusionEstimator]] = {kind.__name__: kind for kind in (FusionClassifier, FusionRegressor)}
_CLASSES: dict[str, type] = {
    "Forecast": Forecast,
    "Trainer": Trainer,
    **{name: getattr(methods, name) for name in methods.__all__},
}
_FITTED = (
    "raw_shapes_",
    "encoder_marks_",
    "classes_",
    "temperature_",
    "n_features_in_",
    "feature_names_in_",
    "columns_",
    "history_",
    "tables_",
)
_KEYS = ("estimator", "params", "method", "spec", "encoders", "target", "fitted", "weights_sha256", "versions")
_MODULE, _SCALING, _TARGET = "module/", "scaling/", "target/"


def save(estimator: FusionEstimator, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a fitted estimator into a folder, all of it or nothing.

    The user's own modules are saved by their weights alone: `load` needs them again. Of layered encoders nothing is
    saved but a fingerprint, and of `MiniLM` its settings, from which `load` makes it anew.

    Args:
        estimator: A fitted FusionClassifier or FusionRegressor.
        folder: Where to write; its parent must exist.
        overwrite: Replace a saved model that is already there (never any other folder).

    Returns:
        The folder.

    Raises:
        TypeError: If it is another estimator: of a pipeline, save the last step.
        NotFittedError: If the estimator is not fitted.
        FileExistsError: If the folder exists and is not to be overwritten, or holds no saved model.
        ValueError: If a parameter cannot be written as text.
    """
    _check_own(estimator)
    check_is_fitted(estimator, "module_")
    folder = Path(folder)
    if folder.exists() and not (overwrite and (folder / _MODEL).is_file()):
        raise FileExistsError(
            f"{folder} exists{' and holds no saved model' if overwrite else ''}. Choose another folder"
            + ("." if overwrite else ", or pass overwrite=True to replace a saved model.")
        )
    if not folder.resolve().parent.is_dir():
        raise FileNotFoundError(
            f"{folder} cannot be made: there is no folder {folder.resolve().parent}. Make it first."
        )
    weights = save_tensors(_tensors(estimator))
    described = json.dumps(_described(estimator, weights), indent=1, ensure_ascii=False, allow_nan=False)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        (new / _MODEL).write_text(described, encoding="utf-8")
        (new / _WEIGHTS).write_bytes(weights)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        new.rename(folder)
    return folder


def load(
    folder: str | os.PathLike[str],
    *,
    encoders: Mapping[str, Encoder] | None = None,
    trusted: Collection[str] = (),
) -> FusionClassifier | FusionRegressor:
    """Read a fitted estimator back; it predicts what it predicted when it was saved.

    Args:
        folder: Where `save` wrote.
        encoders: The user's own modules, where the estimator had some; their weights are read from the file. Layered
            encoders are not in the file: give those of the fit. Only `MiniLM` is made anew where none is given.
        trusted: Types that a learner may be made of beside scikit-learn's own, by their path, for example
            ["xgboost.sklearn.XGBClassifier"]. They can run code of their own: name them only if you trust the file.

    Raises:
        FileNotFoundError: If the folder or one of its files is not there.
        ValueError: If a file is damaged, was written by a newer plait, encoders are missing or are others than in the
            fit, or a learner is made of types that are not trusted (the message names them).
        ImportError: If `MiniLM` is to be made anew and its packages are not installed.
    """
    folder = Path(folder)
    saved, weights = read_description(folder), _read_bytes(folder / _WEIGHTS)
    if hashlib.sha256(weights).hexdigest() != saved.get("weights_sha256"):
        raise _damaged(folder / _WEIGHTS, "its content is not what was saved (the checksum differs)")
    try:
        tensors = load_tensors(weights)
        with_taps = _with_taps(saved, encoders or {})
        given = _checked_encoders(saved["encoders"], {k: v for k, v in (encoders or {}).items() if k not in with_taps})
        classes = Classes(_CLASSES, trusted)
        every = {**given, **with_taps} or None
        estimator = _ESTIMATORS[saved["estimator"]](**from_text(saved["params"], classes), encoders=every)
        estimator.spec_ = DataSpec.from_json(saved["spec"], given)
        estimator.method_ = from_text(saved["method"], classes)
        estimator.module_ = _module(estimator, _below(tensors, _MODULE), trusted)
        _restore(estimator, saved, tensors)
    except (KeyError, TypeError, RuntimeError, SafetensorError) as error:
        hint = " The encoders given may not be those of the saved model." if encoders else ""
        raise _damaged(folder, f"{type(error).__name__}: {error}.{hint}") from error
    return estimator


def _check_own(estimator: Any) -> None:
    """Raise TypeError if it is no estimator of plait."""
    if not isinstance(estimator, FusionEstimator):
        raise TypeError(
            f"save writes a FusionClassifier or FusionRegressor, not a {type(estimator).__name__}. Of a pipeline save "
            "the last step, save(pipeline[-1], folder), and make its other steps again, or keep them with skops; "
            "of a search save(search.best_estimator_, folder)."
        )


def _tensors(estimator: FusionEstimator) -> dict[str, Tensor]:
    module = estimator.module_.state_dict()
    tensors = {f"{_MODULE}{name}": value.detach().cpu().contiguous().clone() for name, value in module.items()}
    arrays = {f"{_SCALING}{name}": value for name, value in estimator.standardiser_.state().items()}
    if isinstance(estimator, FusionRegressor):
        arrays |= {f"{_TARGET}mean": estimator.target_.mean, f"{_TARGET}sd": estimator.target_.sd}
    return tensors | {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}


def _described(estimator: FusionEstimator, weights: bytes) -> dict[str, Any]:
    params = estimator.get_params(deep=False)
    given = params.pop("encoders") or {}
    frozen = {name: is_frozen(module) for name, module in given.items() if name not in estimator.encoder_marks_}
    params.pop("cache")  # a folder of this machine
    if not isinstance(params["random_state"], int | np.integer | None):
        params["random_state"] = None  # a generator has no text
    if np.ndim(params["validation"]):
        params["validation"] = None  # booleans are of the samples of this fit
    packages = {"plait": plait.__version__, "torch": torch.__version__, "scikit-learn": sklearn.__version__}
    fitted = {name: getattr(estimator, name) for name in _FITTED if hasattr(estimator, name)}
    return {
        "format": FORMAT,
        "estimator": type(estimator).__name__,
        "params": to_text(params),
        "method": to_text(estimator.method_),
        "spec": estimator.spec_.to_json(),
        "encoders": frozen,
        "text_encoders": in_words(layered(estimator.encoders)),
        "target": {"single": estimator.target_.single} if isinstance(estimator, FusionRegressor) else None,
        "fitted": to_text(fitted),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, **packages},
    }


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; a saved model is a folder with {_MODEL} and {_WEIGHTS}.")
    return path.read_bytes()


def read_description(folder: Path) -> dict[str, Any]:
    """What model.json says, as it stands there.

    Args:
        folder: Where `save` wrote.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is damaged, or was written by a newer plait.
    """
    path = folder / _MODEL
    try:
        saved = json.loads(_read_bytes(path).decode("utf-8"))
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    number = saved.get("format") if isinstance(saved, dict) else None
    if not isinstance(number, int):
        raise _damaged(path, "it has no format number")
    if number > FORMAT:
        raise ValueError(
            f"{path} was written by a newer plait (format {number}; this one, {plait.__version__}, reads up to "
            f"{FORMAT}). Update plait."
        )
    described: dict[str, Any] = saved
    lacking = [key for key in _KEYS if key not in described]
    if lacking:
        raise _damaged(path, f"it has no {listed(lacking)}")
    return described


def _damaged(path: Path, reason: str) -> ValueError:
    return ValueError(f"{path} is damaged or no saved model ({reason}). Save the model again, or restore a copy.")


def _with_taps(saved: Mapping[str, Any], given: Mapping[str, Encoder]) -> dict[str, LayeredEncoder]:
    """The layered encoders of the fit: those given, and those that the file describes.

    Raises:
        ValueError: If one is missing, or not the one of the fit.
    """
    marks, described = saved["fitted"].get("encoder_marks_", {}), saved.get("text_encoders", {})
    lacking = [name for name in marks if name not in given and name not in described]
    if lacking:
        raise ValueError(
            f"The model was fitted with layered encoders for {listed(marks)}; the file cannot say those of "
            f"{listed(lacking)}. In Python give them again: load(folder, encoders={{{lacking[0]!r}: ...}})."
        )
    anew = from_words({name: one for name, one in described.items() if name not in given})
    found = {**anew, **layered(given)}
    check_unchanged(found, marks)
    return found


def _checked_encoders(saved: Mapping[str, bool], given: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Copies of the user's modules, which the weights of the file go into."""
    if set(saved) != set(given):
        raise ValueError(
            f"The model was fitted with encoders for {listed(saved) or 'no modality'}, given are "
            f"{listed(given) or 'none'}. Pass the same modules: load(folder, encoders={{...}})."
        )
    for name, frozen in saved.items():
        if is_frozen(given[name]) != frozen:
            raise ValueError(
                f"The encoder of modality '{name}' was {'frozen' if frozen else 'trained'} when the model was saved. "
                f"Pass module.requires_grad_({not frozen})."
            )
    return {name: copy.deepcopy(given[name]) for name in saved}


def _module(estimator: FusionEstimator, state: Mapping[str, Tensor], trusted: Collection[str]) -> FusionModule:
    """The module with its weights, in the precision of the file, and its learners."""
    module = estimator.method_.build(estimator.spec_).eval()
    trust(module, trusted)
    module.load_state_dict(state, assign=True)
    return module


def _restore(estimator: FusionEstimator, saved: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Everything else that fit would have set."""
    scaling = {name: value.numpy() for name, value in _below(tensors, _SCALING).items()}
    estimator.standardiser_ = Standardiser.from_state(scaling, estimator.scaling)
    for name, value in from_text(saved["fitted"], _CLASSES).items():
        setattr(estimator, name, value)
    if not hasattr(estimator, "raw_shapes_"):  # of a file from before there were layered encoders
        estimator.raw_shapes_, estimator.encoder_marks_ = dict(estimator.spec_.shapes), {}
    if isinstance(estimator, FusionRegressor):
        estimator.target_ = RealTarget(estimator.target_scaling)
        estimator.target_.single = saved["target"]["single"]
        estimator.target_.mean, estimator.target_.sd = (tensors[f"{_TARGET}{part}"].numpy() for part in ("mean", "sd"))


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
