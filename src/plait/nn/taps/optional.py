"""Packages of the extra `pretrained`, imported where they are first used."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_EXTRA = "pip install 'plait[pretrained]'"


def imported(package: str, purpose: str) -> Any:
    """A package.

    Args:
        package: Its name.
        purpose: What needs it.

    Raises:
        ImportError: If it is not installed; the message says how to install it.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(f"{purpose} needs {package}: {_EXTRA}.") from error


def folder_of(package: str, purpose: str) -> Path:
    """The folder of a package, whose code does not run.

    Args:
        package: Its name.
        purpose: What needs it.

    Raises:
        ImportError: If it is not installed; the message says how to install it.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ImportError(f"{purpose} needs {package}: {_EXTRA}.")
    return Path(found.origin).parent
