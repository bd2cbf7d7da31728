"""The planted benchmark of skew pairs: whether a search finds the pair that is known to be the best, or none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from plait.datasets import make_planted_taps
from plait.datasets.planted_taps import planted_inputs
from plait.reproduce.planted_checks import checks
from plait.reproduce.planted_data import Planted
from plait.reproduce.planted_modules import ModuleReading
from plait.reproduce.planted_numbers import ACCURACY, Trial, closed_form_outputs, test_judge
from plait.reproduce.planted_training import TrainedGrid
from plait.reproduce.study import Found, Request, Run, Study
from plait.skew.judge import HeadSettings
from plait.skew.search import ClosedForm, Search
from plait.skew.uncertainty import Scored, simultaneous
from plait.training.trainer import Trainer

NOTE = (
    "A benchmark of ours, of which it is known how good every pair can be; the search is a reconstruction after Hu et "
    "al. (2024), and no number of the paper is claimed or quoted. Pairs are chosen on validation rows; accuracies "
    "named test, and grids, are of test rows. Every seed draws data of its own."
)
TRAIN_OF_SGD = 2000
"""Training rows of trained heads on XOR, half of those of heads in closed form."""
_METRICS = {
    "recovered": "higher",
    "test_chosen": "higher",
    "test_gain": "higher",
    "correlation": "higher",
    "max_deviation": "lower",
    "planted_frequency": "higher",
    "confidence_set": "lower",
}


@dataclass(frozen=True)
class PlantedProtocol:
    """Every constant of the benchmark.

    Args:
        draws: Draws of the bootstrap.
        shortlist: Pairs from which greater sets are built.
        most: Most pairs of a set.
        repeats: Data sets a seed where fusion is useless; one everywhere else.
        width: Size of joint vectors of trained heads.
        epochs: Epochs of trained heads, along half a cosine.
        batch_size: Samples a step.
        learning_rate: At the first step.
        weight_decay: Of AdamW.
    """

    draws: int = 2000
    shortlist: int = 12
    most: int = 4
    repeats: int = 10
    width: int = 8
    epochs: int = 30
    batch_size: int = 256
    learning_rate: float = 1e-2
    weight_decay: float = 1e-3

    @property
    def heads(self) -> HeadSettings:
        """Of ridge heads; everything else of them is the default."""
        return HeadSettings(draws=self.draws)


@dataclass(frozen=True)
class Arm:
    """What is run with every seed.

    Args:
        size: Size of the data.
        task: Name in the arm: a task of `make_planted_taps`, or what is done to one.
        operator: Fusion operator.
        fit: Gives the numbers; its arguments are the arm, the plan, the seed and whether progress is shown.
        correlation: Of neighbouring taps.
        drawn: The task that is drawn.
    """

    size: str
    task: str
    operator: str
    fit: "Fit"
    correlation: float = 0.8
    drawn: str = ""

    @property
    def name(self) -> str:
        """Size (with the correlation where it is not 0.8), task, operator."""
        return f"{self.group}/{self.task}/{self.operator}"

    @property
    def group(self) -> str:
        """The size, with the correlation where it is not 0.8."""
        return self.size if self.correlation == 0.8 else f"{self.size}-{self.correlation:g}"

    def draw(self, seed: int) -> Planted:
        """The data set of a seed."""
        task = self.drawn or self.task
        bunch = make_planted_taps(task, self.size, correlation=self.correlation, random_state=seed)
        return Planted.of(bunch, bunch.taps)


Fit = Callable[[Arm, "Plan", int, int], Found]


@dataclass(frozen=True)
class Plan:
    """Makes the runs.

    Args:
        protocol: Constants.
        request: Seeds and threads.
    """

    protocol: PlantedProtocol
    request: Request

    def run(self, arm: Arm, seed: int) -> Run:
        """One arm with one seed."""
        labels: dict[str, str | int] = {"group": arm.group, "method": f"{arm.task}, {arm.operator}"}
        labels |= {"lookback": "taps of two or three planted encoders", "protocol": PROTOCOLS[arm.fit]}
        return Run(arm.name, seed, labels, partial(arm.fit, arm, self, seed))

    def closed_form(self, planted: Planted, operator: str, verbose: int = 0) -> tuple[Search, Trial]:
        """A search by ridge heads, and what is measured of it."""
        made = self.protocol
        how = ClosedForm((operator,), made.heads, made.shortlist, made.most)
        search = how.search(planted.data, planted.train, planted.validation, ACCURACY, verbose)
        outputs = closed_form_outputs(test_judge(planted, made.heads), operator)
        return search, Trial(planted, search, outputs, made.heads)

    def trainer(self) -> Trainer:
        """How heads are trained that have no closed form."""
        made = self.protocol
        return Trainer(
            epochs=made.epochs,
            batch_size=made.batch_size,
            learning_rate=made.learning_rate,
            weight_decay=made.weight_decay,
            patience=None,
            device="cpu",
            schedule="cosine",
            threads=self.request.threads,
        )


def searched(arm: Arm, plan: Plan, seed: int, verbose: int) -> Found:
    """The search in closed form on one data set."""
    return plan.closed_form(arm.draw(seed), arm.operator, verbose)[1].found()


def unequal(arm: Arm, plan: Plan, seed: int, verbose: int) -> Found:
    """The same where the second encoder has two taps fewer."""
    planted = arm.draw(seed)
    second = list(planted.data.space.depths.items())[-1]
    return plan.closed_form(planted.shallower(second[0], second[1] - 2), arm.operator, verbose)[1].found()


def repeated(arm: Arm, plan: Plan, seed: int, verbose: int) -> Found:
    """The search on several data sets: means of the numbers, the largest `winner_frequency`, and shares of errors."""
    repeats = plan.protocol.repeats
    drawn = (arm.draw(seed * repeats + place) for place in range(repeats))
    both = [plan.closed_form(planted, arm.operator, verbose) for planted in drawn]
    each = pd.DataFrame([trial.found().numbers for _, trial in both])
    verdicts = [search.selection.verdict for search, _ in both]
    numbers = {str(name): float(value) for name, value in each.mean().items()}
    numbers |= {"winner_frequency": float(each["winner_frequency"].max()), "data_sets": float(repeats)}
    numbers["mean_winner_frequency"] = float(each["winner_frequency"].mean())
    numbers["supported"] = float(np.mean([verdict != "no supported fusion" for verdict in verdicts]))
    numbers["test_supported"] = float((each["test_gain_low"] > 0).mean())
    numbers["over_late"] = float(np.mean([_over_late(search) for search, _ in both]))
    return Found(numbers, {"verdict": {name: {"runs": float(verdicts.count(name))} for name in set(verdicts)}})


def _over_late(search: Search) -> bool:
    """Whether some pair has a supported gain over the last taps."""
    pairs = search.space.all()
    singles = Scored(search.fused.values[: len(pairs)], search.fused.drawn[:, : len(pairs)])
    return bool((simultaneous(singles.minus(pairs.index(search.space.late()[0]))).low > 0).any())


def trained(arm: Arm, plan: Plan, seed: int, verbose: int) -> Found:
    """All pairs by trained heads."""
    planted, made = arm.draw(seed), plan.protocol
    planted = replace(planted, train=planted.train[:TRAIN_OF_SGD])
    grid = TrainedGrid(arm.operator, made.width, plan.trainer(), made.heads, seed, verbose)
    search, outputs = grid.search(planted)
    return Trial(planted, search, outputs, made.heads).found()


def modules(arm: Arm, plan: Plan, seed: int, verbose: int) -> Found:
    """Taps of real modules, from a cache."""
    bunch = planted_inputs(arm.drawn, arm.size, correlation=arm.correlation, random_state=seed)
    reading = ModuleReading.of(bunch, seed)
    found = plan.closed_form(reading.planted(bunch), arm.operator, verbose)[1].found()
    apart = {"online_apart": reading.online, "truncated_apart": reading.truncated}
    return replace(found, numbers={**found.numbers, **apart})


PROTOCOLS: Mapping[Fit, str] = {
    searched: "ridge heads, sets of up to four pairs; one data set a seed",
    unequal: "ridge heads, sets of up to four pairs; the second encoder without its two last taps",
    repeated: "ridge heads, sets of up to four pairs; ten data sets a seed, means",
    trained: "heads trained by AdamW, single pairs, 2000 training rows",
    modules: "ridge heads; taps of real modules in which signals emerge, by way of a cache",
}
_EVERYWHERE: Sequence[tuple[str, str, Fit]] = (
    *((task, "concat", searched) for task in ("add", "decoy", "diag", "late", "tri")),
    ("xor", "outer", searched),
    ("xor", "bilinear", trained),
    ("multi", "outer", searched),
    ("uni", "concat", repeated),
    ("null", "concat", repeated),
)
ARMS = (
    *(Arm("small", task, operator, fit) for task, operator, fit in _EVERYWHERE),
    Arm("small", "xor", "concat", searched),
    Arm("small", "unequal", "concat", unequal, drawn="add"),
    Arm("small", "modules", "concat", modules, drawn="add"),
    *(Arm("full", task, operator, fit) for task, operator, fit in _EVERYWHERE),
    *(Arm(size, "add", "concat", searched, rho) for rho in (0.9, 0.95) for size in ("small", "full")),
)
"""All arms: every task in both sizes, what is asked of one size alone, and neighbouring taps that are more alike."""


def study(request: Request, protocol: PlantedProtocol | None = None) -> Study:
    """All runs: arms x seeds, seed by seed.

    Args:
        request: Seeds, epochs of trained heads, threads.
        protocol: Constants; None is the default ones.
    """
    made = protocol or PlantedProtocol()
    made = replace(made, epochs=request.epochs or made.epochs)
    plan = Plan(made, request)
    return Study(
        name="ssfn/planted",
        note=NOTE,
        settings=asdict(made),
        runs=tuple(plan.run(arm, seed) for seed in request.seeds for arm in ARMS),
        metrics=_METRICS,
        contrasts=lambda _: (),
        published=lambda _: pd.DataFrame(),
        checks=checks,
    )
