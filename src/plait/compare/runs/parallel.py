"""All runs of a plan: those that are stored are read, the others computed, in one process or in many."""

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from joblib import Parallel, delayed
from joblib.parallel import get_active_backend

from plait.compare.runs.executed import Executed, collect
from plait.compare.runs.plan import Plan, Run
from plait.compare.runs.record import Record
from plait.compare.runs.running import Failure, compute
from plait.compare.runs.store import Claim, Store, open_store
from plait.training.progress import progress_bar

_PAUSE = 0.2  # seconds between two looks at runs that other processes are computing
_ROUND = 4  # tasks a worker and round, where the backend gives results only at the end of a round


def execute(
    plan: Plan, store: Store | str | os.PathLike[str] | None = None, jobs: int | None = None, verbose: int = 1
) -> Executed:
    """Run a plan; what is in the store is not computed again.

    Every finished run is stored at once: whenever it is interrupted, the next call goes on. A run that another process
    is computing in the same store is left to it, and read when it is there. A contender whose method raises an error
    is given up with that error; the others go on.

    Args:
        plan: What is run.
        store: Where runs are kept, or the folder of a store; None keeps them in memory, for this call alone.
        jobs: Number of processes, -1 for one a core. None is 1, or what `joblib.parallel_config` says around the
            call: its backend may spread the runs with Dask or Ray. Results do not depend on it, bit for bit.
        verbose: 1 shows a progress bar on standard error; 0 is silent.

    Raises:
        ValueError: If the plan cannot be run.
    """
    runs = plan.runs()
    work = _Work(plan, store if isinstance(store, Store) else open_store(store), runs, jobs)
    work.finish(verbose)
    return collect(plan, runs, work.records, work.failures, work.computed)


class _Work:
    """The runs under way.

    Args:
        plan: What is run.
        store: Where runs are kept.
        runs: The runs of the plan.
        jobs: Number of processes.
    """

    def __init__(self, plan: Plan, store: Store, runs: list[Run], jobs: int | None) -> None:
        self.plan, self.store, self.jobs = plan, store, jobs
        self.wanted: dict[str, Run] = {}
        self.labels: dict[str, set[str]] = defaultdict(set)
        for run in runs:
            self.wanted.setdefault(run.key, run)  # those with the same content are run once
            self.labels[run.key].add(run.contender.label)
        self.records: dict[str, Record] = {}
        self.failures: dict[str, str] = {}
        self.claims: dict[str, Claim] = {}
        self.computed = 0
        self.bar = progress_bar(0, "runs", "run", 0)

    def finish(self, verbose: int) -> None:
        """Read what is there and compute what is not, until nothing is left."""
        self.store.sweep()
        found = {key: self.store.load(key) for key in self.wanted}
        self.records = {key: record for key, record in found.items() if record is not None}
        with progress_bar(len(found), "runs", "run", verbose, len(self.records)) as self.bar:
            try:
                self._compute()
            finally:
                for claim in self.claims.values():
                    claim.release()

    def _compute(self) -> None:
        while left := self._left():
            tasks = (delayed(compute)(self.plan.samples, run) for run in self._claimed(left))
            for key, found in _results(tasks, self.jobs):
                self._receive(key, found)
            if len(self._left()) == len(left):
                self.bar.set_postfix_str("waiting for another process")
                time.sleep(_PAUSE)

    def _left(self) -> list[Run]:
        """The runs that are still to be had; those that are likely to take longest first."""
        left = [run for key, run in self.wanted.items() if key not in self.records and not self._lost(key)]
        known = defaultdict(list)
        for key, record in self.records.items():
            known[self.wanted[key].contender.label].append(record.seconds)
        longest = {label: max(seconds) for label, seconds in known.items()}
        return sorted(left, key=lambda run: -longest.get(run.contender.label, float("inf")))

    def _lost(self, key: str) -> bool:
        """Whether everyone who wants the run has failed."""
        return self.labels[key] <= set(self.failures)

    def _claimed(self, runs: Iterable[Run]) -> Iterator[Run]:
        """Those of the runs that are ours to compute."""
        for run in runs:
            claim = None if self._lost(run.key) else self.store.claim(run.key)
            if claim is None:
                continue
            found = self.store.load(run.key)
            if found is not None:  # computed by another process meanwhile
                claim.release()
                self._note(run.key, found)
                continue
            self.claims[run.key] = claim
            self.bar.set_postfix_str(run.name, refresh=False)
            yield run

    def _receive(self, key: str, found: Record | Failure) -> None:
        """Keep the result of a run of ours."""
        if isinstance(found, Failure):
            self.failures |= dict.fromkeys(self.labels[key], found.reason)
            self.bar.total = len(self.records) + len(self._left())
            self.bar.refresh()
        else:
            self.store.save(key, found)
            self.computed += 1
            self._note(key, found)
        self.claims.pop(key).release()

    def _note(self, key: str, record: Record) -> None:
        self.records[key] = record
        self.bar.update()


def _results(tasks: Iterator[Any], jobs: int | None) -> Iterator[Any]:
    """The results of the tasks as they come, by joblib's backend of the moment."""
    if getattr(get_active_backend()[0], "supports_return_generator", False):
        yield from Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")(tasks)
        return
    parallel = Parallel(n_jobs=jobs, batch_size=1)
    size = _ROUND * max(1, parallel._effective_n_jobs())
    for first in tasks:
        yield from parallel(chain([first], islice(tasks, size - 1)))
