"""What can be used, and what a saved model is."""

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
    """A saved model in words: estimator, resolved method, modalities, target, search, versions.

    It is what model.json says: neither weights nor encoders are needed.

    Raises:
        FileNotFoundError: If there is no saved model.
        ValueError: If it is damaged.
    """
    from plait.cli.reporting import search_in, summary  # noqa: PLC0415 - listing data sets needs no torch
    from plait.data.text import from_text  # noqa: PLC0415
    from plait.persistence import read_description  # noqa: PLC0415

    saved = read_description(folder)
    spec, fitted = saved["spec"], from_text(saved["fitted"], {})
    fed = {part["name"]: part["shape"] for part in spec["modalities"]}
    classes, found = fitted.get("classes_"), search_in(fitted["tables_"])
    return {
        "model": str(folder),
        "estimator": saved["estimator"],
        "method": saved["method"]["class"],
        "params": saved["method"]["params"],
        "modalities": shapes(fitted.get("raw_shapes_", fed)),
        **_encoders(saved, fitted.get("encoder_marks_", {})),
        "target": {"outputs": spec["outputs"]} if classes is None else {"classes": classes.tolist()},
        "copies": spec["folds"],
        **({} if found is None else summary(found)),
        "versions": saved["versions"],
    }


def shapes(given: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Shapes of a sample by modality, in words where it is no array."""
    return {name: list(shape) or "texts" for name, shape in given.items()}


def _encoders(saved: Mapping[str, Any], marks: Mapping[str, str]) -> dict[str, Any]:
    """What reads the modalities that have an encoder of their own; nothing where none has."""
    described = saved.get("text_encoders", {})
    names = [*saved["encoders"], *marks]
    found = {name: described[name]["class"] if name in described else "to be given to load" for name in names}
    return {"encoders": found} if found else {}


def _described(register: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"name": name, "description": (thing.__doc__ or "").strip().partition("\n")[0]}
        for name, thing in register.items()
    ]


def _methods() -> Mapping[str, Any]:
    from plait.methods.registry import methods_by_name  # noqa: PLC0415 - listing data sets needs no torch

    return methods_by_name()


_REGISTERS: dict[str, Callable[[], Mapping[str, Any]]] = {"methods": _methods, "datasets": dataset_loaders}
