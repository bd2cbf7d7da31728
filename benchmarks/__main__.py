"""All benchmarks: `python -m benchmarks`, or a small run of each: `python -m benchmarks --quick`."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.cohorts import CASES, FOUR_MODALITIES, SETTING_2_2, TINY
from benchmarks.fits import by_memory, by_time
from benchmarks.heartbeats import by_parts, some_beats
from benchmarks.one_fit import Fit, in_own_process, measured
from benchmarks.sharing import by_threads
from benchmarks.skew_heads import by_stacking
from benchmarks.skew_networks import by_passes, by_truncation, sentences_and_images, two_of_twelve
from benchmarks.skew_pairs import Scan, against_pair_by_pair, by_scan
from benchmarks.speed import against_literal_loop, against_machine, by_rhos, by_students
from benchmarks.step_block import Size, against_cross_attention, by_steps, by_tokens
from benchmarks.students import SERIES, Measure, by_cores, by_growth, save_picture
from benchmarks.timing import circumstances
from plait.skew import HeadSettings

_COUNTS = (6, 12, 24, 48, 96)
_COHORTS = (16, 32, 64, 128, 256, 500)
_ROWS, _MANY_ROWS = (200, 400, 800, 1600), (800, 1600, 3200, 6400, 16000)
_TOKENS = {64: 32, 128: 32, 256: 16, 512: 16, 1024: 8}  # samples of so many tokens


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that are asked for and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny cohorts, a few repeats: does it run?")
    parser.add_argument("--only", nargs="*", choices=list(_SECTIONS), default=list(_SECTIONS), help="which tables")
    parser.add_argument("--pictures", type=Path, help="folder for the pictures of the tables that have some")
    parser.add_argument("--threads", type=int, default=1, help="threads of the tables of steps (default 1)")
    options = parser.parse_args(arguments)
    print(circumstances())
    for name in options.only:
        _SECTIONS[name](options)


def _steps(options: argparse.Namespace, device: str = "cpu") -> None:
    cases, repeats = ([TINY], 2) if options.quick else (CASES, 21)
    against_literal_loop(cases, repeats, device)
    against_machine(cases, repeats, device)
    one = TINY if options.quick else SETTING_2_2
    by_students(one, (2, 4) if options.quick else _COUNTS, repeats, device)
    by_rhos([TINY] if options.quick else (SETTING_2_2, FOUR_MODALITIES), (2, 4), repeats, device)


def _on_processor(options: argparse.Namespace) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        _steps(options)
    finally:
        torch.set_num_threads(before)


def _on_gpu(options: argparse.Namespace) -> None:
    if torch.cuda.is_available():
        _steps(options, "cuda")


def _threads(options: argparse.Namespace) -> None:
    by_threads([TINY] if options.quick else CASES, 0.01 if options.quick else 6.0)


def _memory(options: argparse.Namespace) -> None:
    by_memory(*((100, 2) if options.quick else (2000, 10)), narrow=options.quick)


def _time(options: argparse.Namespace) -> None:
    by_time(*((70, 2) if options.quick else (1386, 100)))


def _step_block(options: argparse.Namespace) -> None:
    sizes = [Size(2, 4, 8)] if options.quick else [Size(rows, tokens) for tokens, rows in _TOKENS.items()]
    against_cross_attention(sizes, 2 if options.quick else 11)
    one, repeats = (Size(2, 4, 8), 2) if options.quick else (Size(32, 64), 21)
    by_steps(one, (1, 2, 4, 8), repeats)
    by_tokens(one, (4, 8, 12) if options.quick else (64, 128, 256, 512, 1024), repeats)


def _heartbeats(options: argparse.Namespace) -> None:
    by_parts(some_beats(8, drawn=True) if options.quick else some_beats(256), 2 if options.quick else 21)


def _skew_pairs(options: argparse.Namespace) -> None:
    quick, repeats = options.quick, 2 if options.quick else 11
    scan = Scan(60, 30, 3, 8, 2, HeadSettings(4, 2, draws=20)) if quick else Scan()
    by_scan(scan, 1 if quick else 3)
    against_pair_by_pair(scan, repeats)
    by_stacking(*((2, 24, (8,)) if quick else (12, 4000, (256, 64, 16))), repeats)
    by_passes(*((2, 20, 10, 2) if quick else (12, 40, 10, 10)))
    random = two_of_twelve(*((64, 4, 2) if quick else (384, 64, 32)))
    pairs = ((12, 12), (12, 4), (4, 12), (4, 4))
    by_truncation("Twelve blocks each, random weights", *random, pairs, repeats)
    if not quick:
        by_truncation(
            "MiniLM and a small network", *sentences_and_images(64), ((6, 6), (6, 2), (2, 6), (2, 2)), repeats
        )


def _students(options: argparse.Namespace) -> None:
    if options.quick:
        fit, measure = Fit(4, 40, "drawn", epochs=1, threads=1, alone=1), measured
        by_cores([fit], measure)
    else:
        fit, measure = Fit(), in_own_process
        by_cores([fit, replace(fit, threads=1, alone=5), replace(fit, folds=5)], measure)
    base = replace(fit, alone=0)
    few = {} if options.quick else {"students": 64}
    students, rows = ((4, 5), (30, 40)) if options.quick else (_COHORTS, _ROWS)
    fits = {name: [replace(base, **one, students=n) for n in students] for name, one in SERIES.items()}
    _growth(options, "students", fits, measure)
    fits = {name: [replace(base, **few, **one, rows=n) for n in rows] for name, one in SERIES.items()}
    if not options.quick:
        fits["networks alone, simulated"] = [Fit(64, n, "simulated", learners=()) for n in _MANY_ROWS]
    _growth(options, "rows", fits, measure)


def _growth(options: argparse.Namespace, axis: str, fits: Mapping[str, Sequence[Fit]], measure: Measure) -> None:
    growth = by_growth(f"More {axis}", axis, fits, measure)
    if options.pictures is not None:
        save_picture(growth, axis, options.pictures / f"{axis}.svg")


_SECTIONS: dict[str, Callable[[argparse.Namespace], None]] = {
    "steps": _on_processor,
    "gpu": _on_gpu,
    "threads": _threads,
    "memory": _memory,
    "time": _time,
    "step-fusion": _step_block,
    "heartbeats": _heartbeats,
    "skew-pairs": _skew_pairs,
    "students": _students,
}

if __name__ == "__main__":
    main()
