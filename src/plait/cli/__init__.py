"""The command line: `plait list`, `fit`, `predict`, `show`."""

from plait.cli.app import main

__all__ = ["main"]
