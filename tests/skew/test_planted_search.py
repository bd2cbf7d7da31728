"""The search on planted pairs: every threshold of the benchmark that it reaches in closed form."""

import numpy as np
import pytest

from plait.datasets.planted_taps import make_planted_taps
from plait.skew.judge import HeadSettings, TapData
from plait.skew.search import ClosedForm, Search
from plait.skew.uncertainty import Scored, confidence_set, selection_frequency
from plait.statistics.metrics import metric_by_name

ACCURACY = metric_by_name("classification", "accuracy")


def found(task, seed=0, size="small", operators=("concat", "outer"), draws=100, shortlist=4, most=3):
    """A search on a planted task, and the task."""
    bunch = make_planted_taps(task, size, random_state=seed)
    data = TapData(bunch.taps, bunch.target, np.eye(bunch.target.max() + 1)[bunch.target], np.arange(len(bunch.target)))
    method = ClosedForm(operators, HeadSettings(draws=draws), shortlist, most)
    return method.search(data, bunch.train, bunch.validation, ACCURACY), bunch


def numbers(search: Search):
    """The pairs of the choice as the benchmark writes them."""
    return {(pair.first, pair.i, pair.second, pair.j) for pair in search.selection.pairs}


@pytest.mark.parametrize("seed", range(5))
def test_the_planted_pair_is_found(seed):
    """ADD: the pair, a grid like that of the best possible decisions, and near certainty of the choice."""
    search, bunch = found("add", seed, operators=("concat",))
    assert search.selection.verdict == "skew pair"
    assert numbers(search) == set(bunch.planted)
    assert search.selection.low > 0.3
    grid = search.grid("concat")
    assert np.corrcoef(grid.ravel(), bunch.oracle.ravel())[0, 1] >= 0.98
    assert np.abs(grid - bunch.oracle).max() <= 0.08
    singles = Scored(search.fused.values[:36], search.fused.drawn[:, :36])
    assert selection_frequency(singles).max() >= 0.95


@pytest.mark.parametrize(
    ("task", "verdict"),
    [("diag", "diagonal pair"), ("late", "diagonal pair"), ("decoy", "skew pair"), ("tri", "skew pair")],
)
def test_pairs_of_every_kind_are_found(task, verdict):
    """No bias to skew, none to the best single taps (DECOY), and the right two of three modalities (TRI)."""
    search, bunch = found(task, operators=("concat",))
    assert search.selection.verdict == verdict
    assert numbers(search) == set(bunch.planted)
    if task == "decoy":
        assert search.selection.tap == ("a", 2)


def test_synergy_needs_products():
    """XOR: products find the pair; taps side by side are at chance in every cell."""
    search, bunch = found("xor", shortlist=2, most=2)
    assert numbers(search) == set(bunch.planted)
    assert search.operator == "outer"
    assert np.abs(search.grid("concat") - 0.5).max() <= 0.06
    assert np.corrcoef(search.grid("outer").ravel(), bunch.oracle.ravel())[0, 1] >= 0.98


def test_two_planted_pairs_are_both_found():
    """MULTI: exactly the planted set, and no third pair."""
    search, bunch = found("multi", operators=("outer",))
    assert search.selection.verdict == "several pairs"
    assert numbers(search) == set(bunch.planted)


@pytest.mark.parametrize("task", ["uni", "null"])
def test_where_fusion_is_useless_none_is_supported(task):
    """One modality with everything, or none with anything: nine seeds of ten at least."""
    verdicts = [found(task, seed, operators=("concat",), most=1)[0].selection.verdict for seed in range(10)]
    assert verdicts.count("no supported fusion") >= 9


def test_hard_pairs_are_in_the_set_of_the_best():
    """With neighbouring taps nearly alike the planted pair is not always the best, but never left out."""
    bunch = make_planted_taps("add", "small", correlation=0.95, random_state=0)
    data = TapData(bunch.taps, bunch.target, np.eye(4)[bunch.target], np.arange(len(bunch.target)))
    search = ClosedForm(("concat",), HeadSettings(draws=100)).search(data, bunch.train, bunch.validation, ACCURACY)
    inside = [search.sets[row][1] for row in np.flatnonzero(confidence_set(search.fused))]
    assert any({(p.first, p.i, p.second, p.j) for p in pairs} == set(bunch.planted) for pairs in inside)


def test_validation_rows_choose_but_do_not_fit():
    """Another target of the validation rows changes no head: scalings and training outputs are the same."""
    bunch = make_planted_taps("add", "tiny", random_state=0)
    outputs = np.eye(4)[bunch.target]
    changed = outputs.copy()
    changed[bunch.validation] = 0
    groups = np.arange(len(outputs))
    method = ClosedForm(("concat",), HeadSettings(draws=50))
    one, two = (
        method.search(TapData(bunch.taps, bunch.target, given, groups), bunch.train, bunch.validation, ACCURACY)
        for given in (outputs, changed)
    )
    np.testing.assert_array_equal(one.fused.values, two.fused.values)


def test_the_same_seed_gives_the_same_search():
    """To the last bit."""
    one, two = (found("add", size="tiny", operators=("concat",), draws=50)[0] for _ in range(2))
    np.testing.assert_array_equal(one.fused.drawn, two.fused.drawn)
    assert one.selection == two.selection
