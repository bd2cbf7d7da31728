"""The grid of planted pairs by trained heads: one stacked network, all pairs at once."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from plait.data.batches import Batch, TrainingData
from plait.data.spec import DataSpec
from plait.reproduce.planted_data import Planted
from plait.reproduce.planted_numbers import ACCURACY, Outputs
from plait.skew.heads import TAPS, PairHeads
from plait.skew.judge import HeadSettings, Judge, Split
from plait.skew.scaling import fit_scalings, scaled
from plait.skew.search import Search
from plait.skew.selection import Pairs, select
from plait.skew.uncertainty import scored
from plait.training.trainer import Trainer


@dataclass(frozen=True)
class TrainedGrid:
    """All single pairs by heads that are trained together, each as if alone.

    Args:
        operator: A key of `plait.skew.stacked.OPERATORS`.
        width: Size of joint vectors.
        trainer: How they are trained; each keeps the epoch of its lowest validation loss.
        heads: Of ridge heads on taps by themselves, and of the bootstrap.
        seed: Seed of initial weights and of the order of samples.
        verbose: 0 shows no progress.
    """

    operator: str
    width: int
    trainer: Trainer
    heads: HeadSettings
    seed: int
    verbose: int = 0

    def search(self, planted: Planted) -> tuple[Search, Outputs]:
        """What validation rows say, and the heads' outputs for test rows."""
        pairs: list[Pairs] = [(pair,) for pair in planted.data.space.all()]
        held, test = self._outputs(planted, pairs)
        judge = Judge(self.heads, [Split(planted.data, planted.train, planted.validation)], ACCURACY)
        fused = scored(ACCURACY, judge.target, held, judge.groups, self.heads.draws, self.heads.random_state)
        taps, space = judge.taps, judge.space
        alone = judge.alone(taps)
        chosen = select(space, pairs, fused, taps, alone)
        search = Search(space, ACCURACY, tuple((self.operator, one) for one in pairs), fused, taps, alone, chosen)
        places = {one: row for row, one in enumerate(pairs)}
        return search, lambda sets: test[[places[one] for one in sets]]

    def _outputs(
        self, planted: Planted, sets: list[Pairs]
    ) -> tuple[Float[ndarray, "set validation out"], Float[ndarray, "set test out"]]:
        """Of trained heads, for validation rows and for test rows."""
        scalings = fit_scalings(planted.data.taps, planted.train, None)
        rows = np.concatenate([planted.train, planted.validation, planted.test])
        taps = torch.tensor(np.stack(list(scaled(planted.data.taps, scalings, rows).values()), 1)).float()
        generator = torch.Generator().manual_seed(self.seed)
        outputs = planted.data.outputs.shape[1]
        net = PairHeads(sets, list(scalings), taps.shape[2], outputs, self.operator, self.width, generator=generator)
        seen = len(planted.train) + len(planted.validation)
        data = _training_data(planted, taps[:seen], rows[:seen])
        self.trainer.run(net, data, self.seed, phase=self.operator, verbose=self.verbose)
        with torch.no_grad():
            found = net({TAPS: taps[len(planted.train) :]}, _all_there(len(rows) - len(planted.train)))
        held, test = np.split(found.double().numpy(), [len(planted.validation)], axis=1)
        return held, test


def _training_data(planted: Planted, taps: Float[torch.Tensor, "row tap width"], rows: ndarray) -> TrainingData:
    """Training rows, then those that validate."""
    fold = torch.tensor(np.repeat([-1, 0], [len(planted.train), len(planted.validation)]))
    target = torch.tensor(planted.data.outputs[rows]).float()
    shapes = dict.fromkeys(planted.data.taps, (taps.shape[2],))
    spec = DataSpec(shapes, target.shape[1], "classification")
    return TrainingData(Batch({TAPS: taps}, _all_there(len(rows), len(shapes)), target, fold), spec)


def _all_there(rows: int, modalities: int = 2) -> torch.Tensor:
    return torch.ones(rows, modalities, dtype=torch.bool)
