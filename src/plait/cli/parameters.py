"""Parameters of a method from the text of the command line, by the types that the method declares."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType, UnionType
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


def _typed(name: str, text: str, hint: Any) -> Any:
    for value in _readings(text):
        if _fits(value, hint):
            return value
    expected = str(hint).replace("typing.", "").replace("collections.abc.", "")
    raise ValueError(f"--param {name}={text}: {expected} is expected.")


def _readings(text: str) -> Iterator[Any]:
    """What a text may mean, the likeliest first."""
    try:
        literal = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        literal = text
    yield literal
    yield (literal,)
    yield text
    yield tuple(part.strip() for part in text.split(","))


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type, as far as parameters have types."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint in (int, str, bool, NoneType):
        return type(value) is hint
    return _holds(value, origin or hint, parts)


def _holds(value: Any, container: Any, parts: tuple[Any, ...]) -> bool:
    """Whether a value is such a container of such entries; text is none."""
    if not isinstance(value, container) or isinstance(value, str):
        return False
    if issubclass(container, Mapping):
        return all(_fits(key, parts[0]) and _fits(entry, parts[1]) for key, entry in value.items())
    if isinstance(value, Mapping) or not issubclass(container, Iterable):
        return False
    return all(_fits(entry, parts[0]) for entry in value)
