"""Progress bars on standard error."""

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(total: int, what: str, unit: str, verbose: int, done: int = 0) -> "tqdm[Any]":
    """A bar that is redrawn on a terminal, and tells a line once in a while in a log file.

    Args:
        total: Number of steps.
        what: What is under way.
        unit: What a step is called.
        verbose: 0 shows nothing.
        done: Steps that were done before.
    """
    terminal = sys.stderr.isatty()
    interval = 0.1 if terminal else 10.0
    return tqdm(
        total=total,
        desc=what,
        unit=unit,
        initial=done,
        disable=not verbose,
        dynamic_ncols=terminal,
        mininterval=interval,
        maxinterval=max(interval, 10.0),
    )
