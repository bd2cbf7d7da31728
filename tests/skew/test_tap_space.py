import copy
import pickle

import numpy as np
import pytest

from plait.skew.space import Pair, TapSpace
from plait.skew.windows import ANCHORS, matched

TWELVE = TapSpace({"text": 12, "audio": 12})
UNEQUAL = TapSpace({"a": 4, "b": 10})
THREE = TapSpace({"a": 2, "b": 3, "c": 5})


def taps(space, pairs):
    """The taps alone."""
    return [space.short(pair) for pair in pairs]


@pytest.mark.parametrize(
    ("d", "text", "audio"), [(-7, range(1, 6), range(8, 13)), (2, range(8, 13), range(6, 11))], ids=["-7", "+2"]
)
def test_windows_of_the_authors(d, text, audio):
    """The two windows of five pairs that the authors wrote down (spec 2.2), paired in order."""
    assert sorted(taps(TWELVE, TWELVE.window(5, d))) == list(zip(text, audio, strict=True))


def test_anchors_are_the_formulas():
    """Both anchors are the formulas of spec 2.5, pair by pair, for all windows of 12 taps."""
    for m in range(1, 13):
        for d in range(m - 12, 13 - m):
            top = [(12 - k - max(0, -d), 12 - k - max(0, d)) for k in range(m)]
            bottom = [(1 + k + max(0, d), 1 + k + max(0, -d)) for k in range(m)]
            assert taps(TWELVE, TWELVE.window(m, d, "top")) == top
            assert taps(TWELVE, TWELVE.window(m, d, "bottom")) == bottom


@pytest.mark.parametrize("d", [-3, 0, 3])
def test_windows_of_one(d):
    """A window of one pair has a side at the last tap (top) or at the first (bottom)."""
    assert taps(TWELVE, TWELVE.window(1, d, "top")) == [(12, 12 - d) if d >= 0 else (12 + d, 12)]
    assert taps(TWELVE, TWELVE.window(1, d, "bottom")) == [(1 + d, 1) if d >= 0 else (1, 1 - d)]


@pytest.mark.parametrize("anchor", ANCHORS)
@pytest.mark.parametrize(("m", "most"), [(1, 11), (3, 9), (5, 7), (12, 0)])
def test_windows_reach_as_far_as_they_fit(m, most, anchor):
    """|d| goes to L - m, every pair has that skewness, and one more is refused by name."""
    for d in range(-most, most + 1):
        pairs = TWELVE.window(m, d, anchor)
        assert {TWELVE.skewness(pair) for pair in pairs} == {d}
        assert len(set(pairs)) == m
    for d in (-most - 1, most + 1):
        with pytest.raises(ValueError, match=f"between -?{most} and {most} .*'text' .12 taps. and 'audio'.*got {d}"):
            TWELVE.window(m, d, anchor)


@pytest.mark.parametrize("anchor", ANCHORS)
def test_windows_of_opposite_skewness_are_transposes(anchor):
    """Swapping i and j of the window at d gives the window at -d."""
    for m, d in [(1, 11), (3, 4), (5, 7)]:
        forth, back = (taps(TWELVE, TWELVE.window(m, sign * d, anchor)) for sign in (1, -1))
        assert [(j, i) for i, j in forth] == back


@pytest.mark.parametrize("space", [TWELVE, UNEQUAL], ids=["equal", "unequal"])
def test_swapping_the_modalities_transposes(space):
    """With the modalities in the other order every set holds the same taps, and both skewnesses change sign."""
    other = TapSpace(dict(reversed(space.depths.items())))
    assert {pair.swapped for pair in space.all()} == set(other.all())
    assert {pair.swapped for pair in space.cross()} == set(other.cross())
    assert [pair.swapped for pair in space.pairwise()] == list(other.pairwise())
    for d in (-2, 0, 5):
        assert [pair.swapped for pair in space.window(3, d)] == list(other.window(3, -d))
    for pair in space.all():
        assert other.skewness(pair.swapped) == space.skewness(pair.swapped) == -space.skewness(pair)
        assert other.relative_skewness(pair.swapped) == -space.relative_skewness(pair)
        assert other.cost([pair]) == pytest.approx(space.cost([pair]))


