"""Pairs chosen by learned categoricals over taps: one for each modality, by the straight-through Gumbel softmax."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from plait.data.settings import check_one_of, check_real, check_whole
from plait.skew.judge import Judge
from plait.skew.searches.gumbel_net import JOINS, TapChoice, sides
from plait.skew.searches.ramp import Ramp, of_steps
from plait.skew.searches.resident import Resident, by_split, residents
from plait.skew.searches.tried import Memo, Scan, Tried, best, written
from plait.skew.selection import Pairs
from plait.skew.space import Pair
from plait.training.course import Course
from plait.training.trainer import Trainer


def steady_trainer() -> Trainer:
    """The trainer of choices and gates: Adam at a constant 1e-2 on batches of 256."""
    return Trainer(batch_size=256, learning_rate=1e-2, weight_decay=0.0, patience=None)


@dataclass(frozen=True)
class Gumbel:
    """How choices of taps are learned.

    Args:
        operator: "sum" has no products of the two modalities' features, "bilinear" has.
        width: Size of joint vectors, at least 1.
        restarts: Runs of each two modalities, at least 1, trained side by side with weights and draws of their own.
        steps: Steps, at least 1; rounded up to whole epochs.
        temperatures: Of the softmax at the first and at the last step, above 0.
        most: Pairs that a run chooses, at least 1; runs that choose one twice end with fewer.
        penalty: Price of choosing a pair twice, in units of the loss, >= 0; of no effect where `most` is 1.
        trainer: Its epochs are not looked at. Weights move at its learning rate, logits three times as fast.
        random_state: Seed of initial weights, order of samples and draws.
    """

    operator: str = "bilinear"
    width: int = 8
    restarts: int = 3
    steps: int = 800
    temperatures: tuple[float, float] = (2.0, 0.3)
    most: int = 1
    penalty: float = 1.0
    trainer: Trainer = field(default_factory=steady_trainer)
    random_state: int = 0

    def check(self) -> None:
        """Raise ValueError if a setting is out of its range."""
        check_one_of("operator", self.operator, JOINS)
        for name in ("width", "restarts", "steps", "most"):
            check_whole(name, getattr(self, name), 1)
        for temperature in self.temperatures:
            check_real("temperatures", temperature, above=True)
        check_real("penalty", self.penalty)


def gumbel_selection(judge: Judge, scan: Scan, how: Gumbel | None = None, verbose: int = 0) -> Tried:
    """Let networks choose their pairs while they learn, then score what was chosen by heads of its own.

    Every two modalities have their runs. After Jang et al. (2017); that the choice is one categorical a modality, not
    one over all pairs, keeps it cheap: a step costs as many projections as there are taps.

    Args:
        judge: Choices are learned on the training rows of its splits, with its rank.
        scan: Scores what was chosen, for example `functools.partial(closed_scan, judge, operator="outer")`.
        how: Of the choices.
        verbose: 1 shows a progress bar.

    Returns:
        The different sets that were chosen, with the scores by `scan`; the best of them is the choice. The history has
        a row a run: run, pairs, split (from 0), score.

    Raises:
        ValueError: If a setting is out of its range or training diverged.
    """
    how = how or Gumbel()
    how.check()
    found = [_chosen(resident, judge.space.edges, how, verbose) for resident in residents(judge)]
    memo, sets = Memo(scan), [pairs for runs in found for pairs in runs]
    fused = memo(sets)
    told = by_split([pd.DataFrame({"run": range(len(runs)), "pairs": map(written, runs)}) for runs in found])
    return memo.tried(best(sets, fused), told.assign(score=fused.values))


def _chosen(resident: Resident, edges: Sequence[tuple[str, str]], how: Gumbel, verbose: int) -> list[Pairs]:
    """What each run chose on a split, all runs of the first two modalities first."""
    trainer, steps = of_steps(how.trainer, how.steps, len(resident.data.samples))
    course = Course(trainer, resident.data, how.random_state, verbose)
    runs = [edge for edge in edges for _ in range(how.restarts)]
    net = TapChoice(
        sides(runs, resident.taps),
        how.most,
        resident.read,
        resident.data.spec.outputs,
        how.operator,
        how.width,
        Ramp(*how.temperatures, steps),
        how.penalty,
        generator=course.generator(),
    )
    course.run(net, 1, "choices of taps")
    return [_pairs(resident, slots) for slots in net.chosen().tolist()]


def _pairs(resident: Resident, slots: list[list[int]]) -> Pairs:
    """Different pairs of a run, in order."""
    pairs = [Pair(*resident.taps[first], *resident.taps[second]) for first, second in slots]
    return tuple(sorted(set(pairs), key=lambda pair: (pair.i, pair.j)))
