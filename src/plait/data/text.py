"""Parameters and findings as JSON values, and back: what a saved model says in words."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

_TAG = "plait"


def to_text(value: Any) -> Any:
    """A value that JSON can hold.

    Numbers, strings, None, lists, tuples, mappings, slices, arrays of numbers or strings, tables, and objects
    with scikit-learn's `get_params` (by the name of their class).

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
        return {_TAG: "object", "class": type(value).__name__, "params": to_text(value.get_params(deep=False))}
    raise ValueError(
        f"{type(value).__name__} {value!r} cannot be saved as text. Use numbers, strings, lists or mappings."
    )


def from_text(text: Any, classes: Mapping[str, type]) -> Any:
    """The value that `to_text` wrote; lists come back as tuples.

    Args:
        text: What `to_text` returned, read back from JSON.
        classes: Classes that may be made, by name.

    Raises:
        KeyError: If the text names a class or a form that is not known.
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
}