def test_named_sets_of_twelve_taps():
    """Late is (12, 12), pairwise is the diagonal, cross is 23 pairs, single is itself, all is the grid in order."""
    assert taps(TWELVE, TWELVE.late()) == [(12, 12)]
    assert taps(TWELVE, TWELVE.pairwise()) == [(k, k) for k in range(1, 13)]
    assert taps(TWELVE, TWELVE.single(12, 4)) == [(12, 4)]
    assert taps(TWELVE, TWELVE.all()) == [(i, j) for i in range(1, 13) for j in range(1, 13)]
    cross = taps(TWELVE, TWELVE.cross())
    assert len(cross) == 23
    assert set(cross) == {(12, j) for j in range(1, 13)} | {(i, 12) for i in range(1, 13)}


def test_densities():
    """eta of pairwise, of windows of 5 and 3, and of late is 12/12, 5/12, 3/12 and 1/12; repeats count once."""
    sets = (TWELVE.pairwise(), TWELVE.window(5, 1), TWELVE.window(3, 1), TWELVE.late())
    assert [12 * TWELVE.density(pairs) for pairs in sets] == pytest.approx([12, 5, 3, 1])
    assert [144 * TWELVE.grid_density(pairs) for pairs in sets] == pytest.approx([12, 5, 3, 1])
    assert TWELVE.grid_density(TWELVE.all()) == 1
    late = TWELVE.late()[0]
    assert TWELVE.density([late, late.swapped]) == pytest.approx(1 / 12)
    assert UNEQUAL.density(UNEQUAL.late()) == pytest.approx(1 / 10)
    assert TWELVE.density([]) == 0


def test_unequal_depths_meet_by_rounding_up():
    """4 and 10 taps: ten pairs of equal depth (ceil(0.4 k), k), the last of them late fusion."""
    first = [1, 1, 2, 2, 2, 3, 3, 4, 4, 4]
    assert taps(UNEQUAL, UNEQUAL.pairwise()) == list(zip(first, range(1, 11), strict=True))
    assert UNEQUAL.pairwise()[-1:] == UNEQUAL.late() == UNEQUAL.window(1, 0)
    assert taps(UNEQUAL, UNEQUAL.window(3, 6)) == [(4, 4), (4, 3), (4, 2)]  # positions 10, 9, 8 with 4, 3, 2
    assert taps(UNEQUAL, UNEQUAL.window(2, -3, "bottom")) == [(1, 4), (1, 5)]  # positions 1, 2 with 4, 5
    assert len(UNEQUAL) == len(UNEQUAL.all()) == 40
    assert [matched(k, 10, 10) for k in range(1, 11)] == list(range(1, 11))


def test_skewness_of_unequal_depths():
    """s = i/4 - j/10 and d = round(10 s), half to even, at pairs worked out by hand."""
    by_hand = {
        (4, 10): (0, 0),
        (2, 5): (0, 0),
        (1, 10): (-0.75, -8),
        (4, 1): (0.9, 9),
        (1, 1): (0.15, 2),
        (1, 2): (0.05, 0),
    }
    for (i, j), (s, d) in by_hand.items():
        pair = Pair("a", i, "b", j)
        assert UNEQUAL.relative_skewness(pair) == pytest.approx(s)
        assert UNEQUAL.skewness(pair) == d


