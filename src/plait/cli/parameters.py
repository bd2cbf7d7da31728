"""Parameters of a method from the text of the command line, by the types that the method declares."""

import ast
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sklearn.base import BaseEstimator

from plait.data.checks import listed
from plait.methods.base import Method


def method_from_text(kind: type[Method], texts: Sequence[str]) -> Method:
    """A method with its parameters given as NAME=VALUE.

    A value is a Python literal (`0.5`, `-inf`, `64,32`, `None`, `{"audio": 1}`) or plain text; a single value or text
    with commas or semicolons, in brackets or without, becomes a tuple where the parameter is one.

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
        if not equals or name in given:
            raise ValueError(f"--param takes NAME=VALUE, each name once; got {text!r}.")
        if name not in names:
            known = listed(names, len(names)) or "none"
            raise ValueError(f"{kind.__name__} has no parameter {name!r}; it has {known}.")
        given[name] = _typed(name, value, hints[name])
    return kind(**given)


_LISTS = (tuple, list, Iterable, Sequence)
_BRACKETS = "([{"


class _Infinity(ast.NodeTransformer):
    """The name `inf` as the number."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(math.inf) if node.id == "inf" else node


class _OfAnotherTypeError(ValueError):
    """A reading of a text does not fit the type of the parameter."""


def _typed(name: str, text: str, hint: Any) -> Any:
    for value in _readings(text):
        with suppress(_OfAnotherTypeError):
            return _fitted(value, hint)
    raise ValueError(f"--param {name}={text}: {_in_words(hint)} is expected.")


def _in_words(hint: Any) -> str:
    *others, last = _choices(hint)
    return f"{', '.join(others)} or {last}" if others else last


def _choices(hint: Any) -> list[str]:
    """What a type allows, one text each; an estimator cannot be typed, a word can."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return [choice for part in parts if part is not BaseEstimator for choice in _choices(part)]
    if origin is Literal:
        return [repr(part) for part in parts]
    if origin in (dict, Mapping):
        return [f"a mapping of {_in_words(parts[0])} to {_in_words(parts[1])}"]
    if _is_of_fixed_length(origin, parts):
        return [f"({', '.join(map(_in_words, parts))})"]
    if origin in _LISTS:
        return [f"a list of {_in_words(parts[0])}"]
    return ["None" if hint is NoneType else hint.__name__]


def _readings(text: str) -> Iterator[Any]:
    """What a text may mean, the likeliest first; a literal in brackets is not taken apart."""
    try:
        literal = ast.literal_eval(_Infinity().visit(ast.parse(text.strip(), mode="eval")))
    except (ValueError, SyntaxError):
        yield text
        yield _parts(text)
        return
    yield literal
    yield text
    yield (literal,)
    if text.strip()[0] not in _BRACKETS:
        yield _parts(text)


def _parts(text: str) -> tuple[str, ...]:
    """The parts of a text with commas or semicolons, in brackets or without."""
    bare = text.strip()
    inner = bare[1:-1] if bare[:1] + bare[-1:] in ("()", "[]") else bare
    return tuple(part.strip() for part in re.split("[,;]", inner))


def _fitted(value: Any, hint: Any) -> Any:
    """A value as the type that a parameter declares; whole numbers become floats where floats are declared."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _first_fit(value, parts)
    if hint is float and type(value) is int:
        return float(value)
    if origin in (dict, Mapping) and isinstance(value, dict):
        return {_fitted(key, parts[0]): _fitted(entry, parts[1]) for key, entry in value.items()}
    if origin in _LISTS and isinstance(value, tuple | list):
        return type(value)(map(_fitted, value, _hints_of(value, origin, parts)))
    if type(value) is hint or (origin is Literal and value in parts):
        return value
    raise _OfAnotherTypeError


def _is_of_fixed_length(origin: Any, parts: tuple[Any, ...]) -> bool:
    """Whether a type is a tuple of so many entries."""
    return origin is tuple and Ellipsis not in parts


def _hints_of(value: Sequence[Any], origin: Any, parts: tuple[Any, ...]) -> Sequence[Any]:
    """The types of the entries of a list."""
    if not _is_of_fixed_length(origin, parts):
        return [parts[0]] * len(value)
    if len(value) != len(parts):
        raise _OfAnotherTypeError
    return parts


def _first_fit(value: Any, hints: Iterable[Any]) -> Any:
    for hint in hints:
        with suppress(_OfAnotherTypeError):
            return _fitted(value, hint)
    raise _OfAnotherTypeError
