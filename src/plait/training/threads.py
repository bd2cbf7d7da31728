"""How many threads a step is best run with: found by trial, again and again, where that cannot change a result.

Small operations lose more to waking threads than they gain, on a shared machine two orders of magnitude, and what
is best changes as other programs come and go. Batched products of at least as many networks as threads are split
between the threads by whole networks, and give the same numbers with any of these numbers of threads. A single
product may be split along its sums; there the size of the module decides, since a choice by the clock would make
results depend on how busy the machine is.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import TypeVar

import torch
from torch import nn

from plait.nn.layers import Stacked
from plait.nn.module import FusionModule

_TRIALS = 3  # recent steps by which a number of threads is judged
_HOPELESS = 3  # a first trial so many times as long as a step now takes is not repeated at once
_BETTER = 0.95  # of the time now needed; more would be noise
_SHARE = 0.02  # of all time goes to later trials
_SMALL = 1_000_000


Item = TypeVar("Item")
Made = TypeVar("Made")


def side_by_side(make: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """What is made of every item, several at once: as many as torch has threads, each with one of its own.

    The numbers are those of one thread. Decompositions of many small matrices gain from that what they lose where each
    is divided between threads.

    Args:
        make: What is done to an item; mostly in torch, which lets other threads run meanwhile.
        items: The items.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(before, initializer=partial(torch.set_num_threads, 1)) as pool:
            return list(pool.map(make, items))
    finally:
        torch.set_num_threads(before)


class ThreadChoice:
    """Runs every step with a number of threads that was fast lately, and now and then tries a neighbouring one.

    The numbers are 1, 2, 4, ... and the largest; it begins with 1. A trial is one step with the next smaller or
    larger number. Three trials of a new one follow each other, unless the first was hopeless; later ones take a
    fiftieth of the time.

    Args:
        most: Threads to use at most.
    """

    def __init__(self, most: int) -> None:
        self.counts = [count for count in (2**power for power in range(most.bit_length())) if count < most] + [most]
        self.recent: list[deque[float]] = [deque(maxlen=_TRIALS) for _ in self.counts]
        self.place = self.trials = 0
        self.total = self.tried = 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Run one step."""
        if len(self.counts) == 1:
            yield
            return
        place = self._next()
        torch.set_num_threads(self.counts[place])
        start = time.perf_counter()
        yield
        self._learn(place, time.perf_counter() - start)
        torch.set_num_threads(self.counts[self.place])

    def _next(self) -> int:
        """Where in the numbers of threads the next step stands: at the present one, or at a neighbour on trial."""
        if len(self.recent[self.place]) < _TRIALS:
            return self.place
        neighbours = [place for place in (self.place - 1, self.place + 1) if 0 <= place < len(self.counts)]
        due = [place for place in neighbours if self._due(place)]
        return due[self.trials % len(due)] if due else self.place

    def _due(self, rival: int) -> bool:
        """Whether a trial is worth its time: the number is new and has some hope, or trials were cheap so far."""
        bearable = _HOPELESS * median(self.recent[self.place])
        new = len(self.recent[rival]) < _TRIALS and all(seconds < bearable for seconds in self.recent[rival])
        return new or self.tried <= _SHARE * self.total

    def _learn(self, place: int, seconds: float) -> None:
        """Note what a step took, and change to the number that was on trial if it is faster."""
        self.total += seconds
        self.recent[place].append(seconds)
        if place == self.place:
            return
        self.tried += seconds
        self.trials += 1
        known = len(self.recent[place]) == _TRIALS
        if known and median(self.recent[place]) < _BETTER * median(self.recent[self.place]):
            self.place = place


@contextmanager
def chosen_threads(threads: int | None, device: torch.device, module: FusionModule) -> Iterator[ThreadChoice]:
    """Within, the number of threads is the one given, or a good one for the module; restored after.

    Args:
        threads: Number of threads; None is by trial, up to torch's present number and that of the networks in the
            smallest product, where every product is of several networks; else one for a module of up to a million
            parameters, torch's number for a larger.
        device: Where the steps run; off the processor nothing is chosen.
        module: What is trained.
    """
    before = torch.get_num_threads()
    free = threads is None and device.type == "cpu"
    together = _together(module) if free else 1
    if free and together == 1 and sum(parameter.numel() for parameter in module.parameters()) <= _SMALL:
        threads = 1
    torch.set_num_threads(threads or before)
    try:
        yield ThreadChoice(min(before, together))
    finally:
        torch.set_num_threads(before)


def _together(module: FusionModule) -> int:
    """The number of networks in the smallest product with weights; 1 where some are a single network's."""
    parts = [part for part in module.modules() if part is not module and _own(part)]
    sizes = [len(_own(part)[0]) if isinstance(part, Stacked) else 1 for part in parts]
    return min(sizes, default=1) if module.units > 1 else 1


def _own(part: nn.Module) -> list[nn.Parameter]:
    return list(part.parameters(recurse=False))
