"""What a run depends on, as short texts that differ when it does: data, encoders, code."""

import hashlib
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray
from torch import nn

import plait
from plait.data.modalities import Modalities
from plait.nn.taps.base import LayeredEncoder

_CHUNK = 2**22  # elements that are made contiguous at a time
_ROOMS = ("data", "statistics", "nn", "training", "skew", "methods")
_VERSIONED = ("plait", "sklearn", "torch", "numpy", "scipy")  # packages whose versions tell their code


def data_fingerprint(
    modalities: Modalities, target: ndarray, classes: Sequence[str] = (), groups: ndarray | None = None
) -> str:
    """The SHA-256 of samples with their targets, in hexadecimal.

    It is of names, shapes, types and values, presence, ids, targets and groups: what container they came in, or how
    their arrays lie in memory, does not matter.

    Args:
        modalities: The samples.
        target: Their targets: class codes, or real values.
        classes: Names of the classes.
        groups: Their groups, None for none.
    """
    digest = hashlib.sha256()
    for name, array in modalities.items():
        _add(digest, name, array)
    _add(digest, "present", modalities.present)
    _add(digest, "ids", modalities.ids)
    _add(digest, "target", target)
    _add(digest, "classes", np.array(classes, dtype=np.str_))
    if groups is not None:
        _add(digest, "groups", groups)
    return digest.hexdigest()


def encoder_fingerprint(encoder: nn.Module | LayeredEncoder) -> str:
    """The SHA-256 of an encoder: of a layered one all that its taps depend on, else `module_fingerprint`."""
    return encoder.fingerprint() if isinstance(encoder, LayeredEncoder) else module_fingerprint(encoder)


def module_fingerprint(module: nn.Module) -> str:
    """The SHA-256 of a torch module: what it prints, its weights, and which of them are trained."""
    digest = hashlib.sha256(repr(module).encode())
    for name, tensor in module.state_dict().items():
        plain = tensor.detach().cpu()  # numpy has no bfloat16
        _add(digest, f"{name} {tensor.dtype}", (plain.double() if plain.is_floating_point() else plain).numpy())
    digest.update(repr([name for name, part in module.named_parameters() if part.requires_grad]).encode())
    digest.update(repr(sources_of(module.modules())).encode())
    return digest.hexdigest()


def canonical(content: Any) -> str:
    """JSON values as the one text they have: sorted keys, no spaces."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def key_of(content: Mapping[str, Any]) -> str:
    """The SHA-256 of JSON values, in hexadecimal."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def rows_fingerprint(rows: ndarray) -> dict[str, Any]:
    """How many samples a split chooses, and the SHA-256 of their positions."""
    return {"samples": len(rows), "sha256": hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()}


@cache
def code_version() -> str:
    """The version of plait; of one in development, with the SHA-256 of the code that learns and predicts.

    Between two releases the same version may compute other numbers, which are then not taken for those of before.
    """
    version = str(plait.__version__)
    if "dev" not in version:
        return version
    home, digest = Path(plait.__file__).parent, hashlib.sha256()
    own = [*home.glob("estimat*.py"), *(home / "compare" / "runs" / name for name in ("changes.py", "running.py"))]
    for path in sorted([*own, *(path for room in _ROOMS for path in (home / room).rglob("*.py"))]):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return f"{version}+{digest.hexdigest()[:16]}"


def source_fingerprint(kind: type) -> str:
    """The SHA-256 of the source of a user's own class; "" for one of plait, or where there is no source to read.

    It is of the file that defines the class, or of the class alone where there is no file (a notebook). What that
    file imports is not seen.
    """
    if kind.__module__.partition(".")[0] in (*_VERSIONED, "builtins"):
        return ""
    try:
        path = Path(inspect.getfile(kind))
        text = path.read_text(encoding="utf-8") if path.is_file() else inspect.getsource(kind)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(text.encode()).hexdigest()


def sources_of(parts: Iterable[Any]) -> list[str]:
    """The fingerprints of the sources of users' classes among some objects."""
    return sorted({source_fingerprint(type(part)) for part in parts} - {""})


def _add(digest: Any, name: str, array: ndarray) -> None:
    """Add an array: name, type, shape, and its values in the order of its rows."""
    if array.dtype.kind not in "biuf":
        array = np.array([repr(value) for value in array.tolist()], dtype=np.str_)
    digest.update(f"\n{name}\n{array.dtype.str}{array.shape}\n".encode())
    for part in _parts(array):
        digest.update(part.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())


def _parts(array: ndarray) -> Iterator[ndarray]:
    """The rows in parts of a moderate size."""
    rows = max(1, _CHUNK // max(1, array[:1].size))
    for start in range(0, len(array), rows):
        yield np.ascontiguousarray(array[start : start + rows])
