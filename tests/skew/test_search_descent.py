"""Coordinate descent: the cross that the authors swept, its count, and the planted pair."""

import numpy as np
import pytest
from planted_judges import closed, numbers, planted

from plait.skew.searches.descent import coordinate_descent
from plait.skew.searches.stacked_scan import TrainedHeads, head_trainer, stacked_scan
from plait.skew.searches.tried import Tried
from plait.skew.space import Pair, TapSpace
from plait.skew.uncertainty import Scored

FULL = TapSpace({"a": 12, "b": 12})


def of_grid(worth):
    """A scan with the score of each pair, and what it was asked for."""
    asked = []

    def scan(sets):
        asked.append([pairs[0] for pairs in sets])
        values = np.array([float(worth(pair)) for (pair,) in sets])
        return Tried(tuple(("o", pairs) for pairs in sets), Scored(values, values[None]), values[None], sets[0])

    return scan, asked


def towards(i, j):
    """The nearer to a pair the better, in either coordinate by itself."""
    return lambda pair: -abs(pair.i - i) - 2 * abs(pair.j - j)


def test_the_first_pass_is_the_cross_of_the_last_taps():
    """23 pairs of 12 and 12 taps, which Hu et al. swept."""
    scan, asked = of_grid(towards(9, 4))
    tried = coordinate_descent(FULL, scan, starts=1, passes=1)
    assert set(asked[0]) == set(FULL.cross())
    assert len(asked[0]) == len(tried.sets) == 23
    assert tried.chosen == (Pair("a", 12, "b", 4),)


def test_three_passes_reach_the_best_pair_of_a_grid_without_ridges():
    """One tap, then the other, then nothing better; a third of the grid was looked at."""
    scan, asked = of_grid(towards(9, 4))
    tried = coordinate_descent(FULL, scan, starts=1)
    assert tried.chosen == (Pair("a", 9, "b", 4),)
    assert tried.history["best"].tolist() == ["a@12 + b@4", "a@9 + b@4", "a@9 + b@4"]
    assert [len(part) for part in asked] == [23, 11, 10]
    assert tried.history["evaluations"].tolist() == [23, 34, 44]


def test_no_pair_is_scored_twice_and_never_more_than_207():
    """Three starts and three passes, on a grid of noise."""
    noise = np.random.default_rng(0).normal(size=(13, 13))
    scan, asked = of_grid(lambda pair: noise[pair.i, pair.j])
    tried = coordinate_descent(FULL, scan, random_state=1)
    every = [pair for part in asked for pair in part]
    assert len(every) == len(set(every)) == len(tried.sets) <= 144 < 207
    assert len(asked) <= 3
    assert tried.fused.values[tried.pairs.index(tried.chosen)] == tried.fused.values.max()


def test_a_flat_grid_ends_after_the_first_pass():
    """Nothing is better than the start, which stays."""
    scan, asked = of_grid(lambda pair: 0)
    tried = coordinate_descent(FULL, scan, starts=2, passes=5)
    assert len(asked) == 1
    assert tried.chosen == FULL.late()
    assert tried.history["start"].tolist() == [0, 1]


def test_another_start_leaves_a_local_best_pair():
    """Where late fusion is the best of its cross, but not of the grid."""
    scan, _ = of_grid(lambda pair: 1 if (pair.i, pair.j) == (12, 12) else 2 * (pair.i < 12 and pair.j < 12))
    assert coordinate_descent(FULL, scan, starts=1).chosen == FULL.late()
    assert coordinate_descent(FULL, scan, starts=3).chosen != FULL.late()


def test_every_two_modalities_have_their_starts():
    """Three modalities of 1, 2 and 3 taps: never more starts than pairs, all pairs in reach."""
    space = TapSpace({"a": 1, "b": 2, "c": 3})
    scan, _ = of_grid(lambda pair: pair == Pair("b", 1, "c", 2))
    tried = coordinate_descent(space, scan, starts=3)
    assert tried.history.groupby("pass").size()[0] == 2 + 3 + 3
    assert tried.chosen == (Pair("b", 1, "c", 2),)


def test_progress_is_shown_if_asked_for(capsys):
    """Passes on standard error; silent by default."""
    scan, _ = of_grid(towards(9, 4))
    coordinate_descent(FULL, scan)
    assert capsys.readouterr() == ("", "")
    coordinate_descent(FULL, scan, verbose=1)
    assert "3/3" in capsys.readouterr().err


def test_the_planted_pair_is_found_in_closed_form():
    """ADD, and the result goes into the selection rule."""
    judge, bunch = planted("add")
    tried = coordinate_descent(judge.space, closed(judge, "concat"))
    assert numbers(tried.chosen) == set(bunch.planted)
    assert numbers(tried.search(judge).selection.pairs) == set(bunch.planted)


@pytest.mark.slow
def test_the_planted_pair_is_found_by_trained_heads():
    """XOR: bilinear heads, a pass of crosses at a time."""
    judge, bunch = planted("xor", "small")
    how = TrainedHeads("bilinear", width=8, trainer=head_trainer())
    tried = coordinate_descent(judge.space, lambda sets: stacked_scan(judge, sets, how))
    assert numbers(tried.chosen) == set(bunch.planted)
    assert tried.head_epochs == 30 * len(tried.sets)


@pytest.mark.parametrize("wrong", [{"starts": 0}, {"passes": 0}])
def test_settings_out_of_range_are_told(wrong):
    """By their name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        coordinate_descent(FULL, of_grid(lambda pair: 0)[0], **wrong)
