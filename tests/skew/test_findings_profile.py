"""What skewness does, on scores made by hand."""

import numpy as np
import pytest
from planted_judges import noise

from plait.skew.findings import Findings
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.grid import pairs_table, taps_table
from plait.skew.findings.profile import marginals_table, skew_effect, skew_table
from plait.skew.search import Search
from plait.skew.selection import gains, select
from plait.skew.space import TapSpace
from plait.skew.uncertainty import Scored, selection_frequency, simultaneous

GRID = np.array([[0.60, 0.52, 0.50], [0.90, 0.61, 0.57], [0.70, 0.75, 0.62]])
ALONE = np.array([0.5, 0.4, 0.3, 0.45, 0.2, 0.1])
SHIFTS = np.linspace(-1, 1, 201)


def made(drawn, depths=None, values=None, operator="concat"):
    """The evidence of a grid: its draws, and taps whose scores never vary."""
    judge = noise(depths or {"image": 3, "text": 3})
    space = judge.space
    fused = Scored(GRID.ravel() if values is None else values, drawn)
    alone = Scored(ALONE[: len(judge.taps)], np.tile(ALONE[: len(judge.taps)], (len(drawn), 1)))
    sets = tuple((operator, (pair,)) for pair in space.all())
    chosen = select(space, [pairs for _, pairs in sets], fused, judge.taps, alone)
    return Evidence(Search(space, judge.metric, sets, fused, judge.taps, alone, chosen), judge, 0.95, 0.0)


@pytest.fixture(scope="module")
def moved():
    """Every pair moves by the same number in a draw, between -1 and 1 in equal steps."""
    return made(GRID.ravel() + SHIFTS[:, None])


@pytest.fixture(scope="module")
def rough():
    """Every pair moves by itself, so that each is the best now and then."""
    return made(GRID.ravel() + 0.1 * np.random.default_rng(0).normal(size=(500, 9)))


def test_every_skewness_has_its_diagonal_of_the_grid(moved):
    """d = i - j from -2 to 2; mean and best of the gains over the best tap, 0.5."""
    table = skew_table(moved).set_index("d")
    assert list(table.index) == [-2, -1, 0, 1, 2]
    for d in table.index:
        diagonal = np.diagonal(GRID, -d) - 0.5
        assert table["pairs"][d] == len(diagonal)
        assert table["mean_gain"][d] == pytest.approx(diagonal.mean())
        assert table["best_gain"][d] == pytest.approx(diagonal.max())


def test_intervals_are_percentiles_of_the_draws(moved):
    """95 % of equal steps from -1 to 1 lie between -0.95 and 0.95."""
    table = skew_table(moved)
    for kind in ("mean", "best"):
        np.testing.assert_allclose(table[f"{kind}_low"], table[f"{kind}_gain"] - 0.95)
        np.testing.assert_allclose(table[f"{kind}_high"], table[f"{kind}_gain"] + 0.95)


def test_the_best_pair_of_a_skewness_stays_the_best_in_every_draw(rough):
    """Its interval is of its own draws, not of the best of each draw."""
    table = skew_table(rough).set_index("d")
    low, high = np.percentile(rough.search.fused.drawn[:, 3] - 0.5, [2.5, 97.5])
    assert table.loc[1, ["best_low", "best_high"]].tolist() == pytest.approx([low, high])


def test_the_skew_effect_compares_two_pairs_that_are_held_fixed(rough):
    """(2, 1) against (3, 3): 0.9 - 0.62, with the percentiles of that difference."""
    drawn = rough.search.fused.drawn[:, 3] - rough.search.fused.drawn[:, 8]
    assert skew_effect(rough) == pytest.approx((0.28, *np.percentile(drawn, [2.5, 97.5])))


def test_frequencies_of_skewness_and_of_taps_are_sums_of_those_of_pairs(rough):
    """Over all d, and over the taps of either modality, they sum to 1."""
    frequency = selection_frequency(rough.search.fused).reshape(3, 3)
    assert 0 < frequency[1, 0] < 1
    skew, marginals = skew_table(rough), marginals_table(rough)
    np.testing.assert_allclose(skew["frequency"], [np.trace(frequency, -d) for d in skew["d"]])
    np.testing.assert_allclose(marginals["frequency"], [*frequency.sum(1), *frequency.sum(0)])
    assert skew["frequency"].sum() == pytest.approx(1)
    np.testing.assert_allclose(marginals.groupby("modality")["frequency"].sum(), 1)


def test_gains_of_pairs_are_over_what_they_say(rough):
    """The best tap, the better of its own two, and the last taps; bounds hold for all pairs together."""
    table = pairs_table(rough)
    np.testing.assert_allclose(table["gain"], GRID.ravel() - 0.5)
    own = np.maximum(ALONE[:3, None], ALONE[None, 3:])
    np.testing.assert_allclose(table["gain_own"], (GRID - own).ravel())
    np.testing.assert_allclose(table["gain_late"], (GRID - GRID[2, 2]).ravel())
    band = simultaneous(gains(rough.search.fused, rough.search.alone), 0.95)
    np.testing.assert_array_equal(table["gain_low"], band.low)
    np.testing.assert_array_equal(table["supported"], band.low > 0)
    assert table.loc[table["chosen"], "pair"].tolist() == ["image@2 + text@1"]


def test_unequal_depths_have_skewness_on_the_grid_of_the_deeper():
    """2 and 3 taps: the relative one too, and all pairs are in the profile."""
    values = np.arange(6) / 10
    seen = made(values + SHIFTS[:, None], {"image": 2, "text": 3}, values)
    table, space = pairs_table(seen), TapSpace({"image": 2, "text": 3})
    assert table["skewness"].tolist() == [space.skewness(pair) for pair in space.all()]
    assert table["relative_skewness"].tolist() == [space.relative_skewness(pair) for pair in space.all()]
    assert skew_table(seen)["pairs"].sum() == 6


def test_a_tap_that_was_tried_by_several_heads_counts_with_its_best(rough):
    """As where trained heads were added to a search: one row a tap."""
    search = rough.search
    alone = Scored(
        np.append(search.alone.values, 0.7), np.hstack([search.alone.drawn, search.alone.drawn[:, :1] + 0.2])
    )
    twice = Search(
        search.space, search.metric, search.sets, search.fused, (*search.taps, ("image", 1)), alone, search.selection
    )
    table = taps_table(Evidence(twice, rough.judge, 0.95, 0.0))
    assert table["tap"].tolist() == [1, 2, 3, 1, 2, 3]
    assert table["score"][0] == pytest.approx(0.7)


def test_what_has_to_be_trained_is_told_as_far_as_the_search_tells_it():
    """Pairs of an operator without closed form: their own numbers, and NaN or no row for what was not tried."""
    seen = made(GRID.ravel() + 0.001 * np.random.default_rng(0).normal(size=(20, 9)), operator="mlp")
    found = Findings.of(seen.search, seen.judge, seen.judge)
    assert found.verdict == "skew pair"
    assert "pairwise" not in set(found.sets["kind"]) | set(found.baselines["name"])
    chosen = found.baselines.set_index("name").loc["chosen"]
    assert chosen["score"] == pytest.approx(0.9)
    assert found.tested.set_index("name").loc[["chosen", "late pair"], "score"].isna().all()
    assert found.tested.set_index("name").loc["all taps", "score"] > 0
