"""Named arrays over the same samples: who they are, and which modality each of them has."""

import warnings
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from typing import Any, NoReturn, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from plait.data.checks import Array, allowed_rows, check_names, column_names, common_length, listed, row_ids, table_ids
from plait.data.indexing import row_index
from plait.data.joins import Account, join, mudata_tables
from plait.data.missing import check_finite, present_rows, without_absent
from plait.data.numeric import numeric_array, numeric_values
from plait.data.tables import Groups, split_array, split_frame
from plait.data.texts import holds_texts, text_rows


class Modalities:
    """Several modalities of the same samples, as a mapping of names to arrays that scikit-learn can slice.

    To scikit-learn it is one-dimensional: `len` is the number of samples n, `shape` is `(n,)`, and rows are
    chosen by integers, slices and boolean arrays. A name gives the array of that modality. An absent modality
    is all NaN in its row (None where it holds texts), and only then; a NaN beside other values is a missing value.

    Args:
        arrays: Values by modality. Each is an array (n, ...) of numbers (n numbers become one column), a
            table, a sequence with one array a sample and None where the modality is absent, one text a sample (or
            None; only an encoder that reads texts can use them), or None where it is absent in all samples. float32
            stays, other numbers become float64; an array is copied only if that changes it.
        ids: One id a sample; by default those of the tables, else 0 to n - 1.
        present: Further absences: False in a matrix (sample x modality), or in a mapping of names to columns
            of one, marks a row absent whatever its values.
        columns: Names of the columns of vector modalities, by modality; by default those of the tables.
        account: What did not match when the samples were joined.

    Attributes:
        ids: One id a sample, shape (n,).
        own_ids: Whether the ids were given, by hand or by tables, and not counted from 0.
        present: Which modality (column) each sample (row) has, boolean, shape (n, modalities).
        columns: Names of the columns, for the modalities where they are known.
        account: What did not match in the join these samples come from; None for any other origin.

    Raises:
        ValueError: For no modality or no sample, lengths that differ, repeated ids, strings, infinite values,
            or a matrix of presence of another shape.
        TypeError: For sparse matrices, and for what is no array.

    Examples:
        >>> X = Modalities({"audio": [[1.0, 2.0], [3.0, 4.0]], "age": [31, None]})
        >>> X
        Modalities(n=2, audio=(2,), age=(1,) [1 absent])
        >>> X[:1]["audio"]
        array([[1., 2.]])
    """

    def __init__(
        self,
        arrays: Mapping[str, Any],
        *,
        ids: Any = None,
        present: Any = None,
        columns: Mapping[str, Sequence[str]] | None = None,
        account: Account | None = None,
    ) -> None:
        check_names(arrays)
        known = {name: _sample_array(name, value) for name, value in arrays.items() if value is not None}
        n = common_length(known)
        self._arrays: dict[str, Array] = {name: known.get(name, np.empty((n, 0))) for name in arrays}
        self.ids: Array = row_ids(arrays, ids, n)
        self.own_ids: bool = ids is not None or bool(table_ids(arrays))
        self.present: npt.NDArray[np.bool_] = allowed_rows(present, self.names, n)
        labels = {name: own for name, own in _labels(arrays).items() if not holds_texts(self._arrays[name])}
        self.columns: dict[str, tuple[str, ...]] = column_names({**labels, **(columns or {})}, self._arrays)
        self.account = account
        self._settle_presence()

    def _settle_presence(self) -> None:
        for column, (name, array) in enumerate(self._arrays.items()):
            present = self.present[:, column] & present_rows(array)
            check_finite(name, array, present, self.ids)
            self._arrays[name] = without_absent(array, present)
            self.present[:, column] = present

    @classmethod
    def trusted(
        cls,
        arrays: dict[str, Array],
        ids: Array,
        present: npt.NDArray[np.bool_],
        columns: dict[str, tuple[str, ...]],
        *,
        own_ids: bool,
    ) -> "Modalities":
        """Parts that come from another container, without a check: fast, and repeated rows are allowed."""
        new = cls.__new__(cls)
        new._arrays, new.ids, new.present, new.columns, new.account = arrays, ids, present, columns, None
        new.own_ids = own_ids
        return new

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, groups: Groups | None = None) -> "Modalities":
        """The modalities of one table; its index holds the sample ids.

        Args:
            frame: A table. With two levels of columns, level 0 names the modality.
            groups: Columns of each modality: a pattern ("mrna_*"), a list of names and patterns, or
                positions. Columns of no group are left out. Without groups, one level of columns is one
                modality, "x".

        Raises:
            ValueError: If a group matches no column, and as for any modalities.
        """
        return cls(split_frame(frame, groups))

    @classmethod
    def from_array(cls, array: Any, groups: Groups | None = None) -> "Modalities":
        """The modalities of one two-dimensional array.

        Args:
            array: Numbers, samples in rows.
            groups: Positions of the columns of each modality (a list of ints or a slice); None is one, "x".

        Raises:
            ValueError: If the array is not two-dimensional or a position is not there, and as for any
                modalities.
        """
        values = numeric_values("x", array)
        if values.ndim != 2:
            raise ValueError(
                f"Expected a 2D array, got an array of shape {values.shape}. Reshape your data: "
                "array.reshape(-1, 1) for a single feature, array.reshape(1, -1) for a single sample, "
                "{'name': array} for one modality of any shape."
            )
        return cls(split_array(values, groups))

    @classmethod
    def from_frames(cls, frames: Mapping[str, Any], on: str | None = None) -> "Modalities":
        """Tables joined by sample id, outer: a sample that a table lacks has that modality absent.

        The samples stand in the order in which their ids first appear. What did not match is kept in
        `account`.

        Args:
            frames: A table a modality; its index holds the sample ids. None for a modality that is absent in
                all.
            on: Name of the column that holds the sample ids instead.

        Raises:
            ValueError: If ids are missing, repeated in one table or cannot match, and as for any modalities.

        Warns:
            UserWarning: With the figures, if a table lacks a sample.
        """
        joined, account = join(frames, on)
        if not account.complete:
            warnings.warn(account.summary(), UserWarning, stacklevel=2)
        return cls(joined, account=account)

    @classmethod
    def from_mudata(cls, mdata: Any) -> "Modalities":
        """The modalities of a MuData object, its samples in their order (`obs_names`), its `.X` as values.

        Samples that a modality lacks are absent there, as the object itself says; `account` counts them.

        Raises:
            ValueError: If its modalities share variables instead of samples, and as for any modalities.
            TypeError: If a modality is a sparse matrix.
        """
        tables, order = mudata_tables(mdata)
        joined, account = join(tables, order=order)
        return cls(joined, ids=order, account=account)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities, in order."""
        return tuple(self._arrays)

    @property
    def shape(self) -> tuple[int]:
        """`(n,)`: what scikit-learn counts are samples."""
        return (len(self.ids),)

    @property
    def sample_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of one sample of each modality; (0,) where nothing is known but that it is absent."""
        return {name: array.shape[1:] for name, array in self._arrays.items()}

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def keys(self) -> KeysView[str]:
        """Names of the modalities."""
        return self._arrays.keys()

    def values(self) -> ValuesView[Array]:
        """Arrays of the modalities."""
        return self._arrays.values()

    def items(self) -> ItemsView[str, Array]:
        """Names and arrays of the modalities."""
        return self._arrays.items()

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: Any) -> "Modalities": ...
    def __getitem__(self, key: Any) -> "Array | Modalities":
        """The array of a modality (by name), or these samples (by position, slice or boolean array).

        Raises:
            KeyError: If there is no modality of that name.
            IndexError: If a position is out of range, or a boolean array has another length.
        """
        if isinstance(key, str):
            self._check_known([key])
            return self._arrays[key]
        rows = row_index(key, len(self))
        arrays = {name: array[rows] for name, array in self._arrays.items()}
        return Modalities.trusted(arrays, self.ids[rows], self.present[rows], self.columns, own_ids=self.own_ids)

    def select(self, names: Iterable[str]) -> "Modalities":
        """The same samples with these modalities only, in this order.

        Raises:
            KeyError: If there is no modality of one of these names.
        """
        names = [names] if isinstance(names, str) else list(names)
        self._check_known(names)
        present = self.present[:, [self.names.index(name) for name in names]]
        columns = {name: self.columns[name] for name in names if name in self.columns}
        arrays = {name: self._arrays[name] for name in names}
        return Modalities.trusted(arrays, self.ids, present, columns, own_ids=self.own_ids)

    def missing_rows(self) -> pd.DataFrame:
        """Samples that have each modality (`present`), lack it (`absent`), and `share_absent` (0 to 1)."""
        present = self.present.sum(axis=0)
        absent = len(self) - present
        share = absent / max(len(self), 1)
        columns = {"present": present, "absent": absent, "share_absent": share}
        return pd.DataFrame(columns, index=pd.Index(self.names, name="modality"))

    def __repr__(self) -> str:
        absent = self.missing_rows()["absent"]
        parts = [
            f"{name}={shape}" + (f" [{absent[name]} absent]" if absent[name] else "")
            for name, shape in self.sample_shapes.items()
        ]
        return f"Modalities(n={len(self)}, {', '.join(parts)})"

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        """Refused: the modalities of a sample are not one row of numbers.

        Raises:
            TypeError: Always; it says how to get an array.
        """
        raise TypeError(
            "Modalities are several arrays and cannot become one. Take one by name, for example "
            f"X[{self.names[0]!r}], or give them to an estimator that reads modalities."
        )

    def _check_known(self, names: Iterable[str]) -> None:
        unknown = [name for name in names if name not in self._arrays]
        if unknown:
            raise KeyError(f"No modality {listed(unknown)}; the modalities are {listed(self.names)}.")


def _sample_array(name: str, value: Any) -> Array:
    """Texts as an array of strings, everything else as an array of numbers."""
    texts = text_rows(value)
    return numeric_array(name, value) if texts is None else texts


def _labels(arrays: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Names of the columns of those modalities that are tables."""
    return {name: tuple(map(str, table.columns)) for name, table in arrays.items() if isinstance(table, pd.DataFrame)}
