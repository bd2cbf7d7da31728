"""Methods by the names that people type. What `plait.methods` exports is the register; there is no other."""

import re
from inspect import isabstract

from plait import methods
from plait.methods.base import Method


def methods_by_name() -> dict[str, type[Method]]:
    """Every method by its name: that of the class in lower case, with hyphens ("meta-fusion")."""
    exported = (getattr(methods, name) for name in methods.__all__)
    kinds = (kind for kind in exported if isinstance(kind, type) and issubclass(kind, Method))
    return {_hyphenated(kind.__name__): kind for kind in kinds if not isabstract(kind)}


def method_by_name(name: str) -> type[Method]:
    """The method of that name.

    Args:
        name: "meta-fusion", "meta" or "MetaFusion".

    Raises:
        ValueError: If there is no such method; the message lists those there are.
    """
    known = methods_by_name()
    short = {full.removesuffix("-fusion"): kind for full, kind in known.items()}
    found = {**short, **known}.get(_hyphenated(name))
    if found is None:
        raise ValueError(f"There is no method {name!r}. The methods are {', '.join(known)}.")
    return found


def _hyphenated(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
