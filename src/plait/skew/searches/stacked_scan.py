"""All pairs at once by trained heads: one cohort of stacked heads on cached taps, the same batches for all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray

from plait.data.settings import check_one_of, check_whole
from plait.skew.heads import PairHeads
from plait.skew.judge import Judge
from plait.skew.searches.resident import Resident, by_split, residents, scored_by_seed
from plait.skew.searches.tried import Tried, best, singles
from plait.skew.selection import Pairs
from plait.skew.space import Pair
from plait.skew.stacked import OPERATORS
from plait.skew.uncertainty import Scored
from plait.training.course import Course
from plait.training.trainer import Trainer

_NUMBERS = 2**27  # of the taps of a batch that are held at once, for all pairs


def head_trainer() -> Trainer:
    """The trainer of stacked heads: AdamW at 1e-2 down half a cosine, decay 1e-3, 30 epochs of batches of 256."""
    return Trainer(epochs=30, batch_size=256, learning_rate=1e-2, weight_decay=1e-3, patience=None, schedule="cosine")


@dataclass(frozen=True)
class TrainedHeads:
    """How heads of pairs are trained.

    Args:
        operator: A key of `plait.skew.stacked.OPERATORS`.
        width: Size of joint vectors, at least 1.
        dropout: Share of a joint vector dropped in training, in [0, 1).
        seeds: Heads of each set with initial weights of their own, at least 1; scores are means over them.
        trainer: Of the heads. Nothing is held out of the training rows, so that there is no early stopping.
        random_state: Seed of initial weights, order of samples and dropout.
    """

    operator: str = "bilinear"
    width: int = 16
    dropout: float = 0.0
    seeds: int = 1
    trainer: Trainer = field(default_factory=head_trainer)
    random_state: int = 0

    def check(self) -> None:
        """Raise ValueError if a setting is out of its range."""
        check_one_of("operator", self.operator, OPERATORS)
        check_whole("width", self.width, 1)
        check_whole("seeds", self.seeds, 1)

    def heads(self, sets: Sequence[Pairs], resident: Resident, generator: torch.Generator) -> PairHeads:
        """Freshly drawn heads."""
        return PairHeads(
            sets,
            resident.taps,
            resident.read,
            resident.data.spec.outputs,
            self.operator,
            self.width,
            self.dropout,
            generator=generator,
        )


def stacked_scan(
    judge: Judge, sets: Sequence[Pairs] | None = None, how: TrainedHeads | None = None, verbose: int = 0
) -> Tried:
    """Scores of sets of pairs by trained heads, all of them in one cohort.

    Sets share nothing but the order of the samples, so that they differ by their taps and initial weights alone.

    Args:
        judge: Its splits are trained on and judged, one after the other, with its rank and its draws.
        sets: The candidates; None is every single pair.
        how: Of the heads.
        verbose: 1 shows a progress bar.

    Returns:
        The candidates, in this order; the history is that of training, with the split from 0 and, where heads are too
        many for the memory, the part of them.

    Raises:
        ValueError: If a setting is out of its range or training diverged.
    """
    how, sets = how or TrainedHeads(), singles(judge) if sets is None else tuple(sets)
    how.check()
    found = [_trained(resident, sets * how.seeds, how, verbose) for resident in residents(judge)]
    fused, by_seed = scored_by_seed(judge, [outputs for outputs, _ in found], how.seeds)
    spent = how.trainer.epochs * len(sets) * how.seeds * len(found)
    every = tuple((how.operator, pairs) for pairs in sets)
    return Tried(every, fused, by_seed, best(sets, fused), by_split([rows for _, rows in found]), spent)


def stacked_taps(judge: Judge, how: TrainedHeads | None = None, verbose: int = 0) -> Scored:
    """Scores of every tap of the judge by itself, by the same heads: the operator joins the tap with itself.

    So what a pair gains over a tap is not owed to a richer head.

    Args:
        judge: As for `stacked_scan`.
        how: Of the heads.
        verbose: 1 shows a progress bar.

    Raises:
        ValueError: If a setting is out of its range or training diverged.
    """
    how = how or TrainedHeads()
    how.check()
    outputs = []
    for resident in residents(judge):
        twice = resident.doubled()
        itself = tuple(
            (Pair(*tap, *again),) for tap, again in zip(resident.taps, twice.taps[len(resident.taps) :], strict=True)
        )
        outputs.append(_trained(twice, itself * how.seeds, how, verbose)[0])
    return scored_by_seed(judge, outputs, how.seeds)[0]


def _trained(
    resident: Resident, units: Sequence[Pairs], how: TrainedHeads, verbose: int
) -> tuple[Float[ndarray, "unit held out"], pd.DataFrame]:
    """Predictions of freshly trained heads of these sets, and the epochs."""
    course = Course(how.trainer, resident.data, how.random_state, verbose)
    generator, outputs, histories = course.generator(), [], []
    for part, chosen in enumerate(_parts(units, _NUMBERS // (2 * how.trainer.batch_size * resident.read))):
        heads = how.heads(chosen, resident, generator)
        histories.append(course.run(heads, 1, f"{how.operator} heads").history.assign(part=part))
        outputs.append(resident.predicted(heads))
    return np.concatenate(outputs), pd.concat(histories, ignore_index=True)


def _parts(units: Sequence[Pairs], most: int) -> Iterator[Sequence[Pairs]]:
    """Neighbouring sets of so many pairs together, at least one set at a time."""
    before = np.cumsum([0, *(len(pairs) for pairs in units[:-1])]) // max(1, most)
    ends = [*(np.flatnonzero(np.diff(before)) + 1).tolist(), len(units)]
    yield from (units[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True))
