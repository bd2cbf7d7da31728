"""Fingerprints: SHA-256 of networks with their settings, and of data."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import chain
from types import BuiltinFunctionType, FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from plait.nn.taps.inputs import tensors_of

_PLAIN = (bool, int, float, str, type(None), torch.dtype)
_UNTOLD = {"training", "transformers_version"}  # they say nothing about what a network computes


def digest(parts: Iterable[str | Tensor]) -> str:
    """SHA-256 of texts and tensors in order, in hexadecimal digits; tensors count with their shape and number format.

    Raises:
        ValueError: If a tensor holds no numbers (it lies on the device 'meta').
    """
    found = hashlib.sha256()
    for part in parts:
        content = _content(part) if isinstance(part, Tensor) else [part.encode()]
        for piece in content:
            found.update(len(piece).to_bytes(8, "little"))
            found.update(piece)
    return found.hexdigest()


def module_digest(module: nn.Module, *settings: str) -> str:
    """SHA-256 of a network: all weights and buffers, the classes of its parts and their plain attributes.

    Args:
        module: The network.
        settings: Texts that count as well.
    """
    described = [*settings, *(_told(found.to_dict()) for found in _configurations(module))]
    for path, part in module.named_modules():
        described += [path, type(part).__qualname__, _told(vars(part))]
    tensors = chain(
        module.named_parameters(remove_duplicate=False),
        module.named_buffers(remove_duplicate=False),
    )
    return digest(chain(described, *((name, tensor) for name, tensor in tensors)))


def data_fingerprint(values: Any) -> str:
    """SHA-256 of what encoders read, in hexadecimal digits.

    Args:
        values: A tensor, a tuple or a dictionary of tensors, or a list of texts.

    Raises:
        ValueError: If they are something else.
    """
    tensors = tensors_of(values)
    names = list(values) if isinstance(values, Mapping) else [str(place) for place in range(len(tensors))]
    return digest(chain(*zip(names, tensors, strict=True)) if tensors else chain(["texts"], values))


def _content(tensor: Tensor) -> list[bytes | memoryview]:
    """Number format, shape and numbers of a tensor."""
    if tensor.is_meta:
        raise ValueError("A tensor on the device 'meta' holds no numbers. Load the weights first.")
    dense = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return [f"{tensor.dtype}{tuple(tensor.shape)}".encode(), dense.numpy().data]


def _configurations(module: nn.Module) -> list[Any]:
    """The different configurations, in the manner of Hugging Face, of all parts of a network."""
    found = {id(part.config): part.config for part in module.modules() if hasattr(part, "config")}
    return [one for one in found.values() if hasattr(one, "to_dict")]


def _told(attributes: Mapping[Any, Any]) -> str:
    """The plain ones of some attributes, sorted; what is private is left out."""
    shown = {str(name): _text(value) for name, value in attributes.items()}
    kept = {name: text for name, text in shown.items() if text is not None and not name.startswith("_")}
    return json.dumps({name: text for name, text in sorted(kept.items()) if name not in _UNTOLD})


def _text(value: Any) -> str | None:
    """A number, a word, a function's name, or a collection of them as text; None for anything else."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, FunctionType | BuiltinFunctionType):
        return value.__qualname__
    if isinstance(value, Mapping):
        return _told(value)
    if isinstance(value, tuple | list):
        return json.dumps([_text(item) for item in value])
    return None
