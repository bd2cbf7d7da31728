"""What must hold of modalities, one function a check; each raises one error that says what to do."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

Array: TypeAlias = npt.NDArray[Any]


def listed(values: Iterable[Any], limit: int = 5) -> str:
    """The first values as text, and how many more there are."""
    values = list(values)
    shown = ", ".join(repr(plain(value)) for value in islice(values, limit))
    return shown if len(values) <= limit else f"{shown} and {len(values) - limit} more"


def plain(value: Any) -> Any:
    """A NumPy scalar as the Python value that a reader expects to see."""
    return value.item() if isinstance(value, np.generic) else value


def check_names(arrays: Any) -> None:
    """Modalities come in a mapping with at least one entry and strings for names."""
    if not isinstance(arrays, Mapping):
        raise TypeError(
            f"Expected a mapping of modality names to arrays, got {type(arrays).__name__}. "
            "Give for example Modalities({'audio': audio, 'text': text})."
        )
    if not arrays:
        raise ValueError("Expected at least one modality, got an empty mapping.")
    for name in arrays:
        if not isinstance(name, str) or not name:
            raise TypeError(f"Modalities are named by non-empty strings, got the name {plain(name)!r}.")


def common_length(arrays: Mapping[str, Array]) -> int:
    """The number of samples, the same in every modality.

    Raises:
        ValueError: If there is nothing to count, or two modalities differ.
    """
    if not any(array.size for array in arrays.values()):
        raise ValueError("Every modality is None: at least one needs values, to know how many samples there are.")
    (first, n), *others = ((name, len(array)) for name, array in arrays.items())
    for name, length in others:
        if length != n:
            raise ValueError(
                f"Modalities must have the same samples: {first!r} has {n} rows, {name!r} has {length}. "
                "To join tables by sample id use Modalities.from_frames; mark absent rows by None or NaN."
            )
    return n


def check_unique(ids: "pd.Index[Any]", what: str) -> None:
    """Sample ids are complete and differ from each other; `what` names where they stand."""
    if ids.hasnans:
        row = int(np.flatnonzero(ids.isna())[0])
        raise ValueError(f"{what} must be complete: row {row} has none. Give every row an id.")
    repeated = ids[ids.duplicated()]
    if len(repeated):
        first = repeated[0]
        raise ValueError(
            f"{what} must be unique: id {plain(first)!r} occurs {int((ids == first).sum())} times. "
            "Give every sample its own id (for several samples of one patient, pass the patients as groups), or drop "
            "or average the repeats."
        )


def has_ids(index: "pd.Index[Any]") -> bool:
    """Whether an index says who the rows are; the unnamed 0, 1, 2, ... of pandas does not."""
    return not (isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None)


def table_ids(arrays: Mapping[str, Any]) -> "dict[str, pd.Index[Any]]":
    """The ids of those tables that have some."""
    indexes = {name: table.index for name, table in arrays.items() if isinstance(table, pd.DataFrame | pd.Series)}
    return {name: index for name, index in indexes.items() if has_ids(index)}


def row_ids(arrays: Mapping[str, Any], ids: Any, n: int) -> Array:
    """The ids of the rows: those given, else those of the tables, else 0 to n - 1.

    Raises:
        ValueError: If ids are missing, repeated or too few, or tables have other ids or another order.
    """
    indexes = table_ids(arrays)
    if ids is None:
        ids = next(iter(indexes.values()), np.arange(n))
    if np.ndim(ids) != 1 or len(ids) != n:
        raise ValueError(f"ids must be one value a sample, {n} in all; got shape {np.shape(ids)}.")
    known = pd.Index(ids)
    check_unique(known, "Sample ids")
    for name, index in indexes.items():
        if not index.equals(known):
            raise ValueError(
                f"The rows of modality {name!r} have other ids, or another order, than the samples. Join "
                "tables by id with Modalities.from_frames, or drop their ids with reset_index(drop=True)."
            )
    return ids if isinstance(ids, np.ndarray) else known.to_numpy()


def allowed_rows(present: Any, names: Sequence[str], n: int) -> npt.NDArray[np.bool_]:
    """A presence matrix (sample x modality) from a matrix, a mapping of columns, or None (nothing marked).

    Raises:
        ValueError: If the shape is not (n, modalities), a name is unknown, or an entry is not true or false.
    """
    if present is None:
        return np.ones((n, len(names)), dtype=bool)
    if isinstance(present, Mapping):
        return _from_columns(present, names, n)
    matrix = np.asarray(present)
    if matrix.shape != (n, len(names)):
        raise ValueError(
            f"present must have one row a sample and one column a modality, shape ({n}, {len(names)}); "
            f"got shape {matrix.shape}."
        )
    if matrix.dtype != bool and not np.isin(matrix, (0, 1)).all():
        raise ValueError(f"present must hold True and False, got an array of {matrix.dtype}.")
    return matrix.astype(bool)


def _from_columns(present: Mapping[str, Any], names: Sequence[str], n: int) -> npt.NDArray[np.bool_]:
    _check_known(present, names, "present")
    for name, rows in present.items():
        if np.shape(rows) != (n,):
            raise ValueError(
                f"present[{name!r}] must have one entry a sample, shape ({n},); got shape {np.shape(rows)}."
            )
    everywhere = np.ones(n, dtype=bool)
    return allowed_rows(np.column_stack([present.get(name, everywhere) for name in names]), names, n)


def column_names(columns: Mapping[str, Sequence[str]], arrays: Mapping[str, Array]) -> dict[str, tuple[str, ...]]:
    """Names of the columns of vector modalities, as strings.

    Raises:
        ValueError: If a modality is unknown or no table, or its names are repeated or of another number.
    """
    _check_known(columns, tuple(arrays), "columns")
    named = {name: tuple(map(str, labels)) for name, labels in columns.items()}
    for name, labels in named.items():
        shape = arrays[name].shape[1:]
        if shape != (len(labels),):
            raise ValueError(f"columns[{name!r}] names {len(labels)} columns, but a sample has shape {shape}.")
        if len(set(labels)) < len(labels):
            repeated = pd.Index(labels)[pd.Index(labels).duplicated()].unique()
            raise ValueError(
                f"The columns of modality {name!r} must be unique, these occur more than once: "
                f"{listed(repeated)}. Rename or drop them."
            )
    return named


def _check_known(given: Mapping[str, Any], names: Sequence[str], what: str) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(f"{what} names unknown modalities: {listed(unknown)}. The modalities are {listed(names)}.")


def check_outputs(outputs: Array, ids: Array) -> None:
    """Predictions are finite.

    Raises:
        ValueError: With the ids of those that are not.
    """
    wrong = ~np.isfinite(outputs).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"There is no finite prediction for {wrong.sum()} sample(s), ids {listed(ids[wrong])}: their values are "
            "too far from those of the fit. Check their units."
        )
