"""The rule of the sparsest set, on scores made up for it."""

import numpy as np
import pytest

from plait.skew.operators import CLOSED_FORM
from plait.skew.selection import gains, select
from plait.skew.space import Pair, TapSpace
from plait.skew.uncertainty import Scored

SPACE = TapSpace({"image": 4, "text": 4})
TAPS = (("image", 4), ("text", 2))


def sets(*texts):
    return [tuple(SPACE.read(one) for one in text) for text in texts]


def made(values, seed=0, spread=0.01):
    """Scores with independent draws of a spread around them."""
    values = np.array(values, float)
    return Scored(values, values + spread * np.random.default_rng(seed).normal(size=(2000, len(values))))


def choose(candidates, values, alone=(0.5, 0.4), **kwargs):
    return select(SPACE, candidates, made(values), TAPS, made(alone, seed=1), **kwargs)


@pytest.mark.parametrize(
    ("values", "verdict", "pairs"),
    [
        ((0.9, 0.7, 0.7, 0.7), "skew pair", ((3, 1),)),
        ((0.7, 0.9, 0.7, 0.7), "diagonal pair", ((2, 2),)),
        ((0.7, 0.7, 0.9, 0.7), "several pairs", ((3, 1), (2, 2))),
        ((0.51, 0.5, 0.49, 0.5), "no supported fusion", ()),
    ],
)
def test_each_verdict(values, verdict, pairs):
    """A clear winner names itself; none above the best tap names nobody."""
    found = choose(sets([(3, 1)], [(2, 2)], [(3, 1), (2, 2)], [(4, 4)]), values)
    assert found.verdict == verdict
    assert tuple(SPACE.short(pair) for pair in found.pairs) == pairs
    assert found.tap == ("image", 4)
    assert found.place == (int(np.argmax(values)) if pairs else None)
    assert found.gain == pytest.approx(max(values) - 0.5)
    assert (found.low > 0) == (verdict != "no supported fusion")


def test_of_sets_that_are_not_told_apart_the_smallest_wins():
    """Fewest pairs first, even if two pairs cost less; then the fewest blocks; then the least skew."""
    one_deep, two_shallow, one_shallow = sets([(4, 4)], [(1, 1), (2, 1)], [(2, 1)])
    assert choose([one_deep, two_shallow], [0.9, 0.901]).pairs == one_deep
    assert choose([one_deep, one_shallow, two_shallow], [0.902, 0.9, 0.9]).pairs == one_shallow
    skewed, square = sets([(3, 1)], [(2, 2)])
    assert choose([skewed, square], [0.903, 0.9]).pairs == square
    mirrored = sets([(1, 3)])[0]
    assert choose([skewed, mirrored], [0.9, 0.903]).pairs == mirrored


def test_a_margin_buys_sparsity():
    """What is clearly but little worse is taken if so much may be given away."""
    deep, shallow = sets([(4, 4)], [(1, 1)])
    assert choose([deep, shallow], [0.9, 0.8]).pairs == deep
    assert choose([deep, shallow], [0.9, 0.8], margin=0.15).pairs == shallow


def test_a_set_that_does_not_beat_the_best_tap_takes_no_part():
    """Although it is not told apart from the best set, whose own gain is supported."""
    fused = Scored(
        np.array([0.6, 0.58]), np.array([0.6, 0.58]) + np.random.default_rng(0).normal(size=(2000, 2)) * [0.01, 0.1]
    )
    found = select(SPACE, sets([(4, 4)], [(1, 1)]), fused, TAPS, made((0.5, 0.4), seed=1))
    assert found.pairs == sets([(4, 4)])[0]


def test_gains_are_over_one_tap_in_every_draw():
    """The best of all examples, not the best of a draw."""
    fused, alone = made((0.9,)), Scored(np.array([0.5, 0.4]), np.array([[0.1, 0.9], [0.6, 0.2]]))
    fused = Scored(fused.values, fused.drawn[:2])
    np.testing.assert_allclose(gains(fused, alone).values, [0.4])
    np.testing.assert_allclose(gains(fused, alone).drawn[:, 0], fused.drawn[:, 0] - [0.1, 0.6])


def test_the_trail_tells_how_the_set_was_found():
    """How many were left at each step, in words."""
    trail = choose(sets([(3, 1)], [(2, 2)], [(4, 4)]), (0.9, 0.9, 0.4)).trail
    assert trail[0] == "2 of 3 sets have a supported gain over image@4."
    assert trail[1] == "2 of them are not told apart from the best, image@3 + text@1."
    assert trail[2].startswith("image@2 + text@2 is the smallest")


def test_operators_read_what_they_say():
    """Taps once each, products of each pair, or both."""
    pairs = (Pair("a", 1, "b", 2), Pair("a", 1, "b", 3))
    taps = ((("a", 1),), (("b", 2),), (("b", 3),))
    products = ((("a", 1), ("b", 2)), (("a", 1), ("b", 3)))
    assert CLOSED_FORM["concat"](pairs) == taps
    assert CLOSED_FORM["outer"](pairs) == products
    assert CLOSED_FORM["concat+outer"](pairs) == taps + products
