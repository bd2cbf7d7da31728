"""Find the files of a real data set: on this machine first, then from its public source."""

import csv
import gzip
import hashlib
import importlib.util
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pooch
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
Folder = str | os.PathLike[str] | None

# What numpy, csv, gzip and zipfile raise on a damaged or foreign file.
UNREADABLE = (EOFError, IndexError, KeyError, OSError, ValueError, csv.Error, zipfile.BadZipFile, zlib.error)


class DamagedFileError(ValueError):
    """A file cannot be read or does not hold the published data; the message names it."""


@dataclass(frozen=True)
class Source:
    """Where a data set lies and how it is read.

    Args:
        name: Folder of the data set below a data folder.
        file: The prepared file in that folder.
        read: Reads the prepared file; errors name it (`naming`).
        parts: The published files, relative to that folder (and to where packages are installed).
        build: Reads the published files of a folder; gives the same arrays as `read`.
        sha256: Digest of the arrays (`digest`), however they were obtained.
        urls: Published files by file name, each with its address and its sha256 (None where none is
            known: then the digest of the arrays is the check).
        package: Installed package that may ship the parts, or None.
    """

    name: str
    file: str
    read: Callable[[Path], Arrays]
    parts: tuple[str, ...]
    build: Callable[[Path], Arrays]
    sha256: str
    urls: Mapping[str, tuple[str, str | None]]
    package: str | None = None


def fetch(source: Source, data_home: Folder, download: bool) -> Arrays:
    """Return the arrays of a data set from the first place that has it.

    The places, in this order: `data_home`, the folder in the environment variable PLAIT_DATA, the cache, an
    installed package that ships the files, and with `download` the public source (kept in `data_home`, or
    else in the cache).

    Raises:
        FileNotFoundError: If no place on this machine has it and `download` is False.
        OSError: If the public source cannot be reached, or the folder not be written.
        DamagedFileError: If a file is damaged or is not the published one (a ValueError).
    """
    for place in filter(None, _places(data_home).values()):
        folder = place / source.name
        if (folder / source.file).is_file():
            return _checked(source, source.read(folder / source.file), folder / source.file)
        if _has_parts(source, folder):
            return _built(source, folder)
    installed = _installed(source)
    if installed is not None:
        return _built(source, installed)
    if not download:
        raise FileNotFoundError(_not_found(source, data_home) + " `download=True` gets it from its public source.")
    return _built(source, _download(source, data_home))


def digest(arrays: Arrays) -> str:
    """Return the sha256 of names, types, shapes and values, the same on every machine."""
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        text = array.dtype.kind == "U"
        values = "\n".join(array).encode() if text else array.astype(array.dtype.newbyteorder("<")).tobytes()
        total.update(f"{name} {'text' if text else array.dtype.name} {array.shape}".encode() + values)
    return total.hexdigest()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into one error that names the file."""
    try:
        yield
    except DamagedFileError:
        raise
    except UNREADABLE as error:
        raise DamagedFileError(
            f"{path} cannot be read ({type(error).__name__}: {error}). "
            "It is damaged or not the published file. Remove it and fetch again."
        ) from error


def read_npz(path: Path) -> Arrays:
    """Read all arrays of an npz file; pickled objects are refused."""
    with naming(path):
        if not zipfile.is_zipfile(path):
            raise ValueError("not an npz archive, or cut off")
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)


def read_csv(path: Path) -> NDArray[Any]:
    """Read a comma-separated file, gzipped or not, as a table of text with equally many cells in each row."""
    opener = gzip.open if path.suffix == ".gz" else open
    with naming(path), opener(path, "rt", encoding="utf-8", newline="") as lines:
        table = np.array(list(csv.reader(lines)), dtype=np.str_)
        if table.ndim != 2:
            raise ValueError("the file is empty")
        return table


def _places(data_home: Folder) -> dict[str, Path | None]:
    variable = os.environ.get("PLAIT_DATA")
    return {
        "data_home": Path(data_home).expanduser() if data_home else None,
        "$PLAIT_DATA": Path(variable).expanduser() if variable else None,
        "the cache": Path(pooch.os_cache("plait")),
    }


def _has_parts(source: Source, folder: Path) -> bool:
    return all((folder / part).is_file() for part in source.parts)


def _installed(source: Source) -> Path | None:
    """Return where packages are installed, if the one that ships the parts is there; never import it."""
    spec = importlib.util.find_spec(source.package) if source.package else None
    roots = [Path(found).parent for found in (spec.submodule_search_locations or [])] if spec else []
    return next((root for root in roots if _has_parts(source, root)), None)


def _built(source: Source, folder: Path) -> Arrays:
    first = folder / source.parts[0]
    return _checked(source, source.build(folder), first if len(source.parts) == 1 else first.parent)


def _checked(source: Source, arrays: Arrays, path: Path) -> Arrays:
    found = digest(arrays)
    if found != source.sha256:
        raise DamagedFileError(
            f"{path} does not hold the published data set '{source.name}': its arrays should have the sha256 "
            f"{source.sha256[:12]}..., but have {found[:12]}.... It is damaged or another release. "
            "Remove it and fetch again."
        )
    return arrays


def _download(source: Source, data_home: Folder) -> Path:
    places = _places(data_home)
    folder = (places["data_home"] or Path(pooch.os_cache("plait"))) / source.name
    remote = pooch.create(
        path=folder,
        base_url="",
        registry={name: sha256 for name, (_, sha256) in source.urls.items()},
        urls={name: url for name, (url, _) in source.urls.items()},
    )
    try:
        for name in source.urls:
            remote.fetch(name)
    except (OSError, ValueError) as error:
        raise OSError(
            f"{_not_found(source, data_home)} The download into {folder} failed "
            f"({type(error).__name__}: {error}). Try again with a network, or copy the file there by hand."
        ) from error
    return folder


def _not_found(source: Source, data_home: Folder) -> str:
    looked = [f"{name} ({place or 'not set'})" for name, place in _places(data_home).items()]
    if source.package:
        looked.append(f"the package '{source.package}' (not installed, or without the files)")
    hint = f", or `pip install {source.package}`" if source.package else ""
    return (
        f"The data set '{source.name}' was not found. Looked for {source.name}/{source.file} in "
        f"{', '.join(looked)}. Set PLAIT_DATA to the folder that holds {source.name}/{hint}."
    )
