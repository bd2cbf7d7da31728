"""Promises about what is kept: parameters, weights, saved models, the user's modules."""

import copy
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray
from sklearn.base import clone
from torch import Tensor, nn

from plait import methods
from plait.data.batches import TrainingData
from plait.data.modalities import Modalities
from plait.data.text import Classes, from_text, to_text
from plait.estimators import FusionClassifier, FusionRegressor
from plait.methods.base import Fitted, Method
from plait.persistence import load, save
from plait.testing.trial import (
    EVERYTHING,
    FOLDS,
    THREE,
    VECTOR_AND_SERIES,
    Problem,
    Scope,
    fit,
    outputs,
    require,
    small_samples,
)
from plait.training.trainer import Trainer

_STARTS = 5


def check_parameters(method: Method, scope: Scope = EVERYTHING) -> None:
    """Hyperparameters are stored as given, survive clone and text, and are not changed by fitting.

    Raises:
        AssertionError: If one of these does not hold.
    """
    before, said = method.get_params(deep=False), repr(method)
    require(
        type(method).__name__ in said,
        method,
        f"its repr is {said!r}.",
        "Declare the class as @dataclass(repr=False, eq=False), so that scikit-learn's repr is kept.",
    )
    rebuilt = type(method)(**before)
    stored = rebuilt.get_params(deep=False)
    changed = [name for name, value in before.items() if stored[name] is not value]
    require(
        not changed,
        method,
        f"the constructor changes the parameters {changed}.",
        "Only store them; check and convert in fit and build.",
    )
    for kind, other in {"clone": clone(method), "its text (plait.data.text)": _from_text(method)}.items():
        require(
            repr(other) == said and set(other.get_params(deep=False)) == set(before),
            method,
            f"{kind} gives {other!r}, not {said}.",
            "Parameters must be numbers, strings, tuples, mappings, or objects with get_params.",
        )
    fit(method, small_samples(scope.problems[0]))
    after = method.get_params(deep=False)
    require(
        all(after[name] is value for name, value in before.items()) and repr(method) == said,
        method,
        f"fitting changes it into {method!r}.",
        "Return the resolved method as a new object in `Fitted.method`.",
    )


def _from_text(method: Method) -> Method:
    """The method written as JSON and read again."""
    kinds = {type(part) for part in (method, *method.get_params(deep=True).values()) if hasattr(part, "get_params")}
    known = Classes(
        {kind.__name__: kind for kind in kinds}, {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds}
    )
    read: Method = from_text(json.loads(json.dumps(to_text(method))), known)
    return read


def check_rebuilding(method: Method, scope: Scope = EVERYTHING) -> None:
    """`build(spec)` of the resolved method takes the fitted weights, and predicts what the fitted module predicts.

    Raises:
        AssertionError: If it does not.
    """
    folds = FOLDS if method.folds_allowed else 1
    data = small_samples(scope.problems[0], THREE, folds=folds, absent=0.3)
    fitted = fit(method, data)
    built = _from_text(fitted.method).build(data.spec).double().eval()
    expected, found = _layout(fitted.module), _layout(built)
    wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    require(
        not wrong,
        method,
        f"the module built by the resolved method has other weights than the fitted one: {wrong}.",
        "What a search finds belongs into the parameters of `Fitted.method`, what training finds into parameters and "
        "buffers.",
    )
    built.load_state_dict(fitted.module.state_dict())
    require(
        torch.equal(outputs(built, data.samples), outputs(fitted.module, data.samples)),
        method,
        "the module built by the resolved method predicts otherwise with the fitted weights.",
        "Everything a prediction needs must be in the parameters of the method, or in parameters and buffers.",
    )


