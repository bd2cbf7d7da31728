"""How many threads? One, all, and the number found by trial, beside other programs."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from benchmarks.cohorts import Case, random_batch
from benchmarks.steps import batched_step
from benchmarks.timing import Step, table
from plait.training.threads import ThreadChoice

_SPIN = "while True: pass"


def by_threads(cases: Sequence[Case], patience: float) -> None:
    """Milliseconds a step, the mean over so many seconds of steps."""
    rows = []
    for case in cases:
        plan = case.plan()
        step = batched_step(plan, random_batch(plan, 64))
        rows.append((case.name, "as found", *_means(step, patience)))
        with _busy(torch.get_num_threads()):
            rows.append((case.name, "busy", *_means(step, patience)))
    header = (
        "cohort",
        "machine",
        "one thread, ms",
        f"{torch.get_num_threads()} threads, ms",
        "by trial, ms",
        "ended with",
    )
    table("Threads, alone and beside a program that keeps every core busy", header, rows)


def _means(step: Step, patience: float) -> tuple[str, str, str, int]:
    most = torch.get_num_threads()
    try:
        fixed = [_fixed(step, threads, patience) for threads in (1, most)]
        choice = ThreadChoice(most)
        chosen = _mean(lambda: _by_trial(choice, step), patience)
        return f"{fixed[0]:.3g}", f"{fixed[1]:.3g}", f"{chosen:.3g}", torch.get_num_threads()
    finally:
        torch.set_num_threads(most)


def _fixed(step: Step, threads: int, patience: float) -> float:
    torch.set_num_threads(threads)
    return _mean(step, patience)


def _by_trial(choice: ThreadChoice, step: Step) -> None:
    with choice.step():
        step()


def _mean(step: Step, patience: float) -> float:
    """Milliseconds a call, over at least so many seconds."""
    step()
    start, count, spent = time.perf_counter(), 0, 0.0
    while spent <= patience:
        step()
        count, spent = count + 1, time.perf_counter() - start
    return 1e3 * spent / count


@contextmanager
def _busy(cores: int) -> Iterator[None]:
    """Other programs on so many cores."""
    others = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(cores)]
    try:
        time.sleep(0.2)
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()
