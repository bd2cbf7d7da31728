"""How many threads a step is best run with: found by timing the first steps.

Small operations lose more to waking threads than they gain, and on a shared machine an order of magnitude.
On a processor the choice does not change a result: batched products are split between threads by whole rows.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import torch

_TRIALS = 3


class ThreadChoice:
    """Times steps with one thread and with all, in turn, and stays with the faster.

    Args:
        most: Threads to use at most.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.seconds: dict[int, list[float]] = {1: [], most: []} if most > 1 else {}
        self._warm = False

    @contextmanager
    def step(self) -> Iterator[None]:
        """Run one step, timed while the choice is open."""
        if not self.seconds:
            yield
            return
        threads = min(self.seconds, key=lambda count: len(self.seconds[count]))
        torch.set_num_threads(threads)
        start = time.perf_counter()
        yield
        if self._warm:
            self.seconds[threads].append(time.perf_counter() - start)
        self._warm = True
        if all(len(times) >= _TRIALS for times in self.seconds.values()):
            torch.set_num_threads(min(self.seconds, key=lambda count: median(self.seconds[count])))
            self.seconds = {}


@contextmanager
def chosen_threads(threads: int | None, device: torch.device) -> Iterator[ThreadChoice]:
    """Within, the number of threads is the one given, or the one that measurement prefers; restored after.

    Args:
        threads: Number of threads; None is by measurement, up to torch's present number.
        device: Where the steps run; off the processor nothing is measured.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield ThreadChoice(before if threads is None and device.type == "cpu" else 1)
    finally:
        torch.set_num_threads(before)
