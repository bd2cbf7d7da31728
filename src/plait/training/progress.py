"""Progress bars on standard error."""

import sys
import time
from types import TracebackType
from typing import Any

from tqdm import tqdm

_LONG = 2.0  # seconds after which a bar that stands still moves within an epoch


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


class EpochBar:
    """A bar that counts epochs, and moves on within those that take long.

    Args:
        epochs: Epochs at most.
        what: What is under way.
        verbose: 0 shows nothing.
    """

    def __init__(self, epochs: int, what: str, verbose: int) -> None:
        self.bar, self.done, self.mark = progress_bar(epochs, what, "epoch", verbose), 0, time.perf_counter()

    def __enter__(self) -> "EpochBar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def within(self, share: float) -> None:
        """Move to the share of the present epoch that is done, if the bar has stood still for two seconds."""
        if not self.bar.disable and time.perf_counter() - self.mark > _LONG:
            self._to(round(self.done + share, 2))

    def end(self, training: float, validation: float) -> None:
        """Count the epoch, and show its losses."""
        self.done += 1
        self.bar.set_postfix(loss=f"{training:.4g}", validation=f"{validation:.4g}", refresh=False)
        self._to(self.done)

    def _to(self, place: int | float) -> None:
        """Move the bar, which is redrawn no more often than its interval says."""
        self.mark, self.bar.n = time.perf_counter(), place
        self.bar.update(0)