@pytest.mark.parametrize("depths", [(4, 10), (10, 4), (3, 12), (1, 6), (5, 7)])
def test_windows_of_unequal_depths_keep_near_their_skewness(depths):
    """Rounding up moves the skewness of a pair by less than L / min(L_a, L_b), and a half from rounding."""
    space = TapSpace(dict(zip("ab", depths, strict=True)))
    length = max(depths)
    for m in range(1, length + 1):
        for d in range(m - length, length - m + 1):
            for anchor in ANCHORS:
                pairs = space.window(m, d, anchor)
                assert len(set(pairs)) == m
                assert max(abs(space.skewness(pair) - d) for pair in pairs) < length / min(depths) + 0.5


def test_encoder_of_one_tap():
    """One tap with six: six pairs, one of which is late; one with one: a single pair is every set."""
    space = TapSpace({"a": 1, "b": 6})
    assert taps(space, space.all()) == taps(space, space.pairwise()) == [(1, j) for j in range(1, 7)]
    assert space.late() == (Pair("a", 1, "b", 6),)
    assert space.cost(space.late()) == 2
    one = TapSpace({"a": 1, "b": 1})
    assert one.all() == one.late() == one.pairwise() == one.cross() == one.window(1, 0) == one.single(1, 1)
    assert one.density(one.all()) == one.grid_density(one.all()) == len(one) == 1


def test_three_modalities():
    """Pairs are the edges of every two: K = 2*3 + 2*5 + 3*5; sets are theirs together, or of two."""
    assert len(THREE) == len(set(THREE.all())) == 31
    assert list(map(str, THREE.late())) == ["a@2 + b@3", "a@2 + c@5", "b@3 + c@5"]
    assert THREE.late(("a", "c")) == (Pair("a", 2, "c", 5),)
    assert THREE.single(3, 1, ("b", "c")) == (Pair("b", 3, "c", 1),)
    assert len(THREE.all(("b", "c"))) == 15
    assert len(THREE.cross(("b", "c"))) == 7
    assert len(THREE.pairwise()) == 3 + 5 + 5
    assert len(THREE.window(2, 1)) == 6
    assert THREE.window(2, 1)[:2] == THREE.window(2, 1, between=("a", "b"))
    assert THREE.density(THREE.late()) == pytest.approx(3 / 5)
    assert THREE.grid_density(THREE.late()) == pytest.approx(3 / 31)


def test_cost_counts_the_blocks_that_run():
    """One pair costs i / L_a + j / L_b; of several the highest tap of each modality counts, once."""
    assert UNEQUAL.cost([Pair("a", 3, "b", 4)]) == pytest.approx(3 / 4 + 4 / 10)
    assert UNEQUAL.cost([Pair("a", 3, "b", 4), Pair("a", 1, "b", 7)]) == pytest.approx(3 / 4 + 7 / 10)
    assert UNEQUAL.cost(UNEQUAL.all()) == 2
    assert THREE.cost([Pair("a", 1, "c", 1)]) == pytest.approx(1 / 2 + 1 / 5)
    assert UNEQUAL.cost([]) == 0


@pytest.mark.parametrize(
    "text", ["image@12 + text@4", "a @ b@1 + c + d@20", "x@y@3 + @@4", "2@1 + 1@2", "a\nb@1 + c@2"]
)
def test_text_comes_back(text):
    """A pair is readable text, and the text is the pair, whatever the names hold."""
    pair = Pair.parse(text)
    assert str(pair) == text
    assert Pair.parse(str(pair)) == pair
    assert Pair.parse(str(pair.swapped)) == pair.swapped


def test_every_form_is_read():
    """Pair, text, short and long tuples, lists (as JSON gives them) and numpy's integers are one pair, in order."""
    space = TapSpace({"image": 12, "text": 6})
    pair = Pair("image", 12, "text", 4)
    numbers = np.array([12, 4])
    forms = (pair, "image@12 + text@4", (12, 4), [12, 4], ("image", 12, "text", 4), tuple(numbers), pair.swapped)
    assert {space.read(form) for form in forms} == {pair}
    assert space.read("text@4 + image@12") == pair
    assert type(space.read(tuple(numbers)).i) is int
    assert space.short(pair) == space.short(pair.swapped) == (12, 4)
    assert (str(pair), pair.first, pair.i) == ("image@12 + text@4", "image", 12)


