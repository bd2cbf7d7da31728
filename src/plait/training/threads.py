"""How many threads a step is best run with: found by timing the first steps, where that cannot change a result.

Small operations lose more to waking threads than they gain, and on a shared machine an order of magnitude.
Batched products of several networks are split between threads by whole networks, and give the same numbers with
any number of threads. A single product may be split along its sums; there the size of the module decides, since
a choice by the clock would make numbers depend on how busy the machine is.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import torch
from torch import nn

from plait.nn.layers import Stacked
from plait.nn.module import FusionModule

_TRIALS = 3
_SMALL = 1_000_000


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
def chosen_threads(threads: int | None, device: torch.device, module: FusionModule) -> Iterator[ThreadChoice]:
    """Within, the number of threads is the one given, or a good one for the module; restored after.

    Args:
        threads: Number of threads; None is by measurement, up to torch's present number, where every product is of
            several networks; else one for a module of up to a million parameters, torch's number for a larger.
        device: Where the steps run; off the processor nothing is chosen.
        module: What is trained.
    """
    before = torch.get_num_threads()
    free = threads is None and device.type == "cpu"
    timed = free and module.units > 1 and all(_several(part) for part in module.modules() if part is not module)
    if free and not timed and sum(parameter.numel() for parameter in module.parameters()) <= _SMALL:
        threads = 1
    torch.set_num_threads(threads or before)
    try:
        yield ThreadChoice(before if timed else 1)
    finally:
        torch.set_num_threads(before)


def _several(part: nn.Module) -> bool:
    """Whether all products with the part's own weights are of several networks at once."""
    weights = list(part.parameters(recurse=False))
    return not weights or (isinstance(part, Stacked) and len(weights[0]) > 1)
