"""The search for skew pairs in closed form: how long it takes, where the time goes, and how far the limit is."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.heartbeats import Clock
from benchmarks.step_block import processor_times
from benchmarks.timing import Step, Times, milliseconds, ratios, spread, table
from plait.skew import ClosedForm, HeadSettings, TapData, TapSpace
from plait.skew.findings import Findings
from plait.skew.greedy import forward
from plait.skew.judge import Judge, Split
from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import PENALTIES, TapFeatures, Terms, ridge_outputs
from plait.statistics.metrics import metric_by_name

_NAMES = ("image", "text")
_ACCURACY = metric_by_name("classification", "accuracy")


@dataclass(frozen=True)
class Scan:
    """A scan by its sizes.

    Args:
        train: Samples that heads are fitted on.
        held: Samples that judge them.
        taps: Taps of each of two encoders.
        width: Features of a tap.
        classes: Number of classes.
        how: Ranks and draws.
    """

    train: int = 4000
    held: int = 1000
    taps: int = 12
    width: int = 384
    classes: int = 4
    how: HeadSettings = field(default_factory=HeadSettings)

    @property
    def space(self) -> TapSpace:
        """All pairs."""
        return TapSpace(dict.fromkeys(_NAMES, self.taps))

    def judge(self, data: TapData) -> Judge:
        """Scalings, and what heads read."""
        rows = np.arange(self.train + self.held)
        return Judge(self.how, [Split(data, rows[: self.train], rows[self.train :])], _ACCURACY)

    def data(self) -> TapData:
        """Taps that tell the classes best at a third of the depth of the one encoder, two thirds of the other."""
        draw, count = np.random.default_rng(0), self.train + self.held
        target = np.arange(count) % self.classes
        taps = {}
        for name, best in zip(_NAMES, (self.taps // 3, 2 * self.taps // 3), strict=True):
            code = draw.standard_normal((self.classes, 24))[target] + 4 * draw.standard_normal((count, 24))
            own = [0.7 ** abs(tap - best) * code + draw.standard_normal((count, 24)) for tap in range(self.taps)]
            noise = (3 * draw.standard_normal((count, self.width)) for _ in own)
            mixed = (
                one @ draw.standard_normal((24, self.width)) + other for one, other in zip(own, noise, strict=True)
            )
            taps[name] = [one.astype(np.float32) for one in mixed]
        return TapData(taps, target, np.eye(self.classes)[target], np.arange(count))


def _mixed(code: np.ndarray, width: int, draw: np.random.Generator) -> np.ndarray:
    """Signals among much noise."""
    return code @ draw.standard_normal((code.shape[1], width)) + 3 * draw.standard_normal((len(code), width))


def by_scan(scan: Scan, repeats: int) -> None:
    """Seconds of a whole search on one thread and on two, and where they go."""
    data, rows = scan.data(), []
    for operators in (("concat",), ("concat", "outer")):  # the second is what is searched by default
        searches = {threads: partial(_searched, scan, data, operators, threads) for threads in (1, 2)}
        taken: dict[int, list[tuple[float, float]]] = {threads: [] for threads in searches}
        for _ in range(repeats):
            for threads, search in searches.items():
                taken[threads].append(search())
        for threads, times in taken.items():
            spent, wall = (spread([time[which] for time in times]) for which in (0, 1))
            rows.append((" and ".join(operators), threads, spent, wall))
    title = f"{scan.taps} x {scan.taps} taps of width {scan.width}, {scan.train} + {scan.held} samples"
    table(f"A whole search: {title}", ("operators", "threads", "processor time, s", "on the clock, s"), rows)
    with threadpool_limits(1):
        _by_parts(scan, data, repeats)


def _searched(scan: Scan, data: TapData, operators: tuple[str, ...], threads: int) -> tuple[float, float]:
    """Seconds of the processor and of the clock, from cached taps to findings."""
    spent, wall = time.process_time(), time.perf_counter()
    with threadpool_limits(threads):
        judge = scan.judge(data)
        Findings.of(ClosedForm(operators, scan.how).judged(judge), judge)
    return time.process_time() - spent, time.perf_counter() - wall


def _by_parts(scan: Scan, data: TapData, repeats: int) -> None:
    times: Times = defaultdict(list)
    for _ in range(repeats):
        _parts(scan, data, times)
    total = sum(median(took) for took in times.values())
    rows = [(part, milliseconds(took), f"{median(took) / total:.0%}") for part, took in times.items()]
    table("Where the time of a search goes", ("part", "ms", "share"), rows)


def _parts(scan: Scan, data: TapData, times: Times) -> None:
    """The search, cut where one part hands its values to the next."""
    clock = Clock(times)
    judge = scan.judge(data)
    clock.tick("taps: standardised, principal components")
    grid = [(pair,) for pair in scan.space.all()]
    for operator in ("concat", "outer"):
        outputs = judge.outputs([CLOSED_FORM[operator](pairs) for pairs in grid])
        clock.tick(f"{operator}: heads of all pairs")
        values = judge.scored(outputs).values
        clock.tick(f"{operator}: scores of all pairs, {scan.how.draws} draws")
        best = [grid[row][0] for row in np.argsort(-values)[:12]]
        forward(partial(judge.sets, operator), best)
        clock.tick(f"{operator}: greater sets")
    judge.alone(judge.taps)
    clock.tick("single taps")
    clock.last = time.process_time()
    search = ClosedForm(heads=scan.how).judged(judge)
    clock.last = time.process_time()
    Findings.of(search, judge)
    clock.tick("findings: baselines, similarity, tables")
    clock.write()


def against_pair_by_pair(scan: Scan, repeats: int) -> None:
    """Heads of all pairs from shared blocks, beside a design a pair, and beside bare products and solutions."""
    judge, rows = scan.judge(scan.data()), []
    seen, unseen = judge._features[0]
    target = judge.splits[0].data.outputs[: scan.train]
    for operator in ("concat", "outer"):
        heads = [CLOSED_FORM[operator]((pair,)) for pair in scan.space.all()]
        steps = {
            "by pair": lambda heads=heads: [_alone(seen, target, unseen, head) for head in heads],
            "blocks": lambda heads=heads: ridge_outputs(TapFeatures(seen.whole, seen.few), target, unseen, heads),
            "limit": _limit(operator, scan, seen),
        }
        with threadpool_limits(1):
            times = processor_times(steps, repeats)
        faster, above = (
            ratios(times[one], times[other]) for one, other in (("by pair", "blocks"), ("blocks", "limit"))
        )
        rows.append((operator, *map(milliseconds, times.values()), spread(faster), spread(above)))
    header = (
        "operator",
        "pair by pair, ms",
        "shared blocks, ms",
        "bare products, ms",
        "times faster",
        "times the limit",
    )
    table(f"Heads of all {len(scan.space)} pairs, one thread", header, rows)


def _alone(seen: TapFeatures, target: np.ndarray, unseen: TapFeatures, head: Terms) -> np.ndarray:
    """One ridge regression, from its design to its outputs."""
    design, new = (np.hstack([taps.read(term) for term in head]) for taps in (seen, unseen))
    mean, centre = design.mean(axis=0), target.mean(axis=0)
    design = design - mean
    shares = np.full(design.shape[1], PENALTIES[len(head[0]) - 1] * len(design))
    weights = np.linalg.solve(design.T @ design + np.diag(shares), design.T @ (target - centre))
    return (new - mean) @ weights + centre


def _limit(operator: str, scan: Scan, seen: TapFeatures) -> Step:
    """The multiply-adds of the blocks and of the equations, on numbers that are there already."""
    draw, pairs = np.random.default_rng(0), len(scan.space)
    width = seen.whole["image", 1].shape[1]
    few = seen.few["image", 1].shape[1]
    size, equations = {"concat": (width, 2 * width), "outer": (few * (few + 1) // 2, few**2)}[operator]
    blocks = pairs + 2 * scan.taps * (operator == "concat")  # and every tap with itself
    one, other = (draw.standard_normal((scan.train, size)) for _ in _NAMES)
    gram, right = np.eye(equations) + 0.001, draw.standard_normal((equations, scan.classes))
    sums = np.empty((size, size))

    def step() -> None:
        for _ in range(blocks):
            np.matmul(one.T, other, out=sums)
        for _ in range(pairs):
            np.linalg.solve(gram, right)

    return step