def _layout(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes by name; a part's extra state may have any."""
    state = module.state_dict()
    return {name: () if name.endswith("_extra_state") else tuple(tensor.shape) for name, tensor in state.items()}


def check_saving(method: Method, scope: Scope = EVERYTHING) -> None:
    """An estimator with the method predicts the same, bit for bit, after saving and loading.

    (A method that `plait.methods` does not export cannot be loaded by `plait.load`; the other checks cover its text
    and weights.)

    Raises:
        AssertionError: If it does not.
    """
    if type(method) is not getattr(methods, type(method).__name__, None):
        return
    for problem in scope.tasks:
        estimator, modalities = _fitted_estimator(method, problem)
        with tempfile.TemporaryDirectory() as folder:
            again = load(save(estimator, Path(folder) / "model"))
        require(
            np.array_equal(_predicted(again, modalities), _predicted(estimator, modalities)),
            method,
            f"{problem}: the model predicts otherwise after it was saved and loaded.",
            "Everything a prediction needs must be in the parameters of the resolved method, or in its module's "
            "parameters and buffers.",
        )


def _fitted_estimator(method: Method, problem: Problem) -> tuple[FusionClassifier | FusionRegressor, Modalities]:
    data = small_samples(problem, absent=0.2)
    modalities = _modalities(data)
    target = data.samples.target.numpy()
    kind = FusionClassifier if problem.task == "classification" else FusionRegressor
    labels = target.argmax(1) if problem.task == "classification" else target.squeeze()
    trainer = Trainer(epochs=1, device="cpu", threads=1)
    estimator = kind(clone(method), validation=0.25, trainer=trainer, random_state=0)
    return estimator.fit(modalities, labels), modalities


def _modalities(data: TrainingData) -> Modalities:
    """The samples as users have them: NaN where a modality is absent."""
    found = {}
    for place, (name, values) in enumerate(data.samples.features.items()):
        found[name] = values.numpy().copy()
        found[name][~data.samples.present[:, place].numpy()] = np.nan
    return Modalities(found)


def _predicted(estimator: FusionClassifier | FusionRegressor, modalities: Modalities) -> ndarray:
    if isinstance(estimator, FusionClassifier):
        return estimator.predict_proba(modalities)
    return estimator.predict(modalities)


class UserModule(nn.Module):
    """A user's encoder: flattens, then one dense layer.

    Args:
        width: Number of features.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.flatten, self.dense = nn.Flatten(), nn.Linear(width, 2)

    def forward(self, values: Tensor) -> Tensor:
        """Two numbers a sample."""
        encoded: Tensor = self.dense(self.flatten(values))
        return encoded


def check_encoders(method: Method, scope: Scope = EVERYTHING) -> None:
    """A user's module is trained with the method, or left alone if it is frozen; or refused by the modality's name.

    Raises:
        AssertionError: If a frozen module changes, a trained one does not, the user's own object changes, or the
            module is not part of the fitted one.
    """
    for frozen in (False, True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            given: dict[str, nn.Module] = {"a": UserModule(5), "b": UserModule(6)}
        for module in given.values():
            module.requires_grad_(not frozen)
        before = _states(given)
        _check_user_modules(method, given, scope, frozen=frozen)
        unchanged = all(torch.equal(value, before[name]) for name, value in _states(given).items())
        require(unchanged, method, "the user's own module is changed.", "Train a copy of it.")


def _states(given: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {
        f"{name}/{key}": value for name, one in given.items() for key, value in copy.deepcopy(one.state_dict()).items()
    }


def _check_user_modules(method: Method, given: Mapping[str, nn.Module], scope: Scope, *, frozen: bool) -> None:
    """The fitted copies of the modules; small networks may start with no active unit, and get another seed."""
    before = [part.dense.weight.detach().double() for part in given.values() if isinstance(part, UserModule)]
    moved: list[bool] = []
    for seed in range(1 if frozen else _STARTS):
        fitted = _fit_or_refuse(method, given, scope, seed)
        if fitted is None:
            return
        kept = [part.dense.weight for part in fitted.module.modules() if isinstance(part, UserModule)]
        require(
            bool(kept) or not scope.encoders,
            method,
            f"the user's {'frozen' if frozen else 'trained'} encoder is not in the fitted module.",
            "Read modalities with an encoder through `spec.encoders`, or refuse them with a ValueError; if no features "
            "are read at all, say Scope(encoders=False).",
        )
        moved += [not any(torch.equal(weight, start) for start in before) for weight in kept]
        if any(moved):
            break
    require(
        any(moved) != frozen or not moved,
        method,
        f"the user's {'frozen encoder changes' if frozen else 'encoder gets no gradient'} in training.",
        "Frozen modules (no parameter with requires_grad) stay as they are, others are trained with the network.",
    )


def _fit_or_refuse(method: Method, given: Mapping[str, nn.Module], scope: Scope, seed: int) -> Fitted | None:
    try:
        return fit(method, small_samples(scope.problems[0], VECTOR_AND_SERIES, encoders=given), seed=seed)
    except ValueError as error:
        require(
            any(f"'{name}'" in str(error) for name in given),
            method,
            f"encoders are refused without the name of the modality: {error}",
            "Name the modality in quotes in the error.",
        )
        return None
