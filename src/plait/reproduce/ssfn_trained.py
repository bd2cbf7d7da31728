"""Trained heads on the pairs that the closed form left over, and on their rivals, on one fold."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from plait.nn.module import FusionModule, evaluate
from plait.reproduce.ssfn_closed import Searched, Taps
from plait.reproduce.ssfn_encoders import training_data
from plait.reproduce.ssfn_mixes import TapMixes
from plait.reproduce.ssfn_rivals import (
    BEST,
    BEST_TAP,
    DIAGONAL,
    LATE,
    LATE_DECISIONS,
    MIX,
    MIXES,
    PAIRWISE,
    SKEW,
    trained_names,
)
from plait.reproduce.ssfn_tasks import Part
from plait.skew.findings import Findings
from plait.skew.findings.contenders import CHOSEN, Contender, Outputs
from plait.skew.findings.scorers import columns, tap_name, text_of
from plait.skew.heads import TAPS, PairHeads
from plait.skew.judge import Judge
from plait.skew.ridge import Tap
from plait.skew.scaling import fit_scalings, scaled
from plait.skew.search import Search
from plait.skew.selection import Pairs, select
from plait.skew.uncertainty import Scored, confidence_set
from plait.training.trainer import Trainer

Found = Float[ndarray, "copy _ sample out"]


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
    """

    operators: tuple[str, ...] = ("concat", "bilinear")
    copies: int = 5
    rank: int = 32
    width: int = 16
    most: int = 16
    epochs: int = 30
    learning_rate: float = 1e-2
    batch_size: int = 256


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


@dataclass(frozen=True, eq=False)
class Learned:
    """Trained heads of one fold.

    Args:
        closed: The search in closed form that they go on from, and its judges.
        search: What was found among them; operators are named "trained ...".
        rivals: The chosen one and all others.
    """

    closed: Searched
    search: Search
    rivals: Sequence[Contender]


def findings_of(folds: Sequence[Learned]) -> list[Findings]:
    """Findings with trained heads for rivals, one a fold; what is tested is of all folds together."""
    judged = [(fold.search, fold.closed.judge, fold.closed.test) for fold in folds]
    return Findings.of_folds(judged, [fold.rivals for fold in folds])


def trained(
    how: HeadTraining, taps: Taps, part: Part, closed: Searched, seed: int, threads: int | None = None
) -> Learned:
    """Train heads on the shortlist and its rivals; chosen on validation rows, which also end training.

    Args:
        how: Operators and training.
        taps: Of all samples.
        part: Target and rows.
        closed: The search in closed form on the same taps.
        seed: Seed of weights and order.
        threads: Threads of training; None is the trainer's choice.
    """
    search, space = closed.search, closed.search.space
    sets = list(dict.fromkeys([*shortlist(search, 12, how.most), space.late(), space.pairwise()]))
    reads = [[tap] for tap in search.taps] + [[tap for tap in search.taps if tap[0] == name] for name in taps]
    reads.append(list(search.taps))
    made = _Trained(how, _inputs(taps, part, search.taps, how.rank), part, seed, threads)
    pairs = np.concatenate([made.outputs(made.heads(sets, search.taps, name)) for name in how.operators], axis=1)
    mixes = made.outputs(made.mixes(reads, search.taps))
    named = [(f"trained {name}", one) for name in how.operators for one in sets]
    alone = _scored(closed.judge, mixes)
    found = _search(search, named, _scored(closed.judge, pairs), alone)
    rivals = {one.name: one for one in (*_singles(found, alone, mixes), *_rivals(found, pairs))}
    return Learned(closed, found, [rivals[name] for name in trained_names(list(taps))])


def _scored(judge: Judge, outputs: Found) -> Scored:
    """Scores on validation rows, means over the copies."""
    copies, units = outputs.shape[:2]
    found = judge.scored(outputs[:, :, judge.splits[0].validation].reshape(copies * units, -1, outputs.shape[3]))
    drawn = found.drawn.reshape(-1, copies, units).mean(axis=1)
    return Scored(found.values.reshape(copies, units).mean(axis=0), drawn)


def _search(closed: Search, sets: Sequence[tuple[str, Pairs]], fused: Scored, mixed: Scored) -> Search:
    """The choice among trained heads, over trained heads on single taps: the first of the mixes."""
    space, taps, count = closed.space, closed.taps, len(closed.taps)
    alone = Scored(mixed.values[:count], mixed.drawn[:, :count])
    chosen = select(space, [one for _, one in sets], fused, taps, alone)
    return Search(space, closed.metric, tuple(sets), fused, taps, alone, chosen)


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
        values: Inputs of all samples.
        part: Target and rows.
        seed: Seed.
        threads: Threads.
    """

    how: HeadTraining
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


def _rivals(search: Search, outputs: Found) -> list[Contender]:
    """The best of each kind of set on validation rows, whatever its operator; the choice, if a fusion is supported."""
    space, sets = search.space, search.sets
    kinds = {
        LATE: [pairs == space.late() for _, pairs in sets],
        PAIRWISE: [pairs == space.pairwise() for _, pairs in sets],
        DIAGONAL: [len(pairs) == 1 and space.skewness(pairs[0]) == 0 for _, pairs in sets],
        SKEW: [len(pairs) == 1 and space.skewness(pairs[0]) != 0 for _, pairs in sets],
    }
    places = {name: _best(search.fused, kind) for name, kind in kinds.items()}
    if search.selection.place is not None:
        places[CHOSEN] = search.selection.place
    words = [f"{text_of(pairs)} by {operator}" for operator, pairs in sets]
    return [_of(name, words[place], search.fused, outputs, place) for name, place in places.items()]


def _singles(search: Search, scores: Scored, outputs: Found) -> list[Contender]:
    """Single taps and mixes, the best tap for the choice; units are taps, the mix of each modality, that of all."""
    taps, names = search.taps, list(search.space.depths)
    best = {name: _best(search.alone, [own == name for own, _ in taps]) for name in names}
    read = {f"{BEST_TAP} of {name}": place for name, place in best.items()}
    read |= dict.fromkeys((BEST, CHOSEN), taps.index(search.selection.tap))
    what = [f"a trained linear head on {tap_name(tap)}" for tap in taps]
    read |= {f"{MIX} of {name}": len(taps) + place for place, name in enumerate(names)}
    what += [f"a linear head on a learned mix of all taps of {name}" for name in names]
    read[MIXES] = len(what)
    what.append("a linear head on the learned mixes of both modalities side by side")
    late = outputs[:, list(best.values())].mean(axis=1)
    joined = (
        f"the mean of the outputs of trained linear heads on {', '.join(tap_name(taps[one]) for one in best.values())}"
    )
    own = Contender(LATE_DECISIONS, joined, lambda seen: _scored(seen.judge, late[:, None]), partial(_on, late))
    return [_of(name, what[place], scores, outputs, place) for name, place in read.items()] + [own]


def _of(name: str, what: str, scores: Scored, outputs: Found, place: int) -> Contender:
    """One of many units, whose scores on validation rows are known."""
    return Contender(name, what, lambda _: columns(scores, [place]), partial(_on, outputs[:, place]))


def _on(outputs: Float[ndarray, "copy sample out"], judge: Judge) -> Outputs:
    """Outputs for the samples of a judge, of those for all samples."""
    return outputs[:, judge.splits[0].validation]


def _best(scores: Scored, among: Sequence[bool]) -> int:
    return int(np.argmax(np.where(among, scores.values, -np.inf)))
