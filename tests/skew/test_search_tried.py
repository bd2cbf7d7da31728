"""What searches give: scores for the selection rule, nothing asked twice."""

import numpy as np
import pandas as pd
import pytest
from planted_judges import closed, planted

from plait.skew.search import ClosedForm
from plait.skew.searches.tried import Memo, Tried, closed_scan, singles, written
from plait.skew.space import Pair, TapSpace
from plait.skew.uncertainty import Scored

PAIRS = TapSpace({"a": 2, "b": 3}).all()


def counting():
    """A scan whose score is the number of the last pair, and what it was asked for."""
    asked = []

    def scan(sets):
        asked.append(list(sets))
        worth = np.array([float(PAIRS.index(pairs[-1])) for pairs in sets])
        scores = Scored(worth, worth + np.zeros((3, 1)))
        return Tried(tuple(("o", pairs) for pairs in sets), scores, worth[None], sets[0], head_epochs=2 * len(sets))

    return scan, asked


def test_nothing_is_asked_twice():
    """New sets are asked for together, scores come in the order of the question."""
    scan, asked = counting()
    memo = Memo(scan)
    one, two, three = ((pair,) for pair in PAIRS[:3])
    np.testing.assert_array_equal(memo([two, one]).values, [1, 0])
    np.testing.assert_array_equal(memo([one, three, two, three]).values, [0, 2, 1, 2])
    assert asked == [[two, one], [three]]
    assert len(memo) == 3


def test_the_order_of_pairs_makes_no_other_set():
    """A set is a set."""
    scan, asked = counting()
    memo = Memo(scan)
    memo([PAIRS[:2]])
    memo([PAIRS[1::-1]])
    assert len(asked) == 1


def test_a_memo_tells_everything_that_was_tried():
    """All candidates in order, with draws of the same shape and the epochs of all heads."""
    scan, _ = counting()
    memo = Memo(scan)
    memo([(PAIRS[3],)])
    memo([(PAIRS[0],), (PAIRS[3],)])
    tried = memo.tried((PAIRS[3],), pd.DataFrame({"step": [0]}))
    assert tried.pairs == ((PAIRS[3],), (PAIRS[0],))
    np.testing.assert_array_equal(tried.fused.values, [3, 0])
    assert tried.fused.drawn.shape == (3, 2)
    assert tried.head_epochs == 4
    assert tried.chosen == (PAIRS[3],)


def test_the_closed_scan_is_the_judge():
    """The same scores for every single pair, one of which is the best."""
    judge, bunch = planted("add")
    tried = closed_scan(judge)
    grid = singles(judge)
    np.testing.assert_array_equal(tried.fused.drawn, judge.sets("concat", grid).drawn)
    np.testing.assert_array_equal(tried.by_seed, tried.fused.values[None])
    assert written(tried.chosen) == str(Pair(*bunch.planted[0]))
    assert tried.head_epochs == 0


def test_candidates_go_into_the_selection_rule():
    """By themselves they are the search in closed form where no greater set is built."""
    judge, bunch = planted("add")
    search = closed_scan(judge).search(judge)
    expected = ClosedForm(("concat",), most=1).judged(judge)
    assert search.selection == expected.selection
    assert search.sets == expected.sets
    assert np.unravel_index(search.grid("concat").argmax(), (4, 4)) == (
        bunch.planted[0][1] - 1,
        bunch.planted[0][3] - 1,
    )


def test_candidates_are_added_to_a_search():
    """XOR: pairs without products support nothing; with products among them the planted pair is chosen."""
    judge, bunch = planted("xor")
    without = closed_scan(judge, operator="concat").search(judge)
    assert without.selection.verdict == "no supported fusion"
    both = closed(judge, "outer")(None).added(without, alone=judge.alone(judge.taps))
    assert both.operator == "outer"
    assert str(both.selection.pairs[0]) == str(Pair(*bunch.planted[0]))
    assert len(both.sets) == 32
    assert len(both.taps) == len(both.alone.values) == 16


def test_one_name_does_not_mean_two_kinds_of_heads():
    """Adding candidates of an operator that is there is refused."""
    judge, _ = planted("add")
    search = closed_scan(judge).search(judge)
    with pytest.raises(ValueError, match="concat"):
        closed_scan(judge).added(search)
