"""What SOURCE means: a data set by its name, or a folder; which of its rows train and which are new."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from plait import datasets
from plait.data.files import read_folder
from plait.data.modalities import Modalities
from plait.datasets.hippocampus import CHOICES, SESSIONS

_FETCH = "fetch_"


@dataclass(frozen=True)
class Columns:
    """The names by which a user points at parts of a source.

    Args:
        target: Column of the target.
        ids: Column of the sample ids.
        groups: Column of the groups.
        modalities: Modalities to use, in this order; () for all.
        texts: Modalities that are texts, where files do not say so themselves.
    """

    target: str | None = None
    ids: str | None = None
    groups: str | None = None
    modalities: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Samples:
    """Samples with what is known of them.

    Args:
        modalities: The samples.
        rows: Which they are, in words.
        target: Targets by sample id, of the samples whose target is known, in a table if a sample has several; None
            if there are none.
        groups: Groups by sample id.
        published: What others reached on the data set, with their protocol.
        numbers: The same as a table: method, metric, value, sd, protocol, source.
    """

    modalities: Modalities
    rows: str
    target: "pd.Series[Any] | pd.DataFrame | None" = None
    groups: "pd.Series[Any] | None" = None
    published: str = ""
    numbers: pd.DataFrame | None = None


Split = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Positions of training and of test rows."""


class Source(ABC):
    """Where samples come from."""

    @property
    def has_split(self) -> bool:
        """Whether a split into training and test rows was published with the samples."""
        return False

    def split(self) -> tuple[Samples, list[Split]]:
        """All samples, and the published split.

        Raises:
            ValueError: If there is none.
        """
        raise ValueError("No split was published with these samples. Use folds.")

    @abstractmethod
    def training(self, *, all_rows: bool) -> Samples:
        """The samples to learn from, each with a target; `all_rows`: those of a fixed test split too."""

    @abstractmethod
    def new(self, *, all_rows: bool) -> Samples:
        """The samples to predict; `all_rows`: those of a fixed training split too."""


@dataclass(frozen=True)
class FolderSource(Source):
    """A folder with one file a modality.

    Args:
        folder: The folder.
        columns: Where target, ids and groups stand.
    """

    folder: Path
    columns: Columns

    def training(self, *, all_rows: bool) -> Samples:
        """The samples of the folder that have a target."""
        data = self._read(self.columns.groups).labelled()
        return Samples(data.modalities, f"{len(data.ids)} samples of {self.folder}", data.target, data.groups)

    def new(self, *, all_rows: bool) -> Samples:
        """All samples of the folder."""
        data = self._read(None)
        return Samples(data.modalities, f"{len(data.ids)} samples of {self.folder}", data.target)

    def _read(self, groups: str | None) -> Any:
        wanted = self.columns
        return read_folder(
            self.folder,
            wanted.target,
            on=wanted.ids,
            groups=groups,
            modalities=wanted.modalities or None,
            texts=wanted.texts,
        )


@dataclass(frozen=True)
class DatasetSource(Source):
    """A data set by name; where a split was published with it, `train` and `test` are kept apart.

    Args:
        name: Name of the data set.
        fetch: Its loader.
        modalities: Modalities to use; () for all.
    """

    name: str
    fetch: Callable[[], Bunch]
    modalities: tuple[str, ...] = ()

    @property
    def has_split(self) -> bool:
        """Whether the data set came with training and test rows."""
        return "train" in self._bunch and "test" in self._bunch

    def split(self) -> tuple[Samples, list[Split]]:
        """All samples, and the published split."""
        rows = (np.asarray(self._bunch["train"]), np.asarray(self._bunch["test"]))
        words = f"{self.name}: {len(rows[0])} training rows and {len(rows[1])} test rows, as published"
        return replace(self.training(all_rows=True), rows=words), [rows]

    @cached_property
    def _bunch(self) -> Bunch:
        return self.fetch()

    def training(self, *, all_rows: bool) -> Samples:
        """The rows of the published training split, or all."""
        return self._part("train", "training", all_rows=all_rows)

    def new(self, *, all_rows: bool) -> Samples:
        """The rows of the published test split, or all."""
        return self._part("test", "test", all_rows=all_rows, warning="; a model fitted on them has seen them")

    def _part(self, part: str, called: str, *, all_rows: bool, warning: str = "") -> Samples:
        bunch = self._bunch
        n = len(bunch.data)
        split = part in bunch and not all_rows
        rows = np.asarray(bunch[part]) if split else np.arange(n)
        words = f"the {len(rows)} {called} rows of {self.name}" if split else f"all {n} rows of {self.name}{warning}"
        modalities = bunch.data.select(self.modalities) if self.modalities else bunch.data
        target = _target(bunch)
        groups = pd.Series(bunch.groups, index=target.index).iloc[rows] if "groups" in bunch else None
        told = " ".join(" ".join(bunch.DESCR.partition("Published numbers")[1:]).split())
        return Samples(modalities[rows], words, target.iloc[rows], groups, told, bunch.get("published"))


