"""New samples brought to what was seen in fit: the same modalities, columns and shapes, or an error."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from plait.data.checks import Array, listed
from plait.data.modalities import Modalities

Shapes = Mapping[str, tuple[int, ...]]
Columns = Mapping[str, tuple[str, ...]]


def matched(modalities: Modalities, shapes: Shapes, columns: Columns) -> Modalities:
    """The same samples with the modalities, and the columns that have names, in the order of fit.

    A modality that was given as None is absent in all samples. Columns are compared where their names are
    known on both sides, and by their number elsewhere.

    Args:
        modalities: New samples.
        shapes: Shape of a sample of each modality in fit, in order.
        columns: Names of the columns in fit, for the modalities where they are known.

    Raises:
        ValueError: If a modality is unknown or not there, columns are missing or unknown, or a shape differs.
    """
    _check_names(modalities, shapes)
    arrays = {name: _brought(name, modalities, shape, columns.get(name)) for name, shape in shapes.items()}
    present = modalities.select(shapes).present
    named = {**modalities.columns, **columns}
    return Modalities.trusted(arrays, modalities.ids, present, named, own_ids=modalities.own_ids)


def _check_names(modalities: Modalities, shapes: Shapes) -> None:
    unknown = [name for name in modalities if name not in shapes]
    if unknown:
        raise ValueError(f"Unknown modalities {listed(unknown)}; the model was fitted on {listed(shapes)}.")
    lacking = [name for name in shapes if name not in modalities]
    if lacking:
        raise ValueError(
            f"Modalities {listed(lacking)} of the fit are not there. If no sample has them, pass None: "
            f"X = {{..., {lacking[0]!r}: None}}."
        )


def _brought(name: str, modalities: Modalities, shape: tuple[int, ...], columns: tuple[str, ...] | None) -> Array:
    array = modalities[name]
    if array.shape[1:] == (0,):  # absent in all samples, and never had a shape
        return np.full((len(array), *shape), np.nan) if shape else np.full(len(array), None, dtype=object)
    given = modalities.columns.get(name)
    if columns is not None and given is not None and given != columns:
        array = array[:, _places(name, given, columns)]
    if array.shape[1:] != shape:
        if not shape:
            raise ValueError(f"Modality {name!r} held texts in fit. Give one string a sample.")
        raise ValueError(f"Modality {name!r} has samples of shape {array.shape[1:]}, in fit they had shape {shape}.")
    return array


def _places(name: str, given: tuple[str, ...], columns: tuple[str, ...]) -> Array:
    places = pd.Index(given).get_indexer(pd.Index(columns))
    missing = [column for column, place in zip(columns, places, strict=True) if place < 0]
    extra = pd.Index(given).difference(pd.Index(columns), sort=False)
    if missing or len(extra):
        parts = [f"lacks the columns {listed(missing)}"] * bool(missing)
        parts += [f"has columns that were not there in fit: {listed(extra)}"] * bool(len(extra))
        raise ValueError(f"Modality {name!r} {' and '.join(parts)}. Give it the columns of the fit, in any order.")
    return places
