"""Nested folds: no sample both chooses and reports, groups stay whole, and the report is that of fresh samples."""

from dataclasses import replace

import numpy as np
import pytest

from plait.datasets import make_planted_taps
from plait.skew.judge import HeadSettings, Judge, Split, TapData
from plait.skew.nested import CONTENDERS, nested
from plait.skew.operators import CLOSED_FORM
from plait.skew.search import ClosedForm
from plait.statistics.metrics import metric_by_name

ACCURACY = metric_by_name("classification", "accuracy")
HOW = ClosedForm(("concat",), HeadSettings(draws=100), most=1)
FEW = {"folds": 3, "inner": 2}


def planted(task="add", n=400, seed=0, groups=None):
    bunch = make_planted_taps(task, "tiny", n=n, random_state=seed)
    outputs = np.eye(int(bunch.target.max()) + 1)[bunch.target]
    given = np.arange(len(outputs)) if groups is None else np.arange(len(outputs)) // groups
    return TapData(bunch.taps, bunch.target, outputs, given), bunch


@pytest.fixture(scope="module")
def add():
    return nested(planted(n=600)[0], HOW, ACCURACY, **FEW)


def test_the_planted_pair_is_chosen_in_every_fold(add):
    """And reported far ahead of the best tap and of the last taps, which is sure."""
    assert add.chosen["fold"].tolist() == list(range(3))
    assert set(add.chosen["pairs"]) == {"a@3 + b@1"}
    assert set(add.chosen["verdict"]) == {"skew pair"}
    table = add.table().set_index("name")
    assert list(table.index) == list(CONTENDERS)
    assert table.loc["chosen", "score"] > 0.8
    assert (table.loc[["best tap", "late pair"], "difference_low"] > 0.2).all()
    assert (table["low"] < table["score"]).all()
    assert (table["score"] < table["high"]).all()


def test_a_choice_is_nothing_ahead_of_itself(add):
    """Exactly, with an interval of no width."""
    row = add.table().iloc[0]
    assert row[["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]


def test_scores_are_those_of_heads_that_are_fitted_again_on_the_rest(add):
    """By hand: the chosen pair on the other folds, reported on the one, all samples pooled."""
    data, _ = planted(n=600)
    right = np.empty(len(data.target))
    for choice in add.choices:
        test = add.folds == choice.fold
        judge = Judge(HOW.heads, [Split(data, np.flatnonzero(~test), np.flatnonzero(test))], ACCURACY)
        outputs = judge.outputs([CLOSED_FORM[choice.operator](choice.selection.pairs)])[0]
        right[test] = outputs.argmax(1) == data.target[test]
    assert add.scores.values[0] == pytest.approx(right.mean(), abs=1e-12)


def test_what_an_outer_fold_reports_does_not_choose(add):
    """Other taps in an outer fold change the choice of that fold in nothing, bounds and all, and its report."""
    data, _ = planted(n=600)
    rng, held = np.random.default_rng(0), add.folds == 1
    taps = {name: [tap.copy() for tap in own] for name, own in data.taps.items()}
    for own in taps.values():
        for tap in own:
            tap[held] = rng.normal(size=tap[held].shape)
    found = nested(replace(data, taps=taps), HOW, ACCURACY, **FEW)
    np.testing.assert_array_equal(found.folds, add.folds)
    assert found.choices[1] == add.choices[1]
    assert found.choices[0] != add.choices[0]
    assert found.scores.values[0] < add.scores.values[0] - 0.1


def test_no_group_is_in_two_folds():
    """Neither outer nor inner: a search sees whole groups on one side alone."""
    data, _ = planted(n=240, groups=6)
    seen = []

    class Spy(ClosedForm):
        def judged(self, judge, verbose=0):
            seen.extend(judge.splits)
            return super().judged(judge, verbose)

    found = nested(data, Spy(("concat",), HOW.heads, most=1), ACCURACY, folds=4, inner=3)
    assert len(seen) == 4 * 3
    for split in seen:
        assert not set(data.groups[split.train]) & set(data.groups[split.validation])
    for fold in range(4):
        assert not set(data.groups[found.folds == fold]) & set(data.groups[found.folds != fold])
        outer = set(data.groups[found.folds == fold])
        inner = seen[3 * fold : 3 * fold + 3]
        assert not any(outer & set(data.groups[np.r_[one.train, one.validation]]) for one in inner)
        assert sorted(np.concatenate([one.validation for one in inner])) == np.flatnonzero(found.folds != fold).tolist()


def test_folds_are_stratified():
    """Every fold has every class in nearly its share."""
    data, _ = planted(n=103)
    found = nested(data, HOW, ACCURACY, folds=4, inner=2)
    counts = np.array([np.bincount(data.target[found.folds == fold], minlength=4) for fold in range(4)])
    assert (np.ptp(counts, axis=0) <= 1).all()


def test_where_no_fusion_is_supported_the_best_tap_is_reported():
    """On noise the choice is the tap, to the last bit; pairs and operator are empty."""
    data, _ = planted("null", n=200)
    found = nested(data, HOW, ACCURACY, **FEW)
    assert set(found.chosen["verdict"]) == {"no supported fusion"}
    assert set(found.chosen["pairs"]) == set(found.chosen["operator"]) == {""}
    np.testing.assert_array_equal(found.scores.drawn[:, 0], found.scores.drawn[:, 1])


def test_what_cannot_be_pooled_is_averaged_over_the_folds():
    """AUC: the mean of the folds' own, on two classes."""
    auc = metric_by_name("classification", "roc_auc")
    data, _ = planted("uni", n=200)
    found = nested(data, HOW, auc, **FEW)
    each = []
    for choice in found.choices:
        test = found.folds == choice.fold
        judge = Judge(HOW.heads, [Split(data, np.flatnonzero(~test), np.flatnonzero(test))], auc)
        each.append(judge.alone([choice.selection.tap]).values[0])
    assert found.scores.values[1] == pytest.approx(np.mean(each), abs=1e-12)


def test_values_are_predicted_too():
    """A regression: R2 of the sum of two codes, by the planted pair."""
    data, bunch = planted(n=600)
    target = bunch.codes[:, :2].sum(1)
    found = nested(
        TapData(data.taps, target, target[:, None], data.groups), HOW, metric_by_name("regression", "r2"), **FEW
    )
    assert set(found.chosen["pairs"]) == {"a@3 + b@1"}
    assert found.scores.values[0] > found.scores.values[1] + 0.2


def test_the_same_seed_gives_the_same_report():
    """To the last bit; another seed has other folds."""
    data, _ = planted(n=120)
    one, same, other = (nested(data, HOW, ACCURACY, folds=2, inner=2, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.scores.drawn, same.scores.drawn)
    assert one.choices == same.choices
    assert (one.folds != other.folds).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "folds must be a whole number of at least 2"),
        ({"inner": 1}, "inner must be a whole number of at least 2"),
        ({"folds": 5}, "5 folds need as many groups of samples, got 4"),
        ({"folds": 2, "inner": 3}, "3 folds need as many groups of samples, got 2"),
    ],
)
def test_what_cannot_be_divided_is_refused(settings, message):
    """With the number of groups that there are."""
    data, _ = planted(n=40, groups=10)
    with pytest.raises(ValueError, match=message):
        nested(data, HOW, ACCURACY, **{"folds": 2, "inner": 2, **settings})
