"""Parameters of a method from the text of the command line, by the types that the method declares."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from plait.data.checks import listed
from plait.methods.base import Method


def method_from_text(kind: type[Method], texts: Sequence[str]) -> Method:
    """A method with its parameters given as NAME=VALUE.

    A value is a Python literal (`0.5`, `64,32`, `None`, `{"audio": 1}`) or plain text; a single value or text
    with commas becomes a tuple where the parameter is one.

    Args:
        kind: The method.
        texts: Parameters, each as NAME=VALUE.

    Raises:
        ValueError: If a text has no "=", a name is no parameter or given twice, or a value is not of its type.
    """
    hints = get_type_hints(kind)
    names = sorted(kind().get_params(deep=False))
    given: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in names or name in given:
            raise ValueError(f"--param takes NAME=VALUE, each name once, of {listed(names, 20)}; got {text!r}.")
        given[name] = _typed(name, value, hints[name])
    return kind(**given)


_UNSAID = (
    r"typing\.|collections\.abc\.|sklearn\.base\.BaseEstimator(,| \|) "  # an estimator cannot be typed, a word can
)


class _OfAnotherTypeError(ValueError):
    """A reading of a text does not fit the type of the parameter."""


def _typed(name: str, text: str, hint: Any) -> Any:
    for value in _readings(text):
        with suppress(_OfAnotherTypeError):
            return _fitted(value, hint)
    expected = hint.__name__ if hint in (int, float, str, bool) else re.sub(_UNSAID, "", str(hint))
    raise ValueError(f"--param {name}={text}: {expected} is expected.")


def _readings(text: str) -> Iterator[Any]:
    """What a text may mean, the likeliest first."""
    try:
        literal = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        literal = text
    yield literal
    yield text
    yield tuple(part.strip() for part in text.split(","))
    yield (literal,)


def _fitted(value: Any, hint: Any) -> Any:
    """A value as the type that a parameter declares; whole numbers become floats where floats are declared."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _first_fit(value, parts)
    if hint is float and type(value) is int:
        return float(value)
    if origin in (dict, Mapping) and isinstance(value, dict):
        return {_fitted(key, parts[0]): _fitted(entry, parts[1]) for key, entry in value.items()}
    if origin in (tuple, list, Iterable, Sequence) and isinstance(value, tuple | list):
        return type(value)(_fitted(entry, parts[0]) for entry in value)
    if type(value) is hint or (origin is Literal and value in parts):
        return value
    raise _OfAnotherTypeError


def _first_fit(value: Any, hints: Iterable[Any]) -> Any:
    for hint in hints:
        with suppress(_OfAnotherTypeError):
            return _fitted(value, hint)
    raise _OfAnotherTypeError
