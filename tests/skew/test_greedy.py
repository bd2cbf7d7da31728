"""Greedy sets: what is added, and when it stops."""

import numpy as np

from plait.skew.greedy import forward
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored

PAIRS = TapSpace({"a": 2, "b": 2}).all()
NOISE = np.random.default_rng(0).normal(size=(500, 16))


def additive(worth, spread=0.01):
    """A score that adds up the worth of the pairs, and what it was asked for."""
    asked = []

    def score(sets):
        asked.append(sets)
        values = np.array([sum(worth[PAIRS.index(pair)] for pair in pairs) for pairs in sets])
        return Scored(values, values + spread * NOISE[:, : len(sets)])

    return score, asked


def test_pairs_are_added_in_the_order_of_what_they_bring():
    """The best by itself first; the set before is in every further round."""
    score, asked = additive([0.1, 0.4, 0.0, 0.3])
    found = forward(score, PAIRS)
    assert found == [(PAIRS[1],), (PAIRS[1], PAIRS[3]), (PAIRS[1], PAIRS[3], PAIRS[0])]
    assert asked[1][0] == found[0]
    assert len(asked[1]) == 1 + 3


def test_it_stops_where_a_pair_brings_no_more_than_two_standard_errors():
    """Of the paired difference: here sqrt(2) times the spread of each."""
    assert len(forward(additive([0.4, 0.024, 0, 0])[0], PAIRS)) == 1
    assert len(forward(additive([0.4, 0.033, 0, 0])[0], PAIRS)) == 2


def test_there_are_never_more_pairs_than_asked_for():
    """Nor more than there are."""
    assert len(forward(additive([0.4, 0.3, 0.2, 0.1])[0], PAIRS, most=2)) == 2
    assert len(forward(additive([0.4, 0.3, 0.2, 0.1])[0], PAIRS, most=9)) == 4


def test_one_pair_is_always_found():
    """Even if it is worth nothing: whether fusing is supported is for the selection to say."""
    assert len(forward(additive([-0.1, -0.2, -0.3, -0.4])[0], PAIRS)) == 1
