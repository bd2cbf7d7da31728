"""One entry of a cache of taps: a folder with one array a tap, and a manifest that vouches for them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

FORMAT = 1
"""Number of the layout of an entry; another one is not read."""
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Entry:
    """What an entry was made of, and so where it is.

    Args:
        folder: The cache.
        encoder: Fingerprint of the encoder.
        pool: Name of the pooling.
        data: Fingerprint of the samples.
        dtype: Number format of the arrays.
    """

    folder: Path
    encoder: str
    pool: str
    data: str
    dtype: str

    @property
    def made_of(self) -> dict[str, str]:
        """All that decides about the content."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}

    @property
    def path(self) -> Path:
        """The folder of the entry, named by SHA-256 of what it was made of."""
        return self.folder / hashlib.sha256(json.dumps(self.made_of, sort_keys=True).encode()).hexdigest()

    @staticmethod
    def array(folder: Path, tap: int) -> Path:
        """The file of a tap."""
        return folder / f"tap_{tap:03d}.npy"

    def exists(self) -> bool:
        """Whether the entry was finished, in whatever state it may be now."""
        return self.path.exists()

    def finish(self, made: Path, shapes: Sequence[tuple[int, ...]]) -> None:
        """Vouch for the arrays in a folder and make it the entry, unless another process was faster."""
        files = [self.array(made, tap) for tap in range(1, len(shapes) + 1)]
        listed = [{"shape": list(shape), "sha256": _digest(file)} for file, shape in zip(files, shapes, strict=True)]
        manifest = {"format": FORMAT, "made_of": self.made_of, "taps": listed}
        (made / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        try:
            made.rename(self.path)
        except OSError:
            if not self.exists():
                raise

    def read(self) -> list[np.ndarray]:
        """The arrays, each checked against the manifest, mapped into memory and read-only.

        Raises:
            ValueError: If a file is missing or damaged, is of another format, or is not what the manifest says.
        """
        told = self._told()
        return [self._array(self.array(self.path, tap), one) for tap, one in enumerate(told, start=1)]

    def _told(self) -> list[tuple[tuple[int, ...], str]]:
        """Shape and digest of every tap, as the manifest says."""
        file = self.path / _MANIFEST
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
            signed = {name: manifest[name] for name in ("format", "made_of")}
            told = [(tuple(map(int, one["shape"])), str(one["sha256"])) for one in manifest["taps"]]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise self._damaged(file, f"cannot be read as a manifest: {error}") from error
        if signed != {"format": FORMAT, "made_of": self.made_of} or not told:
            raise self._damaged(file, f"tells of another format than {FORMAT}, or of other taps")
        return told

    def _array(self, file: Path, told: tuple[tuple[int, ...], str]) -> np.ndarray:
        """The array of a tap, if it is what the manifest says."""
        shape, digest = told
        if not file.is_file() or _digest(file) != digest:
            raise self._damaged(file, "is missing, or its content is not what was saved (the checksum differs)")
        try:
            array = np.load(file, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise self._damaged(file, f"cannot be read as an array: {error}") from error
        if array.shape != shape or array.dtype != np.dtype(self.dtype):
            raise self._damaged(file, f"holds {array.dtype} of shape {array.shape}, not {self.dtype} of {shape}")
        return np.asanyarray(array)

    def _damaged(self, file: Path, reason: str) -> ValueError:
        return ValueError(f"{file} {reason}. Remove the folder {self.path}: its taps are then made again.")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
