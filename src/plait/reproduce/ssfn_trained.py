"""Trained heads on the pairs that the closed form left over, and on their rivals, on one fold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.nn.module import FusionModule, evaluate
from plait.reproduce.ssfn_closed import Taps
from plait.reproduce.ssfn_encoders import training_data
from plait.reproduce.ssfn_judged import (
    BEST_TAP,
    CHOSEN,
    DIAGONAL,
    LATE,
    LATE_DECISIONS,
    PAIRWISE,
    SKEW,
    Judged,
    Outputs,
)
from plait.reproduce.ssfn_mixes import TapMixes
from plait.reproduce.ssfn_tasks import Part
from plait.skew.heads import TAPS, PairHeads
from plait.skew.ridge import Tap
from plait.skew.scaling import fit_scalings, scaled
from plait.skew.search import Search
from plait.skew.selection import Pairs, select
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored, confidence_set, scored
from plait.statistics.metrics import Metric
from plait.training.trainer import Trainer

MIXES = "mix of both"
Found = Float[ndarray, "copy _ sample out"]


def trained_names(modalities: Sequence[str]) -> list[str]:
    """The chosen one and its rivals, in the order of tables."""
    own = [f"{what} of {name}" for what in (BEST_TAP, "mix") for name in modalities]
    return [CHOSEN, BEST_TAP, *own, MIXES, LATE_DECISIONS, LATE, PAIRWISE, DIAGONAL, SKEW]


@dataclass(frozen=True)
class HeadTraining:
    """How heads are trained.

    Args:
        operators: Trained operators; the simplest first.
        copies: Heads of each set, which differ in their initial weights; scores are means over them.
        rank: Principal components of a tap that are read.
        width: Size of joint vectors.
        most: Pairs of the shortlist, at most.
        epochs: Most epochs.
        learning_rate: At the start, falling along half a cosine.
        batch_size: Samples a step.
        draws: Draws of the bootstrap.
    """

    operators: tuple[str, ...] = ("concat", "bilinear")
    copies: int = 5
    rank: int = 32
    width: int = 16
    most: int = 16
    epochs: int = 30
    learning_rate: float = 1e-2
    batch_size: int = 256
    draws: int = 1000


def shortlist(search: Search, least: int, most: int) -> list[Pairs]:
    """Single pairs not told apart from the best, and the best so many, best first; all diagonal ones' best besides.

    Args:
        search: What the closed form found.
        least: Pairs that are taken at least.
        most: Pairs that are taken at most, whatever else is not told apart.
    """
    grids = {operator: search.grid(operator).ravel() for operator, _ in search.sets}
    singles = [row for row, (_, pairs) in enumerate(search.sets) if len(pairs) == 1]
    near = confidence_set(Scored(search.fused.values[singles], search.fused.drawn[:, singles]))
    best = np.max(list(grids.values()), axis=0)
    kept = near.reshape(len(grids), -1).any(axis=0)
    order = np.argsort(-best, kind="stable")
    count = min(most, max(least, int(kept.sum())))
    every = search.space.all()
    kinds = [search.space.skewness(every[row]) == 0 for row in order]
    first = {order[kinds.index(kind)] for kind in (True, False) if kind in kinds}
    rows = [row for place, row in enumerate(order) if place < count or row in first]
    return [(every[row],) for row in rows]


def trained(
    how: HeadTraining, metric: Metric, taps: Taps, part: Part, search: Search, seed: int, threads: int | None = None
) -> Judged:
    """Train heads on the shortlist and its rivals; chosen on validation rows, which also end training.

    Args:
        how: Operators and training.
        metric: What is chosen by.
        taps: Of all samples.
        part: Target and rows.
        search: What the closed form found on the same taps.
        seed: Seed of weights and order.
        threads: Threads of training; None is the trainer's choice.
    """
    space, names = search.space, list(taps)
    sets = list(dict.fromkeys([*shortlist(search, 12, how.most), space.late(), space.pairwise()]))
    reads = [[tap] for tap in search.taps] + [[tap for tap in search.taps if tap[0] == name] for name in names]
    reads.append(list(search.taps))
    values = _inputs(taps, part, search.taps, how.rank)
    made = _Trained(how, metric, values, part, seed, threads)
    pairs = np.concatenate([made.outputs(made.heads(sets, search.taps, name)) for name in how.operators], axis=1)
    mixes = made.outputs(made.mixes(reads, search.taps))
    return made.judged(space, [(name, one) for name in how.operators for one in sets], pairs, search.taps, mixes)


def _inputs(taps: Taps, part: Part, order: Sequence[Tap], rank: int) -> Tensor:
    """Taps as heads read them: standardised on training rows, their first components, zeros where there are fewer."""
    every = np.arange(len(part.target))
    found = scaled(taps, fit_scalings(taps, part.train, rank), every)
    wide = np.zeros((len(every), len(order), rank), np.float32)
    for place, tap in enumerate(order):
        kept = found[tap][:, :rank]
        wide[:, place, : kept.shape[1]] = kept
    return torch.from_numpy(wide)


@dataclass(frozen=True)
class _Trained:
    """Trains modules on the same inputs, and reads them.

    Args:
        how: How.
        metric: What is chosen by.
        values: Inputs of all samples.
        part: Target and rows.
        seed: Seed.
        threads: Threads.
    """

    how: HeadTraining
    metric: Metric
    values: Tensor
    part: Part
    seed: int
    threads: int | None

    def heads(self, sets: Sequence[Pairs], taps: Sequence[Tap], operator: str) -> FusionModule:
        """Copies of heads on sets of pairs."""
        how, generator = self.how, torch.Generator().manual_seed(self.seed)
        repeated = [*sets] * how.copies
        classes = self.part.classes
        return PairHeads(repeated, taps, how.rank, classes, operator, how.width, generator=generator)

    def mixes(self, reads: Sequence[Sequence[Tap]], taps: Sequence[Tap]) -> FusionModule:
        """Copies of heads on single taps and mixes."""
        generator = torch.Generator().manual_seed(self.seed)
        return TapMixes([*reads] * self.how.copies, taps, self.how.rank, self.part.classes, generator=generator)

    def outputs(self, module: FusionModule) -> Found:
        """Class probabilities for all samples, of the best weights on validation rows."""
        how = self.how
        trainer = Trainer(
            *(how.epochs, how.batch_size, how.learning_rate, 1e-3, None, "cpu"), schedule="cosine", threads=self.threads
        )
        trainer.run(module, training_data({TAPS: self.values}, self.part), self.seed)
        with torch.no_grad():
            found = evaluate(module, {TAPS: self.values}, torch.ones(len(self.values), 1, dtype=torch.bool))
        shape = (how.copies, -1, *found.shape[1:])
        return np.asarray(found.softmax(2).reshape(shape).numpy(), np.float64)

    def judged(
        self, space: TapSpace, sets: Sequence[tuple[str, Pairs]], pairs: Found, taps: Sequence[Tap], mixes: Found
    ) -> Judged:
        """The choice among the sets, and all rivals on test rows."""
        fused, mixed = self._scored(pairs), self._scored(mixes)
        count = len(taps)
        alone = Scored(mixed.values[:count], mixed.drawn[:, :count])
        chosen = select(space, [one for _, one in sets], fused, taps, alone)
        test = self.part.test
        found = _rivals(space, sets, pairs[:, :, test], fused.values)
        found |= _alone(taps, mixes[:, :, test], alone.values)
        found[CHOSEN] = found[BEST_TAP] if chosen.place is None else pairs[:, chosen.place][:, test]
        ordered = {name: found[name] for name in trained_names(list(space.depths))}
        return Judged(space, sets, fused, alone, chosen, ordered)

    def _scored(self, outputs: Found) -> Scored:
        """Scores on validation rows, means over the copies."""
        held, units = self.part.validation, outputs.shape[1]
        flat = outputs[:, :, held].reshape(-1, len(held), outputs.shape[3])
        target, groups = self.part.target[held], self.part.units[held]
        found = scored(self.metric, target, flat, groups, self.how.draws, self.seed)
        values = found.values.reshape(-1, units).mean(axis=0)
        return Scored(values, found.drawn.reshape(self.how.draws, -1, units).mean(axis=1))


def _rivals(
    space: TapSpace, sets: Sequence[tuple[str, Pairs]], outputs: Found, values: Float[ndarray, " set"]
) -> dict[str, Outputs]:
    """The best of each kind of set on validation rows, whatever its operator."""
    kinds = {
        LATE: [pairs == space.late() for _, pairs in sets],
        PAIRWISE: [pairs == space.pairwise() for _, pairs in sets],
        DIAGONAL: [len(pairs) == 1 and space.skewness(pairs[0]) == 0 for _, pairs in sets],
        SKEW: [len(pairs) == 1 and space.skewness(pairs[0]) != 0 for _, pairs in sets],
    }
    return {name: outputs[:, int(np.argmax(np.where(kind, values, -np.inf)))] for name, kind in kinds.items()}


def _alone(taps: Sequence[Tap], outputs: Found, values: Float[ndarray, " tap"]) -> dict[str, Outputs]:
    """Single taps and mixes; units are the taps, then the mix of each modality, then that of all."""
    names = list(dict.fromkeys(name for name, _ in taps))
    best = {name: _best(values, [own == name for own, _ in taps]) for name in names}
    found = {f"{BEST_TAP} of {name}": outputs[:, place] for name, place in best.items()}
    found |= {f"mix of {name}": outputs[:, len(taps) + place] for place, name in enumerate(names)}
    found[LATE_DECISIONS] = outputs[:, list(best.values())].mean(axis=1)
    return found | {BEST_TAP: outputs[:, int(np.argmax(values))], MIXES: outputs[:, -1]}


def _best(values: Float[ndarray, " tap"], among: Sequence[bool]) -> int:
    return int(np.argmax(np.where(among, values, -np.inf)))
