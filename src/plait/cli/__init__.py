"""The command line: `plait list`, `fit`, `predict`, `show`, `compare`, `rank`, `reproduce`."""

from plait.cli.app import main

__all__ = ["main"]
