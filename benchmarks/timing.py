"""Wall-clock times of several things in turn, so that a busy moment of the machine falls on all of them."""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import torch

Step = Callable[[], object]
Times = dict[str, list[float]]


def interleaved(steps: Mapping[str, Step], repeats: int, warm: int = 2) -> Times:
    """Seconds of every step, run one after the other, again and again."""
    for _ in range(warm):
        for step in steps.values():
            seconds(step)
    times: Times = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            times[name].append(seconds(step))
    return times


def seconds(step: Step) -> float:
    """Seconds of one call, with all work on a GPU done."""
    _wait()
    start = time.perf_counter()
    step()
    _wait()
    return time.perf_counter() - start


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Quotients within each repeat."""
    return [above / below for above, below in zip(over, under, strict=True)]


def spread(values: Sequence[float], scale: float = 1.0) -> str:
    """Median, least and greatest."""
    least, middle, greatest = (_short(scale * value) for value in (min(values), median(values), max(values)))
    return f"{middle} ({least} to {greatest})"


def milliseconds(values: Sequence[float]) -> str:
    """The same, of seconds, in milliseconds."""
    return spread(values, 1e3)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table that a Markdown file takes as it is."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def circumstances() -> str:
    """The machine, the load on it, torch, and the date."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    load = f"load {os.getloadavg()[0]:.1f}, " if hasattr(os, "getloadavg") else ""
    name = models[0] if models else platform.processor()
    return f"{name}, {os.cpu_count()} cores, {load}torch {torch.__version__}, {datetime.now(UTC).date()}"
