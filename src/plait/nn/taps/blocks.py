"""The blocks of a network: by their paths, or by their type."""

from collections.abc import Mapping, Sequence
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
        ValueError: If a path or type is not found, two paths are of the same part, or `blocks` is something else.
    """
    if isinstance(blocks, type) and issubclass(blocks, nn.Module):
        kind: type = blocks
        of_kind = [path for path, part in module.named_modules() if path and isinstance(part, kind)]
        return _found(module, kind.__name__, of_kind)
    wanted = [blocks] if isinstance(blocks, str) else blocks
    if not isinstance(wanted, Sequence) or not wanted or not all(isinstance(path, str) for path in wanted):
        raise ValueError(
            f"blocks must be a path such as 'encoder.layer.*', a list of paths, or a subclass of torch.nn.Module (got "
            f"{blocks!r})."
        )
    known = _named(module)
    each = [_found(module, path, [other for other in known if _matches(other, path)]) for path in wanted]
    found = tuple(dict.fromkeys(path for paths in each for path in paths))
    _check_different(module, {path: known[path] for path in found})
    return found


def _named(module: nn.Module) -> dict[str, nn.Module]:
    """All parts by path; one that has several names stands under each of them."""
    return {path: part for path, part in module.named_modules(remove_duplicate=False) if path}


def _check_different(module: nn.Module, parts: Mapping[str, nn.Module]) -> None:
    first: dict[int, str] = {}
    for path, part in parts.items():
        before = first.setdefault(id(part), path)
        if before != path:
            raise ValueError(
                f"The blocks '{before}' and '{path}' of {type(module).__name__} are the same module twice (tied "
                "weights, or two names of one part), so that it cannot be told which of its runs is which tap. Name "
                "blocks that are parts of their own."
            )


def _matches(path: str, pattern: str) -> bool:
    """Whether every part of a path between dots matches its part of the pattern."""
    parts, patterns = path.split("."), pattern.split(".")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _found(module: nn.Module, wanted: str, paths: Sequence[str]) -> tuple[str, ...]:
    """The paths, if there are any."""
    if paths:
        return tuple(paths)
    there = [f"{path} ({type(part).__name__})" for path, part in _named(module).items()]
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    raise ValueError(
        f"{type(module).__name__} has no block '{wanted}'. There is: {', '.join(there[:_SHOWN]) or 'nothing'}{more}."
    )
