"""What a choice of pairs is to be compared with, chosen by the samples that chose it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.skew.findings.evidence import Evidence
from plait.skew.findings.scorers import mean, tap_name, text_of
from plait.skew.judge import Judge
from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import Tap, Terms
from plait.skew.selection import Pairs
from plait.skew.space import Pair
from plait.skew.uncertainty import Scored, scored

CHOSEN = "chosen"
"""Name of the choice itself."""
_TAPS = 16
"""The best so many taps of an encoder, of which two are chosen: 120 heads at most."""
_PAIRS = 2000
"""Pairs at most of which the mean is taken; of more, so many at equal distances."""
Outputs = Float[ndarray, "copy held out"]
"""What a contender puts out; several copies are scored one by one, and their scores averaged."""


@dataclass(frozen=True)
class Contender:
    """A fusion, or none, that is settled: nothing is left to choose.

    Args:
        name: What it is called.
        what: How it was made, in words.
        score: Its score on the samples that chose, as one candidate.
        outputs: What it puts out for the samples of a judge; None if it has to be trained.
    """

    name: str
    what: str
    score: Callable[[Evidence], Scored]
    outputs: Callable[[Judge], Outputs | None]


def contenders(seen: Evidence) -> list[Contender]:
    """All baselines, and the choice at the end; those that cannot be scored without training are left out."""
    alone = [make(seen, name) for make in (_best_tap, _mix) for name in seen.space.depths]
    two = [_two_taps(seen, name) for name, depth in seen.space.depths.items() if depth > 1]
    sets = [*_named(seen), *_best_pairs(seen), _all_taps(seen), *_random_pair(seen)]
    return [_best_tap_of_all(seen), *alone, *two, _late_decisions(seen), *sets, _chosen(seen)]


def _best_tap_of_all(seen: Evidence) -> Contender:
    tap = seen.search.selection.tap
    return _heads("best tap of all", f"a linear head on {tap_name(tap)}, which gains are over", [((tap,),)])


def _best_tap(seen: Evidence, modality: str) -> Contender:
    tap = _best(seen, modality)
    return _heads(f"best tap of {modality}", f"a linear head on {tap_name(tap)}, the best tap by itself", [((tap,),)])


def _best(seen: Evidence, modality: str) -> Tap:
    return max(seen.taps_of(modality), key=seen.of_tap)


def _mix(seen: Evidence, modality: str) -> Contender:
    terms = tuple((tap,) for tap in seen.taps_of(modality))
    what = f"one linear head on all {len(terms)} taps of {modality} side by side, in closed form"
    return _heads(f"mix of all taps of {modality}", what, [terms])


def _two_taps(seen: Evidence, modality: str) -> Contender:
    """The best two taps of one encoder, side by side."""
    likely = sorted(sorted(seen.taps_of(modality), key=seen.of_tap, reverse=True)[:_TAPS])
    both: list[Terms] = [((one,), (other,)) for one, other in combinations(likely, 2)]
    judge = seen.judge
    values = scored(judge.metric, judge.target, judge.outputs(both), judge.groups, draws=1).values
    terms = both[int(np.argmax(values))]
    names = " and ".join(tap_name(term[0]) for term in terms)
    return _heads(f"two taps of {modality}", f"a linear head on {names}, the best two of {len(likely)} taps", [terms])


def _late_decisions(seen: Evidence) -> Contender:
    taps = [_best(seen, name) for name in seen.space.depths]
    what = f"the mean of the outputs of linear heads on {', '.join(map(tap_name, taps))}"
    return _heads("late decisions", what, [((tap,),) for tap in taps])


def _named(seen: Evidence) -> Iterator[Contender]:
    """Sets of pairs with a name, by the operator that is best for them."""
    space = seen.space
    sets = {"late pair": ("all last taps", space.late()), "pairwise": ("all taps of equal depth", space.pairwise())}
    for name, (what, pairs) in sets.items():
        for operator, _ in _best_of(seen, [pairs]):
            yield _set(name, f"{what} joined by {operator}", operator, [pairs])


def _best_pairs(seen: Evidence) -> Iterator[Contender]:
    """The best pair of either kind, by whatever operator, without the rule of sparsity; skew ones as far as tried."""
    space = seen.space
    tried = dict.fromkeys(pair for operator in seen.operators for pair in seen.pairs(operator))
    kinds: dict[str, tuple[str, list[Pair]]] = {
        "best diagonal pair": ("equal", [pair for pair in space.all() if space.skewness(pair) == 0]),
        "best skew pair": ("unequal", [pair for pair in tried if space.skewness(pair) != 0]),
    }
    for name, (kind, pairs) in kinds.items():
        for operator, best in _best_of(seen, [(pair,) for pair in pairs]):
            what = f"{text_of(best)} by {operator}, the best of {len(pairs)} pairs of {kind} depth"
            yield _set(name, what, operator, [best])


def _best_of(seen: Evidence, sets: Sequence[Pairs]) -> list[tuple[str, Pairs]]:
    """The best of sets and operators on the samples that chose; none if no set can be scored without training."""
    best: dict[float, tuple[str, Pairs]] = {}
    for operator in seen.operators:
        known = [pairs for pairs in sets if seen.can_score(operator, pairs)]
        if known:
            values = seen.sets(operator, known).values
            best.setdefault(float(values.max()), (operator, known[int(np.argmax(values))]))
    return [best[max(best)]] if best else []


def _all_taps(seen: Evidence) -> Contender:
    terms = tuple((tap,) for tap in seen.alone)
    what = f"one linear head on all {len(terms)} taps of all modalities side by side, in closed form"
    return _heads("all taps", what, [terms])


def _random_pair(seen: Evidence) -> Iterator[Contender]:
    """What a pair is worth that nobody chose."""
    pairs = [(pair,) for pair in seen.space.all() if seen.can_score(seen.operator, (pair,))]
    if pairs:
        places = np.unique(np.linspace(0, len(pairs) - 1, min(len(pairs), _PAIRS)).round().astype(int))
        what = f"the mean score of {len(places)} of {len(seen.space)} pairs by {seen.operator}"
        yield _set("random pair", what, seen.operator, [pairs[place] for place in places])


def _chosen(seen: Evidence) -> Contender:
    """The selection, or the best single tap if no fusion is supported."""
    choice = seen.search.selection
    if choice.place is None:
        return _heads(CHOSEN, f"{tap_name(choice.tap)} alone: no fusion is supported", [((choice.tap,),)])
    return _set(CHOSEN, f"{text_of(choice.pairs)} by {seen.operator}", seen.operator, [choice.pairs])


def _heads(name: str, what: str, heads: list[Terms]) -> Contender:
    """The mean output of heads."""
    return Contender(
        name, what, lambda seen: seen.heads(heads), lambda judge: judge.outputs(heads).mean(axis=0, keepdims=True)
    )


def _set(name: str, what: str, operator: str, sets: Sequence[Pairs]) -> Contender:
    """One set; of several the mean score."""
    form = CLOSED_FORM.get(operator)
    return Contender(
        name,
        what,
        lambda seen: mean(seen.sets(operator, sets)),
        lambda judge: None if form is None else judge.outputs([form(pairs) for pairs in sets]),
    )
