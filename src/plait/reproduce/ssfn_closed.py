"""The search in closed form on one fold, and the rivals that every report must name."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

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
from plait.reproduce.ssfn_tasks import Part
from plait.skew.judge import Judge, Split, TapData
from plait.skew.operators import CLOSED_FORM
from plait.skew.ridge import Tap, Terms
from plait.skew.search import ClosedForm, Search
from plait.skew.selection import Pairs
from plait.statistics.metrics import Metric

RANDOM, ALL = "random pair", "all taps"
Taps = Mapping[str, Sequence[Float[ndarray, "_ _"]]]


def closed_names(modalities: Sequence[str]) -> list[str]:
    """The chosen one and its rivals, in the order of tables."""
    own = [f"{what} of {name}" for what in (BEST_TAP, "two taps", ALL) for name in modalities]
    return [CHOSEN, BEST_TAP, *own, LATE_DECISIONS, LATE, PAIRWISE, DIAGONAL, SKEW, ALL, RANDOM]


def closed_form(how: ClosedForm, metric: Metric, taps: Taps, part: Part) -> tuple[Search, Judged]:
    """Search all pairs; fitted on training rows, chosen on validation rows, put out for test rows.

    Args:
        how: Operators, heads, draws.
        metric: What is chosen by.
        taps: Of all samples.
        part: Target and rows.
    """
    data = TapData(taps, part.target, np.eye(part.classes)[part.target], part.units)
    judge, test = (Judge(how.heads, [Split(data, part.train, rows)], metric) for rows in (part.validation, part.test))
    search = how.judged(judge)
    heads = _rivals(search, judge, how.operators)
    outputs = {name: test.outputs(own) for name, own in heads.items()}
    outputs[LATE_DECISIONS] = outputs[LATE_DECISIONS].mean(axis=0, keepdims=True)
    ordered: dict[str, Outputs] = {name: outputs[name] for name in closed_names(list(taps))}
    return search, Judged(search.space, search.sets, search.fused, search.alone, search.selection, ordered)


def _rivals(search: Search, judge: Judge, operators: Sequence[str]) -> dict[str, list[Terms]]:
    """What each reads; where there is a choice (operator, pair, taps), it is made on validation rows."""
    space, tap = search.space, _alone(search.selection.tap)
    joined = {LATE: [space.late()], PAIRWISE: [space.pairwise()]}
    joined[DIAGONAL] = [(pair,) for pair in space.all() if space.skewness(pair) == 0]
    joined[SKEW] = [(pair,) for pair in space.all() if space.skewness(pair) != 0]
    found = {name: [_best_set(judge, operators, sets)] for name, sets in joined.items()}
    own = {name: [tap for tap in search.taps if tap[0] == name] for name in space.depths}
    for name, taps in own.items():
        found[f"{BEST_TAP} of {name}"] = [_best(judge, [_alone(tap) for tap in taps])]
        found[f"two taps of {name}"] = [_best(judge, [_alone(*both) for both in _twos(taps)])]
        found[f"{ALL} of {name}"] = [_alone(*taps)]
    found[LATE_DECISIONS] = [head for name in own for head in found[f"{BEST_TAP} of {name}"]]
    found[CHOSEN] = [tap if search.operator is None else CLOSED_FORM[search.operator](search.selection.pairs)]
    found[RANDOM] = [CLOSED_FORM[operators[0]]((pair,)) for pair in space.all()]
    return found | {BEST_TAP: [tap], ALL: [_alone(*search.taps)]}


def _alone(*taps: Tap) -> Terms:
    return tuple((tap,) for tap in taps)


def _twos(taps: Sequence[Tap]) -> list[tuple[Tap, ...]]:
    return list(combinations(taps, 2)) if len(taps) > 1 else [tuple(taps)]


def _best_set(judge: Judge, operators: Sequence[str], sets: Sequence[Pairs]) -> Terms:
    return _best(judge, [CLOSED_FORM[name](pairs) for name in operators for pairs in sets])


def _best(judge: Judge, heads: Sequence[Terms]) -> Terms:
    """The head with the best score on validation rows, the first of equals."""
    values = [judge.metric.sign * judge.metric.score(judge.target, one) for one in judge.outputs(heads)]
    return heads[int(np.argmax(values))]
