"""The modality ledger: numbers by hand, the sum of the shares, and what is lacking."""

import numpy as np
import pytest
from simulated import contender, near, outcomes, right, truth

from plait.compare.statistics.ledger import COLUMNS, SHARING, ledger_table, sharing
from plait.compare.statistics.scores import drawn_scores, mean_scores
from plait.statistics.metrics import metric_by_name

DATA = truth(n=20, folds=2)


def _share(count):
    """Outputs that are right for the first `count` of 20 samples."""
    right_one = np.arange(20) < count
    chosen = np.where(right_one, DATA.target, 1 - DATA.target)
    return np.eye(2)[chosen][None, None]


def _game(worth, names, probe="early fusion"):
    """Contenders whose accuracy is worth[subset] / 20; subsets are strings of one-letter names."""
    found = [contender(DATA, "baseline", "baseline", _share(worth[""]))]
    found += [contender(DATA, probe, "fusion", _share(worth["".join(names)]), reads=tuple(names))]
    found += [
        contender(DATA, f"{probe} on {' + '.join(subset)}", "subset", _share(count), reads=tuple(subset))
        for subset, count in worth.items()
        if 0 < len(subset) < len(names)
    ]
    return outcomes(DATA, *found)


def test_two_modalities_by_hand():
    """.5, .8, .6, .9: alone .3 and .1, gain .3 and .1, and so the shares."""
    table = ledger_table(_game({"": 10, "a": 16, "b": 12, "ab": 18}, "ab"), None, "accuracy", draws=20)
    assert tuple(table.columns) == COLUMNS
    assert table.modality.tolist() == ["a", "b"]
    for what in ("alone", "gain", "shapley"):
        assert table[what].tolist() == pytest.approx([0.3, 0.1])


def test_synergy_is_shared():
    """Alone .1 and 0, together .3: gains .3 and .2, shares .2 and .1."""
    table = ledger_table(_game({"": 10, "a": 12, "b": 10, "ab": 16}, "ab"), None, "accuracy", draws=20)
    assert table.alone.tolist() == pytest.approx([0.1, 0.0])
    assert table.gain.tolist() == pytest.approx([0.3, 0.2])
    assert table.shapley.tolist() == pytest.approx([0.2, 0.1])


def test_three_modalities_by_hand():
    """The glove game in units of .3: the left one gets 2/3 of it, the right ones 1/6 each."""
    worth = {"": 10, "l": 10, "r": 10, "s": 10, "lr": 16, "ls": 16, "rs": 10, "lrs": 16}
    table = ledger_table(_game(worth, "lrs"), None, "accuracy", draws=20)
    assert table.shapley.tolist() == pytest.approx([0.2, 0.05, 0.05])
    assert table.gain.tolist() == pytest.approx([0.3, 0, 0])


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "macro_f1"])
def test_shares_sum_to_the_whole(metric):
    """The worth of all minus that of none, and so they do in every draw (one draw is its own interval)."""
    data = truth(n=90)
    sets = ["a", "b", "c", "ab", "ac", "bc"]
    ends = [
        contender(data, "baseline", "baseline", right(data, 0.5, 1, 2)),
        contender(data, "x", "fusion", right(data, 0.9, 2, 2), reads="abc"),
    ]
    refits = [
        contender(data, f"x on {one}", "subset", right(data, 0.7, 3 + place, 2), reads=one)
        for place, one in enumerate(sets)
    ]
    found = outcomes(data, *ends, *refits)
    table = ledger_table(found, "x", metric, draws=1)
    scored = metric_by_name("classification", metric)
    none, whole = (scored.sign * mean_scores(data, one, scored).mean() for one in ends)
    assert table.shapley.sum() == pytest.approx(whole - none)
    drawn = drawn_scores(found, [scored], 1, 0)
    assert table.shapley_low.sum() == pytest.approx(scored.sign * (drawn["x"] - drawn["baseline"]).item())


