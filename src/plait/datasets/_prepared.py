"""Data sets whose files were prepared from public sources and are hosted nowhere in this form."""

from pathlib import Path
from types import MappingProxyType

from plait.datasets._fetch import Arrays, Folder, Source, fetch, naming, read_csv, read_npz


def prepared(source: Source, origin: str, data_home: Folder, download: bool) -> Arrays:
    """The arrays of a prepared file, from the first place on this machine that has it.

    Args:
        source: The file.
        origin: What it was made from, for the error.
        data_home: Folder to look in first.
        download: True makes a missing file an OSError, since nothing can be downloaded.

    Raises:
        FileNotFoundError: If it is nowhere and `download` is False.
        OSError: If it is nowhere and `download` is True.
        DamagedFileError: If it is damaged or not the file that was prepared (a ValueError).
    """
    try:
        return fetch(source, data_home, download=False)
    except FileNotFoundError as error:
        kind = OSError if download else FileNotFoundError
        looked = str(error).partition(" `download=True`")[0]
        raise kind(
            f"{looked} No public place holds this prepared file, so it cannot be downloaded: it was made from {origin} "
            "(see the description)."
        ) from error


def archive(folder: str, file: str, sha256: str) -> Source:
    """A prepared file of arrays.

    Args:
        folder: Folder of the data set below a data folder.
        file: An npz file in it.
        sha256: Digest of its arrays.
    """
    return Source(
        folder, file, read_npz, (file,), build=lambda place: read_npz(place / file), sha256=sha256, urls=_NOWHERE
    )


def table(folder: str, file: str, sha256: str) -> Source:
    """A prepared file of columns of text, as in `archive`; an empty cell and one of NA are texts too."""
    return Source(
        folder,
        file,
        read_columns,
        (file,),
        build=lambda place: read_columns(place / file),
        sha256=sha256,
        urls=_NOWHERE,
    )


def read_columns(path: Path) -> Arrays:
    """The columns of a comma-separated file by name, all of them text."""
    rows = read_csv(path)
    with naming(path):
        return dict(zip(rows[0].tolist(), rows[1:].T, strict=True))


_NOWHERE: MappingProxyType[str, tuple[str, str | None]] = MappingProxyType({})
