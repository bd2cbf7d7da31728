"""Parameters and findings as JSON values, and back: what a saved model says in words."""

import importlib
import math
from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

_TAG = "plait"


def to_text(value: Any) -> Any:
    """A value that JSON can hold.

    Numbers, strings, None, lists, tuples, mappings, slices, arrays of numbers or strings, tables, and objects
    with scikit-learn's `get_params`: dataclasses (methods, trainers) by the name of their class and all parameters,
    estimators of scikit-learn and others by the path of their class and the parameters that are not its defaults.

    Raises:
        ValueError: If the value is none of these.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {_TAG: "float", "value": str(value)}
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    if hasattr(value, "get_params") and not isinstance(value, type):
        if is_dataclass(type(value)):
            return {_TAG: "object", "class": type(value).__name__, "params": to_text(value.get_params(deep=False))}
        if _has_path(type(value)):
            return _estimator(value)
    raise ValueError(
        f"{type(value).__name__} {value!r} cannot be saved as text. Use numbers, strings, lists or mappings."
    )


def from_text(text: Any, classes: Mapping[str, type]) -> Any:
    """The value that `to_text` wrote; lists come back as tuples.

    Args:
        text: What `to_text` returned, read back from JSON.
        classes: Classes that may be made, by name; `Classes` knows estimators too.

    Raises:
        KeyError: If the text names a class or a form that is not known.
        ValueError: If it names an estimator that is not to be trusted.
    """
    if isinstance(text, list):
        return tuple(from_text(part, classes) for part in text)
    if not isinstance(text, dict):
        return text
    if _TAG not in text:
        return {name: from_text(part, classes) for name, part in text.items()}
    if text[_TAG] == "object":
        return classes[text["class"]](**from_text(text["params"], classes))
    return _READERS[text[_TAG]](text, classes)


class Classes(dict[str, type]):
    """Classes by name, and estimators by their path: those of scikit-learn, and others that are trusted.

    Args:
        known: Classes by name.
        trusted: Paths of further estimators, for example "xgboost.sklearn.XGBClassifier".
    """

    def __init__(self, known: Mapping[str, type], trusted: Collection[str] = ()) -> None:
        super().__init__(known)
        self.trusted = frozenset(trusted)

    def __missing__(self, path: str) -> type:
        """The estimator at a path; KeyError if there is none, ValueError if it is not to be trusted."""
        module, dot, name = path.rpartition(".")
        if not dot:
            raise KeyError(path)
        if not path.startswith("sklearn.") and path not in self.trusted:
            raise ValueError(
                f"The model was made with {path}, which is not scikit-learn's. If it comes from someone you trust, "
                f"name it: load(folder, trusted=[{path!r}])."
            )
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise KeyError(path) from error
        if not isinstance(found, type) or not _has_path(found):
            raise KeyError(path)
        return found


def _has_path(kind: type) -> bool:
    """Whether a class is written by its path: estimators, and the kernels that some of them have."""
    return issubclass(kind, BaseEstimator) or kind.__module__ == "sklearn.gaussian_process.kernels"


def _estimator(value: Any) -> dict[str, Any]:
    kind, usual = type(value), signature(type(value).__init__).parameters
    given = value.get_params(deep=False)
    changed = {key: part for key, part in given.items() if key not in usual or repr(part) != repr(usual[key].default)}
    return {_TAG: "object", "class": _path(kind), "params": {key: _exactly(part) for key, part in changed.items()}}


def _path(kind: type) -> str:
    """Where a class is imported from: the public module of scikit-learn that has it, else its own module."""
    public = [part for part in kind.__module__.split(".") if not part.startswith("_")]
    while public[:1] == ["sklearn"] and len(public) > 1:
        if getattr(importlib.import_module(".".join(public)), kind.__name__, None) is kind:
            return f"{'.'.join(public)}.{kind.__name__}"
        public.pop()
    return f"{kind.__module__}.{kind.__qualname__}"


def _exactly(value: Any) -> Any:
    """A parameter of an estimator, which may insist on a list, or on keys that are no strings."""
    if isinstance(value, list):
        return {_TAG: "list", "values": [_exactly(part) for part in value]}
    if isinstance(value, tuple):
        return [_exactly(part) for part in value]
    if isinstance(value, dict):
        return {_TAG: "pairs", "values": [[_exactly(key), _exactly(part)] for key, part in value.items()]}
    return to_text(value)


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    if any(not isinstance(key, str) or key == _TAG for key in value):
        raise ValueError(f"A mapping can be saved if its keys are strings other than '{_TAG}' (got {list(value)!r}).")
    return {key: to_text(part) for key, part in value.items()}


def _array(value: np.ndarray) -> dict[str, Any]:
    return {_TAG: "array", "dtype": value.dtype.str, "values": to_text(value.tolist())}


def _table(value: pd.DataFrame) -> dict[str, Any]:
    columns = {str(name): to_text(column.tolist()) for name, column in value.items()}
    index = to_text(value.index.tolist())
    return {_TAG: "table", "index": index, "name": to_text(value.index.name), "columns": columns}


_WRITERS: tuple[tuple[Any, Any], ...] = (
    (np.ndarray, _array),
    (np.generic, lambda value: to_text(value.item())),
    (Mapping, _mapping),
    (list | tuple, lambda value: [to_text(part) for part in value]),
    (slice, lambda value: {_TAG: "slice", "parts": to_text([value.start, value.stop, value.step])}),
    (pd.DataFrame, _table),
)


def _read_array(text: dict[str, Any], classes: Mapping[str, type]) -> np.ndarray:
    return np.array(list(from_text(text["values"], classes)), dtype=np.dtype(text["dtype"]))


def _read_table(text: dict[str, Any], classes: Mapping[str, type]) -> pd.DataFrame:
    index = pd.Index(list(from_text(text["index"], classes)), name=text["name"])
    columns = {name: list(from_text(values, classes)) for name, values in text["columns"].items()}
    return pd.DataFrame(columns, index=index)


_READERS: dict[str, Any] = {
    "float": lambda text, _: float(text["value"]),
    "slice": lambda text, classes: slice(*from_text(text["parts"], classes)),
    "array": _read_array,
    "table": _read_table,
    "list": lambda text, classes: list(from_text(text["values"], classes)),
    "pairs": lambda text, classes: dict(from_text(text["values"], classes)),
}