def _target(bunch: Bunch) -> "pd.Series[Any] | pd.DataFrame":
    """Names of classes, or numbers: a table, where a sample has several."""
    if bunch.target.ndim > 1:
        return pd.DataFrame(bunch.target, index=bunch.data.ids, columns=bunch.target_names)
    if bunch.target.dtype.kind == "f":
        return pd.Series(bunch.target, index=bunch.data.ids, name="target")
    return pd.Series(bunch.target_names[bunch.target], index=bunch.data.ids, name="target")


def dataset_loaders() -> dict[str, Callable[[], Bunch]]:
    """The loader of every data set by name. What `plait.datasets` exports as fetch_NAME is the register.

    Where the loader has several data sets, each has its name.
    """
    names = (name for name in datasets.__all__ if name.startswith(_FETCH))
    loaders = {name.removeprefix(_FETCH): getattr(datasets, name) for name in names}
    del loaders["ett"], loaders["hippocampus"]
    loaders |= {f"hippocampus-{session}": _recording(session) for session in SESSIONS}
    return loaders | {name.lower(): _transformer(name) for name in ("ETTh1", "ETTh2", "ETTm1", "ETTm2")}


def _transformer(name: str) -> Callable[[], Bunch]:
    """The loader of one of the ETT data sets, with the split and the sizes that most publish."""

    def load() -> Bunch:
        bunch = datasets.fetch_ett(name, split="all", modalities=("temperature", "loads", "calendar"))
        alike = (bunch.published["data"] == name) & bunch.published["horizon"].isin(["96", "average"])
        return Bunch(**{**bunch, "published": bunch.published[alike]})

    load.__doc__ = (
        f"Load {name}: 96 steps of oil temperature, loads and calendar, the next 96 of all seven to forecast."
    )
    return load


def _recording(session: str) -> Callable[[], Bunch]:
    """The loader of one session of the hippocampus."""

    def load() -> Bunch:
        return datasets.fetch_hippocampus(session)

    what = "the arm that is chosen next" if session in CHOICES else "the position on a track"
    load.__doc__ = f"Load {session} of the hippocampus: {what}, from spikes and field potentials."
    return load


def open_source(source: str, columns: Columns) -> Source:
    """The data set or folder that is meant; a data set's name comes first, `./NAME` is a folder.

    Raises:
        ValueError: If it is neither, or columns are named of a data set, whose target is known.
    """
    loaders = dataset_loaders()
    if source in loaders:
        named = {"--target": columns.target, "--id": columns.ids, "--groups": columns.groups}
        given = [option for option, value in named.items() if value is not None]
        if given:
            raise ValueError(
                f"{' and '.join(given)} name columns of files; the data set {source!r} has its own target."
            )
        return DatasetSource(source, loaders[source], columns.modalities)
    if not Path(source).is_dir():
        raise ValueError(f"{source!r} is neither a folder nor a data set. The data sets are {', '.join(loaders)}.")
    return FolderSource(Path(source), columns)
