"""Learned mixes of all taps: what a modality, or all of them, can do when no tap has to be chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray

from plait.data.settings import check_whole
from plait.skew.judge import Judge
from plait.skew.searches.mix_net import ScalarMix
from plait.skew.searches.resident import Resident, by_split, residents, scored_by_seed
from plait.skew.searches.stacked_scan import head_trainer
from plait.skew.uncertainty import Scored
from plait.training.course import Course
from plait.training.trainer import Trainer


@dataclass(frozen=True)
class Mixing:
    """How mixes are trained.

    Args:
        width: Size of a mix, at least 1.
        seeds: Mixes of each modality with initial weights of their own, at least 1; scores are means over them.
        trainer: Of the mixes. Nothing is held out of the training rows.
        random_state: Seed of initial weights and order of samples.
    """

    width: int = 16
    seeds: int = 1
    trainer: Trainer = field(default_factory=head_trainer)
    random_state: int = 0

    def check(self) -> None:
        """Raise ValueError if a setting is out of its range."""
        check_whole("width", self.width, 1)
        check_whole("seeds", self.seeds, 1)


@dataclass(frozen=True)
class Mixed:
    """What mixes came to.

    Args:
        reads: The modalities of each mix: each alone, then all together.
        scores: Score of each mix on the judged rows, on the draws of the judge.
        by_seed: The score by each seed.
        shares: One row a tap of each mix: mix, modality, tap, share, seed, split. They are no importances.
        history: Epochs, with the split.
    """

    reads: tuple[tuple[str, ...], ...]
    scores: Scored
    by_seed: Float[ndarray, "seed mix"]
    shares: pd.DataFrame
    history: pd.DataFrame


def scalar_mix(judge: Judge, how: Mixing | None = None, verbose: int = 0) -> Mixed:
    """A linear head on a learned mix of all taps of each modality, and one on the mixes of all modalities.

    They are what fusing is to be compared with: the one does without the other modalities, the other without a choice.

    Args:
        judge: Its splits are trained on and judged, with its rank and its draws.
        how: Of the mixes.
        verbose: 1 shows a progress bar.

    Raises:
        ValueError: If a setting is out of its range or training diverged.
    """
    how = how or Mixing()
    how.check()
    names = tuple(judge.space.depths)
    reads = (*((name,) for name in names), names)
    found = [_trained(resident, reads * how.seeds, how, verbose) for resident in residents(judge)]
    scores, by_seed = scored_by_seed(judge, [outputs for outputs, _, _ in found], how.seeds)
    shares = by_split([table for _, table, _ in found])
    shares = shares.assign(seed=shares.pop("unit") // len(reads))
    return Mixed(reads, scores, by_seed, shares, by_split([history for _, _, history in found]))


def _trained(
    resident: Resident, units: Sequence[tuple[str, ...]], how: Mixing, verbose: int
) -> tuple[Float[ndarray, "unit held out"], pd.DataFrame, pd.DataFrame]:
    """Predictions of freshly trained mixes, their shares, and the epochs."""
    names, outputs = resident.data.spec.names, resident.data.spec.outputs
    own = [[[name in unit and name == of for of, _ in resident.taps] for name in names] for unit in units]
    reads = torch.tensor(own)
    course = Course(how.trainer, resident.data, how.random_state, verbose)
    net = ScalarMix(reads, resident.read, outputs, how.width, generator=course.generator())
    history = course.run(net, 1, "mixes of taps").history
    shares = net.shares().detach().cpu().numpy()
    rows = [
        (unit, " + ".join(units[unit]), *resident.taps[tap], float(shares[unit, tap]))
        for unit, tap in np.argwhere(reads.any(1).numpy()).tolist()
    ]
    table = pd.DataFrame(rows, columns=["unit", "mix", "modality", "tap", "share"])
    return resident.predicted(net), table, history
