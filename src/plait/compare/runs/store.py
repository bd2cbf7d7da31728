"""Where runs are kept, by content: none is computed twice, and none is ever seen half."""

import os
import shutil
import tempfile
import warnings
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from plait.compare.runs.record import DamagedRecordError, Record, read_record, write_record

_LOCKS, _UNFINISHED, _README = ".locks", ".unfinished", "README.txt"
_TEXT = """This folder holds the runs of a comparison by plait, one folder a run.

A run is one method fitted on one split of the data with one seed. Its folder bears the SHA-256 of all that the outputs
depend on: method and settings, data, split, seed, version. run.json says what was run, how long it took and with which
versions; outputs.npz holds the predictions of the reported samples; tables.json the findings of the fit.

The same run is never computed again: a comparison that was interrupted goes on where it stopped, and several may use
this folder at the same time. Any run, or all of them, may be deleted: what is needed is computed anew. Nothing in here
is executed when it is read. .locks and .unfinished belong to comparisons that are under way.
"""


class Claim(ABC):
    """The right to compute a run; it ends when it is released, or with the process."""

    @abstractmethod
    def release(self) -> None:
        """Give it back."""


class Store(ABC):
    """Keeps what runs gave, by the keys of the runs."""

    @abstractmethod
    def load(self, key: str) -> Record | None:
        """What a run gave; None if it is not there."""

    @abstractmethod
    def claim(self, key: str) -> Claim | None:
        """The right to compute a run; None if some other process is about to. Never waits."""

    @abstractmethod
    def save(self, key: str, record: Record) -> None:
        """Keep what a run gave. Only who has claimed the run may do so."""

    @abstractmethod
    def sweep(self) -> None:
        """Remove what processes left behind that were killed."""


def open_store(folder: str | os.PathLike[str] | None) -> Store:
    """A store in a folder, which is made if need be; None keeps everything in memory.

    Raises:
        NotADirectoryError: If the folder is a file.
    """
    return MemoryStore() if folder is None else FolderStore(folder)


class _Free(Claim):
    """Nobody else can want it."""

    def release(self) -> None:
        pass


class MemoryStore(Store):
    """Runs are kept as long as this object."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}

    def load(self, key: str) -> Record | None:
        return self.records.get(key)

    def claim(self, key: str) -> Claim:
        return _Free()

    def save(self, key: str, record: Record) -> None:
        self.records[key] = record

    def sweep(self) -> None:
        pass


class _Lock(Claim):
    """A lock of the operating system on a file, which vanishes with the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = FileLock(path, thread_local=False)

    def acquire(self) -> bool:
        """Whether the lock could be had at once."""
        try:
            self.lock.acquire(blocking=False)
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Remove the file while it is still locked (who had opened it before tries again), then unlock."""
        with suppress(OSError):  # Windows removes no open file; it is swept later
            self.path.unlink()
        self.lock.release()


class FolderStore(Store):
    """Runs in folders of their own, by the first two digits of the key and the key.

    A run is written into a folder for unfinished ones and moved to its place in one step, so that whatever happens it
    is there in full or not at all. A file system on which processes share the folder must know locks (flock).

    Args:
        folder: Where the runs are; it is made if need be.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise NotADirectoryError(f"{self.folder} is a file. Give a folder for the runs.")

    def load(self, key: str) -> Record | None:
        """What a run gave; None if it is not there, or damaged.

        Warns:
            UserWarning: If the folder of the run is damaged; it is computed anew.
        """
        place = self._place(key)
        if not place.exists():
            return None
        try:
            return read_record(place, key)
        except DamagedRecordError as error:
            if place.exists():  # else some other process has just moved it out of the way
                warnings.warn(f"The run in {place} is damaged and computed anew ({error}).", UserWarning, stacklevel=2)
            return None

    def claim(self, key: str) -> Claim | None:
        self._prepare()
        lock = _Lock(self.folder / _LOCKS / f"{key}.lock")
        return lock if lock.acquire() else None

    def save(self, key: str, record: Record) -> None:
        place = self._place(key)
        place.parent.mkdir(exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=self.folder / _UNFINISHED, prefix=f"{key}-"))
        (unfinished / "new").mkdir()
        write_record(record, unfinished / "new")
        if place.exists():  # damaged, or it would not have been computed
            place.rename(unfinished / "damaged")
        (unfinished / "new").rename(place)
        shutil.rmtree(unfinished)

    def sweep(self) -> None:
        for path in sorted((self.folder / _UNFINISHED).glob("*-*")):
            lock = self.claim(path.name.partition("-")[0])
            if lock is not None:
                shutil.rmtree(path, ignore_errors=True)
                lock.release()
        for path in sorted((self.folder / _LOCKS).glob("*.lock")):
            lock = self.claim(path.stem)
            if lock is not None:
                lock.release()

    def _place(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _prepare(self) -> None:
        for name in (_LOCKS, _UNFINISHED):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        readme = self.folder / _README
        if not readme.exists():
            readme.write_text(_TEXT, encoding="utf-8")
