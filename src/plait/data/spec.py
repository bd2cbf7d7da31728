"""All that `build` may know of the data: shapes, outputs and task."""

import copy
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
from torch import nn

from plait.data.checks import listed
from plait.data.forecast import Forecast

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class DataSpec:
    """What a method may know when it builds its module.

    Args:
        shapes: Shape of one sample of each modality, by name; the order is the order of the modalities.
        outputs: Number of classes (at least 2), or of regression targets (at least 1).
        task: "classification" or "regression".
        encoders: Modules of the user, by modality; a modality without one gets an encoder by its shape.
        folds: Copies of the model, at least 1: one for every fold of the validation, their predictions averaged.
        forecast: The series that the targets continue; None is any other task.
        taps: Of the modalities that are taps of a layered encoder, side by side: the width of each tap.

    Raises:
        ValueError: If there is no modality, a shape is empty or has a size below 1, `outputs`, `task` or `folds`
            is out of range, an encoder is given for a modality that is not there, or the forecast does not fit.
    """

    shapes: Mapping[str, tuple[int, ...]]
    outputs: int
    task: Task
    encoders: Mapping[str, nn.Module] = field(default_factory=dict)
    folds: int = 1
    forecast: Forecast | None = None
    taps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_shapes(self.shapes)
        _check_outputs(self.outputs, self.task)
        _check_folds(self.folds)
        unknown = [name for name in self.encoders if name not in self.shapes]
        if unknown:
            raise ValueError(
                f"Encoders are given for modalities that are not there: {listed(unknown)}. "
                f"The modalities are {listed(self.shapes)}."
            )
        if self.forecast is not None:
            self.forecast.check(self.shapes, self.outputs, self.task)
        wrong = [name for name, widths in self.taps.items() if self.shapes.get(name) != (sum(widths),)]
        if wrong:
            raise ValueError(f"The widths of the taps of {listed(wrong)} do not add up to the shape of the modality.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities, in order."""
        return tuple(self.shapes)

    def width(self, name: str) -> int:
        """Numbers in one sample of a modality: the product of its shape.

        Raises:
            KeyError: If there is no modality of that name.
        """
        if name not in self.shapes:
            raise KeyError(f"No modality {name!r}; the modalities are {listed(self.shapes)}.")
        return math.prod(self.shapes[name])

    def to_json(self) -> dict[str, Any]:
        """Shapes, outputs and task as plain text values; encoders are code and stay out.

        Modalities are a list, so that their order survives any writer of JSON.
        """
        modalities = [{"name": name, "shape": [int(size) for size in shape]} for name, shape in self.shapes.items()]
        counts = {"outputs": int(self.outputs), "folds": int(self.folds)}
        forecast = {} if self.forecast is None else {"forecast": self.forecast.to_json()}
        taps = {"taps": {name: list(widths) for name, widths in self.taps.items()}} if self.taps else {}
        return {"task": self.task, **counts, "modalities": modalities, **forecast, **taps}

    @classmethod
    def from_json(cls, saved: Any, encoders: Mapping[str, nn.Module] | None = None) -> "DataSpec":
        """The spec that `to_json` wrote.

        Args:
            saved: What `to_json` returned, read back from a file.
            encoders: The user's modules, which a file cannot hold.

        Raises:
            ValueError: If a part is missing, or is not what `to_json` writes.
            TypeError: If the name of a modality is no string.
        """
        try:
            shapes = {part["name"]: tuple(part["shape"]) for part in saved["modalities"]}
            outputs, task, folds = saved["outputs"], saved["task"], saved["folds"]
            forecast = Forecast.from_json(saved.get("forecast"))
            taps = {name: tuple(map(int, widths)) for name, widths in saved.get("taps", {}).items()}
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"A saved data spec has `task`, `outputs`, `folds` and `modalities` (a list of name and shape); "
                f"this one cannot be read ({type(error).__name__}: {error}). The file is damaged; save again."
            ) from error
        _check_shapes(shapes)
        _check_outputs(outputs, task)
        _check_folds(folds)
        return cls(shapes, outputs, cast("Task", task), encoders or {}, folds, forecast, taps)


def own_modules(encoders: Any, apart: Collection[str] = ()) -> dict[str, nn.Module]:
    """Copies of the user's modules, which stay as they are.

    Args:
        encoders: Modules by modality.
        apart: Modalities whose encoders are something else and are left out.

    Raises:
        TypeError: If they are no mapping, or an entry is no torch module.
    """
    if encoders is not None and not isinstance(encoders, Mapping):
        raise TypeError(f"encoders must map modality names to torch modules, got {type(encoders).__name__}.")
    modules = {name: module for name, module in (encoders or {}).items() if name not in apart}
    for name, module in modules.items():
        if not isinstance(module, nn.Module):
            raise TypeError(
                f"The encoder of modality {name!r} must be a torch module, got {module!r}. "
                "Give an instance such as torch.nn.Flatten(), or a LayeredEncoder of plait.nn.taps."
            )
    return copy.deepcopy(modules)


def _check_shapes(shapes: Mapping[str, tuple[Any, ...]]) -> None:
    if not shapes:
        raise ValueError("A data spec needs at least one modality; `shapes` is empty.")
    for name, shape in shapes.items():
        if not isinstance(name, str):
            raise TypeError(f"Modalities are named by strings, got the name {name!r}.")
        if not shape or not all(_is_count(size) for size in shape):
            raise ValueError(
                f"Modality {name!r} has sample shape {tuple(shape)}; sizes must be whole and at least 1. "
                "A modality that is absent in all samples has no shape: give its values, or leave it out."
            )


def _check_outputs(outputs: Any, task: Any) -> None:
    least = {"classification": 2, "regression": 1}
    if not isinstance(task, str) or task not in least:
        raise ValueError(f"task must be 'classification' or 'regression', got {task!r}.")
    if not _is_count(outputs) or outputs < least[task]:
        raise ValueError(f"outputs must be a whole number of at least {least[task]} for {task}, got {outputs!r}.")


def _check_folds(folds: Any) -> None:
    if not _is_count(folds):
        raise ValueError(f"folds must be a whole number of at least 1, got {folds!r}.")


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)
