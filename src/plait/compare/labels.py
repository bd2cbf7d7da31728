"""What methods are called in tables and pictures."""

import re
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

from numpy import ndarray
from sklearn.base import BaseEstimator

from plait.methods import Baseline, SingleModality
from plait.methods.base import Method

_USUAL = {"meta fusion": "Meta Fusion", "low rank": "low-rank", "cross attention": "cross-attention"}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def label_of(method: Method) -> str:
    """A method in words: its class, and the parameters that differ from the defaults.

    `LateFusion(rule="stacking")` is "late fusion (rule stacking)".
    """
    name = _WORD.sub(" ", type(method).__name__).lower()
    for plain, usual in _USUAL.items():
        name = name.replace(plain, usual)
    changed = [f"{key} {_text(value)}" for key, value in changed_params(method).items()]
    return f"{name} ({', '.join(changed)})" if changed else name


def changed_params(method: Method) -> dict[str, Any]:
    """Parameters of a method that differ from its defaults."""
    usual = {name: one.default for name, one in signature(type(method).__init__).parameters.items()}
    return {key: value for key, value in method.get_params(deep=False).items() if repr(value) != repr(usual[key])}


def unique_labels(methods: Iterable[Method]) -> dict[str, Method]:
    """Methods by their labels.

    Raises:
        ValueError: If two are the same.
    """
    found: dict[str, Method] = {}
    for method in methods:
        label = label_of(method)
        if label in found:
            raise ValueError(f"{label!r} is there twice. Leave one out, or give names: {{'name': method, ...}}.")
        found[label] = method
    return found


def twins(method: Method) -> list[SingleModality]:
    """What reads one modality with the learners of a method: its base and layers, or our network by default."""
    if isinstance(method, Baseline | SingleModality):
        return []
    learners = [SingleModality(base=base) for base in getattr(method, "learners", ())]
    params = method.get_params(deep=False)
    if "base" not in params:
        return [SingleModality(), *learners]
    kept = ("base",) if params["base"] is not None else ("hidden", "dropout")
    return [SingleModality(**{name: params[name] for name in kept})]


def _text(value: Any) -> str:
    if isinstance(value, BaseEstimator):
        return _WORD.sub(" ", type(value).__name__).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(entry)}" for key, entry in value.items())
    if isinstance(value, tuple | list | ndarray):
        return " ".join(map(_text, value)) or "none"
    return str(value)
