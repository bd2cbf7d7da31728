"""Skew-pair fusion on real data: which taps of two encoders to join, and whether that beats the other ways."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from plait.reproduce.ssfn_closed import Searched, closed_form
from plait.reproduce.ssfn_encoders import Taps, taps_of
from plait.reproduce.ssfn_facts import facts, grid, words, write_folds
from plait.reproduce.ssfn_rivals import closed_names, trained_names
from plait.reproduce.ssfn_tasks import Effort, Fold, Part, Reading, Task
from plait.reproduce.ssfn_trained import HeadTraining, findings_of, trained
from plait.reproduce.study import Contrast, Found, Request, Run, Study, Table
from plait.skew.findings import Findings
from plait.skew.findings.contenders import CHOSEN
from plait.skew.judge import HeadSettings
from plait.skew.search import ClosedForm
from plait.statistics.metrics import Metric, metric_by_name

RECONSTRUCTION = (
    "Skew-pair fusion here is a reconstruction after Hu et al. 2024 (10.21203/rs.3.rs-5208094), with other data and "
    "smaller encoders; no number of the paper is claimed. Pairs, taps and operators are chosen on validation rows; "
    "every number is of test rows, which are used once. Heads in closed form are ridge regressions."
)
CLOSED, TRAINED = "closed-form", "trained"
_KEPT = 24  # taps of modalities that are held at a time


@dataclass(frozen=True)
class PairProtocol:
    """Constants of a task.

    Args:
        operators: Operators in closed form.
        rank: Principal components of a tap that are read by themselves.
        product_rank: Those that are read in products.
        draws: Draws of every bootstrap.
        encoder_epochs: Most epochs of an encoder that is trained on the spot.
        heads: How heads are trained.
    """

    operators: tuple[str, ...] = ("concat", "outer")
    rank: int = 64
    product_rank: int = 16
    draws: int = 1000
    encoder_epochs: int = 12
    heads: HeadTraining = field(default_factory=HeadTraining)

    def limited(self, epochs: int | None) -> "PairProtocol":
        """The same with at most so many epochs of anything; None leaves it."""
        if epochs is None:
            return self
        heads = replace(self.heads, epochs=min(epochs, self.heads.epochs))
        return replace(self, encoder_epochs=min(epochs, self.encoder_epochs), heads=heads)


def study_of(task: Task, request: Request, protocol: PairProtocol | None = None) -> Study:
    """All runs of a task: seeds x variants x (heads in closed form, trained heads) x rivals.

    Args:
        task: The data.
        request: Seeds, epochs, threads.
        protocol: Constants; None is the default ones.
    """
    made = (protocol or PairProtocol()).limited(request.epochs)
    plan = Plan(task, made, request.threads)
    return Study(
        name=f"ssfn/{task.name}",
        note=f"{RECONSTRUCTION} {task.note}",
        settings={**asdict(made), **task.settings, "metric": task.metric},
        runs=tuple(plan.runs(request.seeds)),
        metrics={task.metric: "higher"},
        contrasts=contrasts,
        published=partial(_published, task),
    )


class Plan:
    """Makes the runs of a task; what several of them need is computed once.

    Args:
        task: The data.
        protocol: Constants.
        threads: Threads of training; None is the trainer's choice.
    """

    def __init__(self, task: Task, protocol: PairProtocol, threads: int | None = None) -> None:
        self.task, self.protocol, self.effort = task, protocol, Effort(protocol.encoder_epochs, threads)
        self.metric: Metric = metric_by_name("classification", task.metric)
        self.folds = lru_cache(maxsize=1)(task.folds)
        self.read = lru_cache(maxsize=_KEPT)(taps_of)
        self.closed = lru_cache(maxsize=2)(self._closed)
        self.findings = lru_cache(maxsize=2)(self._findings)

    def runs(self, seeds: Sequence[int]) -> list[Run]:
        """Seed by seed, so that what rivals share is computed once a seed."""
        ways = {CLOSED: closed_names(self.task.modalities), TRAINED: trained_names(self.task.modalities)}
        return [
            self._run(variant, way, name, seed)
            for seed in seeds
            for variant in self.task.variants
            for way, names in ways.items()
            for name in names
        ]

    def _run(self, variant: str, way: str, name: str, seed: int) -> Run:
        labels: dict[str, str | int] = {"group": variant, "heads": way, "method": name}
        labels["protocol"] = self.task.variants[variant]
        arm = f"{variant}/{way}/{name.replace(' ', '-')}"
        return Run(arm, seed, labels, partial(self._found, variant, way, name, seed))

    def _found(self, variant: str, way: str, name: str, seed: int, verbose: int) -> Found:
        """On the test rows of all folds."""
        findings = self.findings(variant, way, seed)
        metric, told = self.task.metric, _tested(findings[0], name)
        numbers = {metric: told["score"], f"{metric}_low": told["low"], f"{metric}_high": told["high"]}
        if name == CHOSEN:
            return self._choice(numbers, dict(zip((fold.name for fold in self._of(variant)), findings, strict=True)))
        ends = {"gain_low": told["difference_low"], "gain_high": told["difference_high"]}
        return Found(numbers | {"gain": told["difference"]} | ends)

    def _choice(self, numbers: Mapping[str, float], folds: Mapping[str, Findings]) -> Found:
        """What each fold chose, and the means of its facts."""
        choice = {f"{name}: {words(one)}" if name else words(one): facts(one) for name, one in folds.items()}
        means = {key: float(np.mean([row[key] for row in choice.values()])) for key in next(iter(choice.values()))}
        tables = {"choice": choice, "grid": _mean_grid([grid(one) for one in folds.values()])}
        return Found({**numbers, **means}, tables, partial(write_folds, folds))

    def _findings(self, variant: str, way: str, seed: int) -> list[Findings]:
        """One a fold; what is tested is of all folds together."""
        closed, folds = self.closed(variant, seed), self._of(variant)
        if way == CLOSED:
            return Findings.of_folds([(one.search, one.judge, one.test) for one in closed])
        how, threads = self.protocol.heads, self.effort.threads
        return findings_of(
            [
                trained(how, self._taps(fold, seed), fold.part, one, seed, threads)
                for fold, one in zip(folds, closed, strict=True)
            ]
        )

    def _closed(self, variant: str, seed: int) -> list[Searched]:
        made = self.protocol
        heads = HeadSettings(made.rank, made.product_rank, draws=made.draws, random_state=seed)
        how = ClosedForm(made.operators, heads)
        return [closed_form(how, self.metric, self._taps(fold, seed), fold.part) for fold in self._of(variant)]

    def _taps(self, fold: Fold, seed: int) -> Mapping[str, Taps]:
        return {name: self._read(reading, fold.part, seed) for name, reading in fold.readings.items()}

    def _read(self, reading: Reading, part: Part, seed: int) -> Taps:
        """Taps of a pretrained encoder do not depend on the seed."""
        return self.read(reading, part, 0 if reading.kept else seed, self.effort)

    def _of(self, variant: str) -> Sequence[Fold]:
        return self.folds()[variant]


def contrasts(results: pd.DataFrame) -> list[Contrast]:
    """What was chosen against every rival with the same kind of heads."""
    arms = [str(arm) for arm in dict.fromkeys(results["arm"])]
    return [
        Contrast(f"{kind}/{CHOSEN}", arm)
        for arm in arms
        for kind, _, name in [arm.rpartition("/")]
        if name != CHOSEN and f"{kind}/{CHOSEN}" in arms
    ]


def _published(task: Task, results: pd.DataFrame) -> pd.DataFrame:
    public = task.published()
    if public.empty or results.empty:
        return pd.DataFrame()
    return public[public["group"].isin(results["group"])]


def _tested(findings: Findings, name: str) -> dict[str, float]:
    """The numbers of a row."""
    rows = findings.tested.drop(columns="what").set_index("name").to_dict("index")
    return {str(column): float(value) for column, value in rows[name].items()}


def _mean_grid(folds: Sequence[Table]) -> Table:
    """Mean over the folds that scored a pair."""
    cells: dict[str, dict[str, list[float]]] = {}
    for fold in folds:
        for row, line in fold.items():
            for column, value in line.items():
                cells.setdefault(row, {}).setdefault(column, []).append(value)
    return {row: {column: float(np.mean(own)) for column, own in line.items()} for row, line in cells.items()}
