"""All runs of a plan: resumed, shared between processes, killed, and always the same numbers."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pytest

from plait.compare.runs import parallel
from plait.compare.runs.changes import OnlyModalities
from plait.compare.runs.parallel import execute
from plait.compare.runs.plan import Contender
from plait.compare.runs.store import FolderStore, MemoryStore
from plait.methods.baseline import Baseline
from plait.methods.early import EarlyFusion
from plans import USUAL, same_outcomes, slow_plan, small_plan
from samples import three_modalities

X, Y = three_modalities(60)
TESTS = Path(__file__).resolve().parents[1]


def stored(folder):
    """Keys of the runs in a store."""
    return {path.name for path in Path(folder).glob("??/*")}


def leftovers(folder):
    """What should not be there when nobody is at work."""
    return [*Path(folder).glob(".locks/*"), *Path(folder).glob(".unfinished/*")]


def test_outputs_stand_where_their_samples_are():
    """Every reported sample once a repeat, the seconds of every fit, tables and facts of every run."""
    done = execute(small_plan(seeds=(4, 2)), verbose=0)
    assert list(done.outcomes.contenders) == ["baseline", "early", "meta"]
    assert done.outcomes.seeds == (4, 2)
    for one in done.outcomes.contenders.values():
        assert one.outputs.shape == (2, 1, 60, 2)
        np.testing.assert_allclose(one.outputs.sum(-1), 1)
        assert one.seconds.shape == (2, 1, 2)
        assert (one.seconds > 0).all()
    assert done.outcomes["early"].joins == "features"
    assert (done.computed, done.reused, done.failures) == (12, 0, {})
    assert len(done.facts) == 12
    assert set(done.tables) == {"cohort", "modality_values"}
    values = done.tables["modality_values"]
    assert list(values.columns[:5]) == ["method", "repeat", "fold", "seed", "modality"]
    assert len(values) == 4 * 3


def test_a_second_call_computes_nothing(tmp_path):
    """All is read, in a moment; further repeats and contenders use what is there."""
    first = execute(small_plan(), tmp_path, verbose=0)
    start = time.perf_counter()
    second = execute(small_plan(), tmp_path, verbose=0)
    assert time.perf_counter() - start < 2
    assert (first.computed, second.computed, second.reused) == (6, 0, 6)
    assert same_outcomes(first.outcomes, second.outcomes)
    for name, table in first.tables.items():
        assert table.equals(second.tables[name])
    more = execute(small_plan(*USUAL[:2], repeats=2), tmp_path, verbose=0)
    assert (more.computed, more.reused) == (4, 4)


def test_what_is_damaged_is_computed_again(tmp_path):
    """That run alone, with a warning, to the same numbers."""
    plan = small_plan(*USUAL[:2])
    first = execute(plan, tmp_path, verbose=0)
    key = first.facts["key"][2]
    (tmp_path / key[:2] / key / "outputs.npz").write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"):
        second = execute(plan, tmp_path, verbose=0)
    assert (second.computed, second.reused) == (1, 3)
    assert same_outcomes(first.outcomes, second.outcomes)


def test_contenders_with_the_same_content_are_run_once():
    """Two labels, one method: as many runs as one has."""
    done = execute(small_plan(USUAL[1], replace(USUAL[1], label="again", kind="single")), MemoryStore(), verbose=0)
    assert (done.computed, len(done.facts)) == (2, 4)
    assert np.array_equal(done.outcomes["early"].outputs, done.outcomes["again"].outputs)


@dataclass(repr=False, eq=False)
class Unlucky(Baseline):
    """Raises at its second fit."""

    def fit(self, course):
        Unlucky.fits += 1
        if Unlucky.fits > 1:
            raise ValueError("no luck today")
        return super().fit(course)


def test_a_method_that_fails_is_given_up_and_the_others_go_on(tmp_path):
    """Its reason is told, its other runs are skipped, nothing of the failure is stored."""
    Unlucky.fits = 0
    plan = small_plan(Contender("unlucky", "fusion", Unlucky()), *USUAL[:2], repeats=2)
    done = execute(plan, tmp_path, verbose=0)
    assert done.failures == {"unlucky": "ValueError: no luck today"}
    assert Unlucky.fits == 2
    assert done.outcomes["unlucky"].failure == "ValueError: no luck today"
    assert np.isnan(done.outcomes["unlucky"].outputs).all()
    assert np.isfinite(done.outcomes["early"].outputs).all()
    assert set(done.facts["method"]) == {"baseline", "early"}
    assert len(stored(tmp_path)) == 9
    assert not leftovers(tmp_path)


@dataclass(repr=False, eq=False)
class Interrupting(Baseline):
    """Ctrl-C in the middle of a fit."""

    def fit(self, course):
        raise KeyboardInterrupt


def test_an_interruption_leaves_a_store_that_can_go_on(tmp_path):
    """At once; what was finished is there."""
    with pytest.raises(KeyboardInterrupt):
        execute(small_plan(USUAL[0], Contender("stop", "fusion", Interrupting()), USUAL[1]), tmp_path, verbose=0)
    assert len(stored(tmp_path)) == 2
    assert not leftovers(tmp_path)
    assert execute(small_plan(), tmp_path, verbose=0).reused == 2


def test_progress_names_the_run(capsys):
    """On standard error; silent on demand."""
    execute(small_plan(*USUAL[:2]), verbose=1)
    shown = capsys.readouterr()
    assert "4/4" in shown.err
    assert "early (repeat 0, fold 1, seed 0)" in shown.err
    assert shown.out == ""
    execute(small_plan(USUAL[0]), verbose=0)
    assert capsys.readouterr().err == ""


def test_runs_that_take_long_come_first(tmp_path, monkeypatch):
    """By the seconds of earlier runs of the same contender; those without any before them."""
    slow = slow_plan(0.0)
    execute(replace(slow, splits=replace(slow.splits, parts=slow.splits.parts[:1])), tmp_path, verbose=0)
    seen = []
    monkeypatch.setattr(parallel, "compute", lambda samples, run: seen.append(run) or (run.key, parallel.Failure("no")))
    new = Contender("new", "fusion", EarlyFusion(hidden=(7,)))
    done = execute(replace(slow, contenders=(*slow.contenders, new)), tmp_path, verbose=0)
    labels = [run.contender.label for run in seen]
    assert labels[0] == "new"
    known = execute(replace(slow, splits=replace(slow.splits, parts=slow.splits.parts[:1])), tmp_path, verbose=0)
    seconds = known.facts.set_index("method")["seconds"]
    assert labels[1:] == list(seconds.sort_values(ascending=False).index)
    assert set(done.failures) == set(labels)


# Processes


def test_threads_change_no_number():
    """Which is why they are not part of a key."""
    plan = small_plan(USUAL[2])
    one, other = (
        execute(replace(plan, trainer=replace(plan.trainer, threads=given)), verbose=0) for given in (None, 2)
    )
    assert same_outcomes(one.outcomes, other.outcomes)


def test_processes_change_no_number(tmp_path):
    """Two processes and one, bit for bit; subsets and absent modalities too."""
    only = Contender("only", "subset", EarlyFusion(hidden=(4,)), OnlyModalities(("image",)))
    plan = small_plan(*USUAL, only)
    one, two = execute(plan, verbose=0), execute(plan, tmp_path, jobs=2, verbose=0)
    assert two.computed == 8
    assert same_outcomes(one.outcomes, two.outcomes)
    assert not leftovers(tmp_path)


def test_the_backend_of_joblib_is_the_users_choice():
    """What `parallel_config` says is used, without a number of jobs of ours."""
    with joblib.parallel_config(backend="threading", n_jobs=2):
        done = execute(small_plan(USUAL[0]), verbose=0)
    assert same_outcomes(done.outcomes, execute(small_plan(USUAL[0]), verbose=0).outcomes)


def test_a_backend_that_cannot_give_results_one_by_one_gives_them_in_rounds(monkeypatch):
    """Between two rounds all of them are stored."""
    monkeypatch.setattr(parallel, "get_active_backend", lambda: (object(), 1))
    monkeypatch.setattr(parallel, "_ROUND", 3)
    plan = small_plan(USUAL[0], repeats=4)
    rounds = []
    monkeypatch.setattr(parallel, "Parallel", _counting(rounds))
    done = execute(plan, verbose=0)
    assert done.computed == 8
    assert rounds == [3, 3, 2]


def _counting(rounds):
    """joblib's Parallel, which notes how many tasks each call has."""

    class Counting(joblib.Parallel):
        def __call__(self, tasks):
            listed = list(tasks)
            rounds.append(len(listed))
            return super().__call__(listed)

    return Counting