def test_intervals_hold_the_value():
    """And are about as wide as those of a difference of shares."""
    data = truth(n=300)
    found = outcomes(
        data,
        contender(data, "baseline", "baseline", right(data, 0.5, 1)),
        contender(data, "x", "fusion", right(data, 0.9, 2), reads="ab"),
        contender(data, "x on a", "subset", right(data, 0.8, 3), reads="a"),
        contender(data, "x on b", "subset", right(data, 0.6, 4), reads="b"),
    )
    table = ledger_table(found, None, "accuracy")
    for what in ("alone", "gain", "shapley"):
        assert (table[f"{what}_low"] < table[what]).all()
        assert (table[what] < table[f"{what}_high"]).all()
    half = 1.96 * np.sqrt((0.8 * 0.2 + 0.5 * 0.5) / 300)
    assert (table.alone_high - table.alone_low)[0] / 2 == pytest.approx(half, rel=0.1)


def test_a_loss_counts_negative():
    """A modality that lowers the error of a regression has a positive worth."""
    data = truth(n=200, classes=0)
    found = outcomes(
        data,
        contender(data, "baseline", "baseline", near(data, 1.0, 1)),
        contender(data, "x", "fusion", near(data, 0.1, 2), reads="ab"),
        contender(data, "x on a", "subset", near(data, 0.4, 3), reads="a"),
        contender(data, "x on b", "subset", near(data, 0.7, 4), reads="b"),
    )
    table = ledger_table(found, None, "rmse", draws=50)
    assert table.alone.tolist() == pytest.approx([0.6, 0.3], abs=0.1)
    assert (table.shapley_low > 0).all()


def test_without_all_subsets_there_are_no_shares():
    """Of four modalities only each alone and all but each: alone and gain are there."""
    worth = {"": 10, "a": 12, "b": 11, "c": 10, "d": 10, "abc": 14, "abd": 15, "acd": 13, "bcd": 12, "abcd": 16}
    table = ledger_table(_game(worth, "abcd"), None, "accuracy", draws=20)
    assert table.alone.tolist() == pytest.approx([0.1, 0.05, 0, 0])
    assert table.gain.tolist() == pytest.approx([0.2, 0.15, 0.05, 0.1])
    assert table[["shapley", "shapley_low", "shapley_high"]].isna().all(axis=None)


def test_nothing_to_account_for_is_an_empty_table():
    """No refits, no baseline, a probe that is not there: the columns alone."""
    game = _game({"": 10, "a": 16, "b": 12, "ab": 18}, "ab")
    for kinds in (("baseline", "fusion"), ("fusion", "subset")):
        assert len(ledger_table(game.of_kind(*kinds), None, "accuracy")) == 0
    assert tuple(ledger_table(game, "late fusion", "accuracy").columns) == COLUMNS
    assert len(ledger_table(game, "late fusion", "accuracy")) == 0


@pytest.mark.parametrize(
    ("worth", "overlap"), [({"a": 16, "b": 15, "ab": 17}, 0.2), ({"a": 12, "b": 10, "ab": 16}, -0.2)]
)
def test_what_modalities_share_is_the_sum_less_the_whole(worth, overlap):
    """.3 and .25 alone, .35 together: .2 is said twice; .1 and 0 alone, .3 together: .2 needs both."""
    row = sharing(_game({"": 10, **worth}, "ab"), None, "accuracy", draws=200)
    assert tuple(row.columns) == SHARING
    assert row.overlap.tolist() == pytest.approx([overlap])
    assert (row.apart - row.together).tolist() == pytest.approx([overlap])
    assert row.overlap_low.item() <= overlap <= row.overlap_high.item()


def test_nothing_is_said_of_sharing_without_the_refits():
    """With the whole alone."""
    found = outcomes(DATA, contender(DATA, "early", "fusion", _share(15), reads=("a", "b")))
    assert sharing(found, "early", "accuracy").empty
