"""`plait reproduce`: a paper's experiment, run by run, and what it says at the end."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plait.reproduce.outcome import Outcome
from plait.reproduce.page import page
from plait.reproduce.registry import study_by_name
from plait.reproduce.running import reproduce
from plait.reproduce.study import Request

HOME = Path("reproduced")
"""Folder of all reproductions where none is named."""


@dataclass(frozen=True)
class ReproduceRequest:
    """What was asked for.

    Args:
        name: Name of the reproduction.
        only: Patterns of the names of runs.
        seeds: Seeds, as text: "1,2,3".
        out: Folder of runs and tables; None is one named like the reproduction, in `HOME`.
        epochs: Most epochs; None is what the protocol says.
        threads: Threads; None is the trainer's choice.
        verbose: 0 is silent.
    """

    name: str
    only: Sequence[str]
    seeds: str
    out: Path | None
    epochs: int | None
    threads: int | None
    verbose: int

    @property
    def folder(self) -> Path:
        """Where runs and tables go."""
        return self.out or HOME / self.name


def reproduced(request: ReproduceRequest) -> Outcome:
    """Run what is not done yet.

    Raises:
        ValueError: If there is no such reproduction, no run matches, or the seeds are no list of numbers.
    """
    study = study_by_name(request.name, Request(seeds_from_text(request.seeds), request.epochs, request.threads))
    return reproduce(study, request.folder, request.only, request.verbose)


def seeds_from_text(text: str) -> tuple[int, ...]:
    """Seeds from "1,2,3".

    Raises:
        ValueError: If they are no whole numbers with commas between them, or one is there twice.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,9}", part) for part in parts) or len({*map(int, parts)}) < len(parts):
        raise ValueError(f"--seeds takes whole numbers with commas between them, each once: 1,2,3; got {text!r}.")
    return tuple(map(int, parts))


def lines(outcome: Outcome, folder: Path) -> Iterable[str]:
    """What is told at the end, for people: the page, every threshold, and where the files are."""
    yield page(outcome)
    yield from map(_told, outcome.checks.to_dict("records"))
    yield f"results: {folder}"


def settle(outcome: Outcome) -> None:
    """Let a reproduction whose thresholds do not all hold end as an error.

    Raises:
        ValueError: If a threshold does not hold; the message names all that do not.
    """
    checks = outcome.checks
    failed = checks[~checks["held"].astype(bool)] if len(checks) else checks
    if len(failed):
        named = "; ".join(map(_words, failed.to_dict("records")))
        raise ValueError(f"{len(failed)} of {len(checks)} thresholds of {outcome.study.name} do not hold: {named}")


def _told(one: Mapping[Any, Any]) -> str:
    """A threshold in a line."""
    return f"{'held' if one['held'] else 'NOT HELD':<8}  {_words(one)}; {one['runs']} run(s); {one['source']}"


def _words(one: Mapping[Any, Any]) -> str:
    return f"{one['check']}: {one['measured']:.4f} ({one['threshold']})"