def forked(*args):
    """A process of its own that executes the slow plan."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python minds threads of the libraries
        process = multiprocessing.get_context("fork").Process(target=_work, args=args)
        process.start()
    return process


def _work(folder, report):
    done = execute(slow_plan(0.03), folder, verbose=0)
    Path(report).write_text(f"{done.computed} {done.reused}")


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the test starts processes by fork")


@needs_fork
def test_kill_9_at_any_time_loses_the_run_in_progress_alone(tmp_path):
    """Killed again and again, then resumed: the numbers of an uninterrupted comparison, and nothing left behind."""
    draw = np.random.default_rng()
    for _ in range(5):
        process = forked(tmp_path / "runs", tmp_path / "report")
        time.sleep(draw.uniform(0.05, 0.5))
        process.kill()
        process.join()
    before = len(stored(tmp_path / "runs"))
    done = execute(slow_plan(0.03), tmp_path / "runs", verbose=0)
    assert (done.computed, done.reused) == (16 - before, before)
    assert same_outcomes(done.outcomes, execute(slow_plan(0.03), verbose=0).outcomes)
    assert not leftovers(tmp_path / "runs")
    assert stored(tmp_path / "runs") == set(done.facts["key"])


@needs_fork
def test_two_processes_share_a_store(tmp_path):
    """Every run is computed once, by one of them; both end with all of them."""
    reports = [tmp_path / "one", tmp_path / "two"]
    processes = [forked(tmp_path / "runs", report) for report in reports]
    for process in processes:
        process.join()
    counts = [tuple(map(int, report.read_text().split())) for report in reports]
    assert sum(computed for computed, _ in counts) == 16
    assert all(computed + reused == 16 for computed, reused in counts)
    assert all(computed > 0 for computed, _ in counts)
    done = execute(slow_plan(0.03), tmp_path / "runs", verbose=0)
    assert done.reused == 16
    assert same_outcomes(done.outcomes, execute(slow_plan(0.03), verbose=0).outcomes)
    assert not leftovers(tmp_path / "runs")


@needs_fork
def test_a_run_that_another_process_has_is_waited_for(tmp_path):
    """Claimed elsewhere: the others first, then that one when the other process has given it up."""
    plan = small_plan(*USUAL[:2])
    store = FolderStore(tmp_path)
    claim = store.claim(plan.runs()[0].key)
    seen = []

    def pause(seconds):
        seen.append(len(stored(tmp_path)))
        claim.release()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel.time, "sleep", pause)
        done = execute(plan, tmp_path, verbose=0)
    assert seen == [3]
    assert done.computed == 4


def started(folder, report, jobs):
    """A program of its own that executes the slow plan."""
    command = [sys.executable, str(TESTS / "plans.py"), str(folder), "0.2", str(jobs), str(report)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_program_that_is_stopped_goes_on(tmp_path, jobs, kind):
    """A program of its own with one process or two, killed or interrupted as soon as it has stored something."""
    process = started(tmp_path / "runs", tmp_path / "report", jobs)
    while len(stored(tmp_path / "runs")) < 3:
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(kind)
    assert process.wait(30) != 0
    before = len(stored(tmp_path / "runs"))
    assert 3 <= before < 16
    again = started(tmp_path / "runs", tmp_path / "report", jobs)
    assert again.wait(300) == 0
    assert (tmp_path / "report").read_text() == f"{16 - before} {before}"
    assert not leftovers(tmp_path / "runs")
    for pid in (process.pid, again.pid):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # the workers are of the same session


@pytest.mark.slow
def test_dask_may_spread_the_runs(tmp_path):
    """A cluster of two worker processes computes what one process computes."""
    distributed = pytest.importorskip("distributed", reason="pip install plait[scale]")
    plan = small_plan(repeats=2)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        spread = execute(plan, tmp_path, verbose=0)
    assert spread.computed == 12
    assert same_outcomes(spread.outcomes, execute(plan, verbose=0).outcomes)
