"""What can be used, and what a saved model is."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plait.cli.sources import dataset_loaders

MODEL_FILE = "model.json"
"""File that makes a folder a saved model."""

Listing = dict[str, list[dict[str, str]]]


def listing(subjects: Sequence[str]) -> Listing:
    """Names and descriptions, by subject ("methods", "datasets")."""
    return {subject: _described(_REGISTERS[subject]()) for subject in subjects}


def description(folder: Path) -> dict[str, Any]:
    """A saved model in words: estimator, resolved method, modalities, target, versions.

    Raises:
        FileNotFoundError: If there is no saved model.
        ValueError: If it is damaged.
    """
    from plait.data.text import to_text  # noqa: PLC0415 - listing data sets needs no torch
    from plait.persistence import load  # noqa: PLC0415

    estimator = load(folder)
    spec = estimator.spec_
    classes = getattr(estimator, "classes_", None)
    return {
        "model": str(folder),
        "estimator": type(estimator).__name__,
        "method": type(estimator.method_).__name__,
        "params": to_text(estimator.method_.get_params(deep=False)),
        "modalities": {name: list(shape) for name, shape in spec.shapes.items()},
        "target": {"outputs": spec.outputs} if classes is None else {"classes": classes.tolist()},
        "copies": spec.folds,
        "versions": json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))["versions"],
    }


def _described(register: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"name": name, "description": (thing.__doc__ or "").strip().partition("\n")[0]}
        for name, thing in register.items()
    ]


def _methods() -> Mapping[str, Any]:
    from plait.methods.registry import methods_by_name  # noqa: PLC0415 - listing data sets needs no torch

    return methods_by_name()


_REGISTERS: dict[str, Callable[[], Mapping[str, Any]]] = {"methods": _methods, "datasets": dataset_loaders}
