"""The taps of a split as tensors: what searches by training read, and how their predictions are scored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.data.batches import Batch, TrainingData
from plait.data.spec import DataSpec, Task
from plait.nn.criteria import criterion_for
from plait.nn.module import FusionModule, evaluate
from plait.skew.heads import TAPS
from plait.skew.judge import Judge, Split, TapData
from plait.skew.ridge import Tap, Taps
from plait.skew.scaling import fit_scalings, scaled
from plait.skew.uncertainty import Scored

_LEAST = 1e-6


@dataclass(frozen=True)
class Resident:
    """Taps of a split, standardised by its training rows and brought to one width.

    Every training row trains and nothing is held out of it, so that the rows that are judged choose no epoch either.

    Args:
        data: Training rows; features "taps" (sample, tap, read), narrower taps filled up with zeros, and classes as
            indicators, or values standardised.
        unseen: The same taps of the rows that are judged.
        taps: All taps, in the order of that axis.
        centre: Means of the values in training; 0 of classes.
        scale: Their standard deviations, at least 1e-6; 1 of classes.
    """

    data: TrainingData
    unseen: Float[Tensor, "held tap read"]
    taps: tuple[Tap, ...]
    centre: Float[ndarray, " out"]
    scale: Float[ndarray, " out"]

    @classmethod
    def of(cls, split: Split, rank: int | None) -> "Resident":
        """The tensors of a split, its taps brought to so many principal components (None keeps all features)."""
        data, train = split.data, split.train
        scalings = fit_scalings(data.taps, train, rank)
        seen, unseen = (_stacked(scaled(data.taps, scalings, rows)) for rows in (train, split.validation))
        target, task = data.outputs[train].astype(np.float64), _task(data)
        values = task == "regression"
        centre = target.mean(axis=0) * values
        scale = np.where(values, np.maximum(target.std(axis=0), _LEAST), 1.0)
        present = torch.ones(len(seen), len(data.taps), dtype=torch.bool)
        wanted = torch.from_numpy((target - centre) / scale).float()
        samples = Batch({TAPS: seen}, present, wanted, torch.full((len(seen),), -1))
        spec = DataSpec(dict.fromkeys(data.taps, (seen.shape[2],)), target.shape[1], task)
        return cls(TrainingData(samples, spec), unseen, tuple(scalings), centre, scale)

    @property
    def read(self) -> int:
        """Size of a tap."""
        return self.unseen.shape[2]

    def doubled(self) -> "Resident":
        """The same with every tap a second time under another name, so that it can be joined with itself."""
        mark = "'" * (1 + max(map(len, self.data.spec.names)))  # longer than any name: nothing else is called so
        again = tuple((name + mark, tap) for name, tap in self.taps)
        twice = {TAPS: self.data.samples.features[TAPS].repeat(1, 2, 1)}
        samples = replace(self.data.samples, features=twice)
        data = replace(self.data, samples=samples)
        return replace(self, data=data, unseen=self.unseen.repeat(1, 2, 1), taps=self.taps + again)

    def predicted(self, module: FusionModule) -> Float[ndarray, "unit held out"]:
        """What every unit of a trained module predicts for the judged rows: probabilities of classes, or values."""
        weight = next(module.parameters())
        present = torch.ones(len(self.unseen), len(self.data.spec.names), dtype=torch.bool, device=weight.device)
        outputs = evaluate(module, {TAPS: self.unseen.to(weight.device, weight.dtype)}, present)
        criterion = criterion_for(self.data.spec)
        expected = criterion.expected(criterion.link(outputs.double().cpu()))
        return np.asarray(expected.numpy() * self.scale + self.centre)


def residents(judge: Judge) -> list[Resident]:
    """The tensors of every split of a judge, with the rank of its heads."""
    return [Resident.of(split, judge.how.rank) for split in judge.splits]


def scored_by_seed(
    judge: Judge, outputs: Sequence[Float[ndarray, "unit _ out"]], seeds: int
) -> tuple[Scored, Float[ndarray, "seed candidate"]]:
    """Mean scores over seeds, and the score of each.

    Args:
        judge: Scores outputs.
        outputs: What heads put out for the judged rows of each split; all candidates by the first seed come first.
        seeds: Number of heads of each candidate.
    """
    found = judge.scored(np.concatenate(outputs, axis=1))
    by_seed = found.values.reshape(seeds, -1)
    drawn = found.drawn.reshape(len(found.drawn), seeds, -1).mean(axis=1)
    return Scored(by_seed.mean(axis=0), drawn), by_seed


def by_split(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The tables of all splits one below the other, with the split from 0."""
    return pd.concat([table.assign(split=split) for split, table in enumerate(tables)], ignore_index=True)


def _stacked(taps: Taps) -> Float[Tensor, "sample tap read"]:
    read = max(values.shape[1] for values in taps.values())
    filled = [np.pad(values, ((0, 0), (0, read - values.shape[1]))) for values in taps.values()]
    return torch.from_numpy(np.stack(filled, axis=1)).float()


def _task(data: TapData) -> Task:
    """Classes are codes in one column with several indicators; values have a column for every output."""
    coded = data.target.ndim == 1 and data.outputs.shape[1] > 1
    return "classification" if coded else "regression"
