"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A name to write under; what was written takes the place of `path` at the end, in one step.

    If the writing fails, a file that was there stays as it was.

    Args:
        path: The file; its folder must exist.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    path = Path(path)
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to write {path.name} into. Make it first.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write text in UTF-8, whole or not at all; a file that is there is replaced.

    Raises:
        OSError: If it cannot be written.
    """
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
    return Path(path)
