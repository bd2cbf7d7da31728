"""Backward elimination: what is left out, and when it stops."""

import numpy as np
from planted_judges import closed, numbers, planted

from plait.skew.greedy import forward
from plait.skew.searches.elimination import backward_elimination, eliminate
from plait.skew.space import Pair, TapSpace
from plait.skew.uncertainty import Scored

PAIRS = TapSpace({"a": 2, "b": 2}).all()
NOISE = np.random.default_rng(0).normal(size=(500, 4))


def additive(worth, spread=0.01):
    """A score that adds up the worth of the pairs, each of its own uncertainty; and what it was asked for."""
    asked = []

    def score(sets):
        asked.append(sets)
        inside = np.array([[pair in pairs for pair in PAIRS] for pairs in sets], dtype=float)
        return Scored(inside @ worth, (np.array(worth) + spread * NOISE) @ inside.T)

    return score, asked


def test_what_is_missed_least_goes_first():
    """Pairs that bring nothing, or harm, until each that is left is worth more than its noise."""
    score, asked = additive([0.1, -0.4, 0.0, 0.3])
    found = eliminate(score, PAIRS)
    assert found == [PAIRS, (PAIRS[0], PAIRS[2], PAIRS[3]), (PAIRS[0], PAIRS[3])]
    assert asked[1][0] == found[1]
    assert len(asked[0]) == 1 + 4


def test_a_pair_stays_that_brings_more_than_two_standard_errors():
    """Of the paired difference."""
    assert len(eliminate(additive([0.4, 0.023, 0, 0])[0], PAIRS)[-1]) == 2
    assert len(eliminate(additive([0.4, 0.017, 0, 0])[0], PAIRS)[-1]) == 1


def test_there_are_never_fewer_pairs_than_asked_for():
    """One at least, even if none is worth anything."""
    assert len(eliminate(additive([-0.1, -0.2, -0.3, -0.4])[0], PAIRS)[-1]) == 1
    assert len(eliminate(additive([-0.1, -0.2, -0.3, -0.4])[0], PAIRS, least=3)[-1]) == 3
    assert eliminate(additive([-0.1] * 4)[0], PAIRS[:1]) == [PAIRS[:1]]


def test_it_ends_where_forward_ends_if_pairs_do_not_depend_on_each_other():
    """Additive worths: the same pairs from above as from below."""
    score, _ = additive([0.4, 0.0, 0.3, -0.2])
    assert set(eliminate(score, PAIRS)[-1]) == set(forward(score, PAIRS)[-1]) == {PAIRS[0], PAIRS[2]}


def test_the_planted_pairs_are_left():
    """MULTI: of four pairs the two planted ones, and all sets that were scored are told, none twice."""
    judge, bunch = planted("multi")
    pairs = [*(Pair(*planted) for planted in bunch.planted), Pair("a", 2, "b", 3), Pair("a", 4, "b", 2)]
    tried = backward_elimination(closed(judge, "outer"), pairs)
    assert numbers(tried.chosen) == set(bunch.planted)
    assert tried.history["size"].tolist() == [4, 3, 2]
    assert len(set(map(frozenset, tried.pairs))) == len(tried.pairs) == 1 + 4 + 3 + 2
    assert tried.search(judge).selection.pairs == tried.chosen
