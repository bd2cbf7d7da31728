"""The blocks of a network: by their paths, or by their type."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

_SHOWN = 30  # paths that an error lists


def block_paths(module: nn.Module, blocks: Any) -> tuple[str, ...]:
    """Dotted paths of the blocks that were asked for.

    Args:
        module: The network.
        blocks: A path or several; "*" stands for anything but a dot: "encoder.layer.*". Or a type: all parts of it,
            but not the network itself.

    Raises:
        ValueError: If a path or type is not found, or `blocks` is something else.
    """
    known = [path for path, _ in module.named_modules() if path]
    if isinstance(blocks, type) and issubclass(blocks, nn.Module):
        return _found(module, blocks.__name__, [path for path in known if _is_a(module, path, blocks)])
    wanted = [blocks] if isinstance(blocks, str) else blocks
    if not isinstance(wanted, Sequence) or not wanted or not all(isinstance(path, str) for path in wanted):
        raise ValueError(
            f"blocks must be a path such as 'encoder.layer.*', a list of paths, or a subclass of torch.nn.Module (got "
            f"{blocks!r})."
        )
    each = [_found(module, path, [other for other in known if _matches(other, path)]) for path in wanted]
    return tuple(dict.fromkeys(path for paths in each for path in paths))


def _is_a(module: nn.Module, path: str, kind: type) -> bool:
    return isinstance(module.get_submodule(path), kind)


def _matches(path: str, pattern: str) -> bool:
    """Whether every part of a path between dots matches its part of the pattern."""
    parts, patterns = path.split("."), pattern.split(".")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _found(module: nn.Module, wanted: str, paths: Sequence[str]) -> tuple[str, ...]:
    """The paths, if there are any."""
    if paths:
        return tuple(paths)
    there = [f"{path} ({type(part).__name__})" for path, part in module.named_modules() if path]
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    raise ValueError(
        f"{type(module).__name__} has no block '{wanted}'. There is: {', '.join(there[:_SHOWN]) or 'nothing'}{more}."
    )