@pytest.mark.parametrize("text", ["", "12, 4", "image@12", "image@12-text@4", "image@x + text@4", "@1 + text@4"])
def test_what_is_no_pair(text):
    """A text that is no pair is refused with an example."""
    with pytest.raises(ValueError, match="written like 'image@12"):
        Pair.parse(text)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: Pair("a", 1, "a", 2), "two modalities, got 'a' twice"),
        (lambda: Pair("a", 0, "b", 2), "count from 1; modality 'a' got tap 0"),
        (lambda: Pair("a", 1, "b", -2), "modality 'b' got tap -2"),
        (lambda: Pair("", 1, "b", 2), "must not be empty"),
        (lambda: Pair("a@1 + c", 1, "b", 2), "must not be empty or hold"),
        (lambda: TapSpace({"a": 3}), r"at least two modalities, got \['a'\]"),
        (lambda: TapSpace({"a": 3, "b": 0}), "Modality 'b' must have at least one tap, got 0"),
        (lambda: TapSpace({"a": 3, "": 2}), "must not be empty"),
        (lambda: UNEQUAL.single(5, 1), "Modality 'a' has taps 1 to 4, got 5 in a@5"),
        (lambda: UNEQUAL.read("a@4 + b@11"), "Modality 'b' has taps 1 to 10, got 11"),
        (lambda: UNEQUAL.read("a@4 + c@1"), "No modality 'c' in a@4 . c@1; the modalities are a, b"),
        (lambda: UNEQUAL.read((1, 2, 3)), r"got \(1, 2, 3\)"),
        (lambda: UNEQUAL.read((1.0, 2.0)), "A pair of numbers is"),
        (lambda: UNEQUAL.skewness(Pair("a", 9, "b", 1)), "taps 1 to 4"),
        (lambda: UNEQUAL.cost([Pair("a", 9, "b", 1)]), "taps 1 to 4"),
        (lambda: UNEQUAL.window(0, 0), "`m` must lie between 1 and 10 .*'a' .4 taps. and 'b' .10 taps., got 0"),
        (lambda: UNEQUAL.window(11, 0), "`m` must lie between 1 and 10"),
        (lambda: UNEQUAL.window(1, 0, "middle"), "`anchor` must be one of 'top', 'bottom', got 'middle'"),
        (lambda: UNEQUAL.late(("b", "a")), r"in their order, one of \('a', 'b'\); got \('b', 'a'\)"),
        (lambda: THREE.single(1, 1), "With 3 modalities .* like 'a@1 . b@1'; got .1, 1."),
        (lambda: THREE.short(Pair("a", 1, "b", 1)), "With 3 modalities a pair needs names"),
    ],
)
def test_errors_name_the_modality_and_what_is_allowed(refused, message):
    """What cannot be is refused in words."""
    with pytest.raises(ValueError, match=message):
        refused()


def test_spaces_are_values():
    """Order counts in comparing, equal spaces hash alike, copies and pickles are equal, the given dict is not kept."""
    depths = {"a": 4, "b": 10}
    space = TapSpace(depths)
    depths["a"] = 1
    assert space == UNEQUAL == copy.deepcopy(space) == pickle.loads(pickle.dumps(space))
    assert hash(space) == hash(UNEQUAL)
    assert space != TapSpace({"b": 10, "a": 4})
    assert space != "a"


def test_a_pair_is_read_without_blanks_too():
    """What is written with blanks comes back as it was, whatever the names."""
    assert Pair.parse("a@1+b@2") == Pair.parse("a@1 +b@2") == Pair("a", 1, "b", 2)
    odd = Pair("z", 3, "x@1+y", 2)
    assert Pair.parse(str(odd)) == odd
