"""What a choice of pairs is to be compared with, chosen by the samples that chose it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from plait.skew.findings.evidence import Evidence
from plait.skew.findings.scorers import Scorer, mean, tap_name, text_of
from plait.skew.ridge import Tap, Terms
from plait.skew.selection import Pairs
from plait.skew.uncertainty import Scored, scored

CHOSEN = "chosen"
"""Name of the choice itself."""
_TAPS = 16
"""The best so many taps of an encoder, of which two are chosen: 120 heads at most."""
_PAIRS = 2000
"""Pairs at most of which the mean is taken; of more, so many at equal distances."""


@dataclass(frozen=True)
class Contender:
    """A fusion, or none, that is settled: nothing is left to choose.

    Args:
        name: What it is called.
        what: How it was made, in words.
        score: Its score on the samples of a scorer, as one candidate.
    """

    name: str
    what: str
    score: Callable[[Scorer], Scored]


def contenders(seen: Evidence) -> list[Contender]:
    """All baselines, and the choice at the end; those that cannot be scored without training are left out."""
    alone = [make(seen, name) for make in (_best_tap, _mix) for name in seen.space.depths]
    two = [_two_taps(seen, name) for name, depth in seen.space.depths.items() if depth > 1]
    return [*alone, *two, _late_decisions(seen), *_named(seen), _all_taps(seen), *_random_pair(seen), _chosen(seen)]


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
    """Sets of pairs with a name, by the operator of the search."""
    space, operator = seen.space, seen.operator
    sets = {"late pair": ("all last taps", space.late()), "pairwise": ("all taps of equal depth", space.pairwise())}
    for name, (what, pairs) in sets.items():
        if seen.can_score(operator, pairs):
            yield _set(name, f"{what} joined by {operator}", operator, pairs)
    diagonal = [(pair,) for pair in space.all() if space.skewness(pair) == 0 and seen.can_score(operator, (pair,))]
    if diagonal:
        best = diagonal[int(np.argmax(seen.sets(operator, diagonal).values))]
        what = f"{text_of(best)} by {operator}, the best of {len(diagonal)} pairs of equal depth"
        yield _set("best diagonal pair", what, operator, best)


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
        yield Contender("random pair", what, partial(_mean_score, seen.operator, [pairs[place] for place in places]))


def _chosen(seen: Evidence) -> Contender:
    """The selection, or the best single tap if no fusion is supported."""
    choice = seen.search.selection
    if choice.place is None:
        return _heads(CHOSEN, f"{tap_name(choice.tap)} alone: no fusion is supported", [((choice.tap,),)])
    return _set(CHOSEN, f"{text_of(choice.pairs)} by {seen.operator}", seen.operator, choice.pairs)


def _heads(name: str, what: str, heads: list[Terms]) -> Contender:
    return Contender(name, what, lambda scorer: scorer.heads(heads))


def _set(name: str, what: str, operator: str, pairs: Pairs) -> Contender:
    return Contender(name, what, partial(_mean_score, operator, [pairs]))


def _mean_score(operator: str, sets: Sequence[Pairs], scorer: Scorer) -> Scored:
    """Mean score of sets; of one set, its own."""
    return mean(scorer.sets(operator, sets))
