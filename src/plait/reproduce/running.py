"""One run after the other, each kept as soon as it is finished."""

import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from plait.reproduce.outcome import Outcome
from plait.reproduce.store import RunFolder, content_of
from plait.reproduce.study import Run, Study
from plait.reproduce.writing import write_all
from plait.training.progress import progress_bar


def reproduce(study: Study, folder: Path, only: Sequence[str] = (), verbose: int = 1) -> Outcome:
    """Do what is not done yet, and write the tables.

    A killed reproduction goes on where it stopped. The tables are of all runs in the folder that were made with the
    same settings and version, whatever `only` says.

    Args:
        study: What is run.
        folder: Where runs and tables are kept; it is made if need be.
        only: Patterns (`*`, `?`, `[...]`) of which a run's name must match one; () is all runs.
        verbose: 0 shows nothing; 1 a progress bar over the runs, and that of the training on a terminal.

    Returns:
        The tables.

    Raises:
        ValueError: If no run matches, or a stored run is damaged.
    """
    runs, kept = selected(study.runs, only), RunFolder(folder)
    due = [run for run in runs if not kept.has(content_of(study, run))]
    outcome = Outcome.of(study, kept.read())
    with progress_bar(len(runs), study.name, "run", verbose, done=len(runs) - len(due)) as bar:
        for run in due:
            bar.set_postfix_str(run.name)
            _finish(study, run, kept, verbose)
            outcome = Outcome.of(study, kept.read())
            outcome.write_results(folder)
            bar.update()
    write_all(outcome, folder)
    return outcome


def selected(runs: Sequence[Run], only: Sequence[str]) -> list[Run]:
    """The runs whose names match one of the patterns; all, where there is none.

    Raises:
        ValueError: If none matches.
    """
    found = [run for run in runs if not only or any(fnmatchcase(run.name, pattern) for pattern in only)]
    if not found:
        raise ValueError(
            f"No run matches {' or '.join(map(repr, only))}. Names are like {runs[0].name!r} or {runs[-1].name!r}; "
            "a pattern may hold * and ?."
        )
    return found


def _finish(study: Study, run: Run, kept: RunFolder, verbose: int) -> None:
    """Run it and keep it, unless another process has meanwhile."""
    content = content_of(study, run)
    if kept.has(content):
        return
    start = time.perf_counter()
    found = run.fit(int(bool(verbose) and sys.stderr.isatty()))
    kept.save(content, found, time.perf_counter() - start)
