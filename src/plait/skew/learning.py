"""From samples to a judge of pairs: small networks trained on the spot, taps of all samples, rows of every fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool
from torch import Tensor, nn

from plait.data.batches import Batch, TrainingData
from plait.data.shapes import Features, Output, Present
from plait.nn.criteria import Criterion, usable_mean
from plait.nn.module import FusionModule
from plait.skew.judge import HeadSettings, Judge, Split, TapData
from plait.skew.judgeable import coded, groups_of
from plait.skew.ridge import Tap
from plait.skew.sources import Blocks, Sources, zero_where_absent
from plait.statistics.metrics import Metric
from plait.training.course import Course


class OneByOne(FusionModule):
    """The small networks of all modalities and folds, each trained alone on what it can read.

    Args:
        sources: Which networks there are.
    """

    def __init__(self, sources: Sources) -> None:
        super().__init__()
        self.reads = [(name, fold) for name in sources.own for fold in range(sources.folds)]
        self.units = len(self.reads)
        self.folds, self.names = sources.folds, sources.names
        self.nets = nn.ModuleList(_net(sources, name, fold) for name, fold in self.reads)

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all networks; an absent modality is read as zeros."""
        values = {name: zero_where_absent(features[name], present[:, self.names.index(name)]) for name, _ in self.reads}
        return torch.stack([net(values[name]) for net, (name, _) in zip(self.nets, self.reads, strict=True)])

    def objective(self, batch: Batch, criterion: Criterion) -> Tensor:
        """The task's loss of every network."""
        linked = criterion.link(self(batch.features, batch.present))
        return usable_mean(criterion.score(linked, batch.target), self.taught(batch))

    def judged(self, batch: Batch) -> Bool[Tensor, "unit batch"]:
        """The samples of its own fold that have its modality."""
        return self._has(batch) & self._of_fold(batch)

    def taught(self, batch: Batch) -> Bool[Tensor, "unit batch"]:
        """All others that have it."""
        return self._has(batch) & ~self._of_fold(batch)

    def owners(self) -> Mapping[str, int]:
        """Everything of a network belongs to its unit."""
        return {name: int(name.split(".")[1]) for name in self.state_dict()}

    def _has(self, batch: Batch) -> Bool[Tensor, "unit batch"]:
        return batch.present[:, [self.names.index(name) for name, _ in self.reads]].T

    def _of_fold(self, batch: Batch) -> Bool[Tensor, "unit batch"]:
        folds = torch.tensor([fold for _, fold in self.reads], device=batch.fold.device)
        return batch.fold == folds[:, None]


def learn_sources(sources: Sources, course: Course) -> pd.DataFrame:
    """Train the small networks, if there are any; they are then frozen.

    Returns:
        One row an epoch.
    """
    if not sources.own:
        return pd.DataFrame()
    result = course.run(OneByOne(sources), 2, "encoders")
    sources.cpu().requires_grad_(False)  # noqa: FBT003
    return result.history


@dataclass(frozen=True)
class Judging:
    """How pairs are judged.

    Args:
        heads: Of closed-form heads, and of the draws.
        metric: What they are judged by.
        tokens: Tokens that a tap is made of; their mean is judged.
    """

    heads: HeadSettings
    metric: Metric
    tokens: int


def judge_of(sources: Sources, data: TrainingData, how: Judging) -> Judge:
    """A judge of all pairs, by the samples that have all modalities: of one set held out, or of all folds.

    They must have passed `check_judgeable`.
    """
    complete = data.samples.present.all(1)
    samples, groups = data.samples.rows(complete.nonzero().flatten()), groups_of(data)[complete.numpy()]
    spec, depths = data.spec, sources.depths
    every = TrainingData(samples, spec)
    read = every.with_features(lambda features, present: _flat(sources.read(features, present, depths)))
    target = samples.target.double().numpy()
    codes = coded(samples, spec.task)
    splits = []
    for fold in range(spec.folds):
        held = samples.fold.numpy() == fold
        train, validation = np.flatnonzero(~held), np.flatnonzero(held)
        taps = _taps(read.samples.features, fold, depths, how.tokens)
        splits.append(Split(TapData(taps, codes, target, groups), train, validation))
    return Judge(how.heads, splits, how.metric)


def _net(sources: Sources, name: str, fold: int) -> nn.Module:
    source = sources.of(name, fold)
    assert isinstance(source, Blocks)
    return source.net


def _flat(read: Sequence[Mapping[Tap, Tensor]]) -> Features:
    return {f"{fold}/{name}@{tap}": values for fold, taps in enumerate(read) for (name, tap), values in taps.items()}


def _taps(features: Features, fold: int, depths: Mapping[str, int], tokens: int) -> dict[str, list[np.ndarray]]:
    return {
        name: [_mean(features[f"{fold}/{name}@{tap}"], tokens) for tap in range(1, depth + 1)]
        for name, depth in depths.items()
    }


def _mean(values: Tensor, tokens: int) -> np.ndarray:
    return values.reshape(len(values), tokens, -1).mean(1).numpy()
