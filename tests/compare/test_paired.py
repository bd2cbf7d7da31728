"""All pairs of contenders: which test, which direction, which numbers."""

import numpy as np
import pytest
from simulated import contender, outcomes, race, right, truth
from sklearn.metrics import accuracy_score

from plait.compare.statistics.differences import corrected_t, sign_flips
from plait.compare.statistics.multiple import holm
from plait.compare.statistics.paired import COLUMNS, paired_table

THREE = {"baseline": ("baseline", 0.5), "a": ("single", 0.7), "both": ("fusion", 0.85), "spoiled": ("control", 0.5)}


def test_every_pair_is_a_row():
    """Of baselines, single modalities and fusions, in their order; p is adjusted over all of them."""
    table = paired_table(race(THREE, n=300), "accuracy")
    assert tuple(table.columns) == COLUMNS
    assert list(zip(table.a, table.b, strict=True)) == [("baseline", "a"), ("baseline", "both"), ("a", "both")]
    assert table.p_holm.to_numpy() == pytest.approx(holm(table.p.to_numpy()))
    assert (table.test == "corrected t over 5 splits").all()
    assert (table.difference < 0).all()


def test_the_differences_are_those_of_the_splits():
    """Scores of the ten splits, mean over seeds, with the test share 1/4."""
    found = race({"a": ("single", 0.7), "b": ("fusion", 0.75)}, n=200, repeats=2, seeds=2)
    scores = {
        label: np.array(
            [
                np.mean(
                    [
                        accuracy_score(found.truth.target[rows], part[repeat, rows].argmax(1))
                        for part in found[label].outputs
                    ]
                )
                for repeat, fold in found.truth.splits
                for rows in [found.truth.rows(repeat, fold)]
            ]
        )
        for label in "ab"
    }
    expected = corrected_t(scores["a"] - scores["b"], 0.25, 0.02)
    row = paired_table(found, "accuracy", margin=0.02).iloc[0]
    assert (row.difference, row.low, row.high, row.p) == pytest.approx(
        (expected.mean, expected.low, expected.high, expected.p)
    )
    assert (row.p_better, row.p_worse) == pytest.approx((expected.p_better, expected.p_worse))
    assert row.runs == 20


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "roc_auc", "ece", "r2", "rmse", "mae"])
@pytest.mark.parametrize("test", [None, 0.5])
def test_positive_is_better(metric, test):
    """Over splits and on a test set (confidence is .75 on average, so that .75 is calibrated)."""
    values = metric in {"r2", "rmse", "mae"}
    quality = {"good": ("fusion", 0.2 if values else 0.75), "bad": ("single", 1.0 if values else 0.25)}
    row = paired_table(race(quality, n=240, classes=0 if values else 2, test=test), metric).iloc[0]
    assert row.low < row.difference < row.high
    assert row.difference > 0
    assert row.p < 0.05
    assert row.p_better > 0.9


def test_a_test_set_is_tested_by_sign_flips():
    """Of the groups' sums of errors; the interval is the bootstrap's, the difference that of the scores."""
    found = race({"a": ("single", 0.7), "b": ("fusion", 0.8)}, n=200, test=0.5, groups=np.arange(200) // 10)
    row = paired_table(found, "accuracy").iloc[0]
    hits = [(found[label].outputs[0, 0, :100].argmax(1) == found.truth.target[:100]).astype(float) for label in "ab"]
    sums = (hits[0] - hits[1]).reshape(10, 10).sum(1)
    assert row.test == "sign-flip over 10 groups"
    assert row.p == pytest.approx(sign_flips(sums[:, None])[0])
    assert row.difference == pytest.approx(hits[0].mean() - hits[1].mean())
    assert row.low < row.difference < row.high


def test_a_metric_of_whole_sets_is_tested_by_the_bootstrap():
    """The AUC has no losses of samples."""
    row = paired_table(race({"a": ("single", 0.7), "b": ("fusion", 0.9)}, test=0.5), "roc_auc").iloc[0]
    assert row.test == "bootstrap over 100 samples"
    assert row.p < 0.01


def test_splits_that_cannot_be_scored_are_left_out():
    """A fold of one class has no AUC; folds of one sample have no R², and samples are tested instead."""
    found = race({"a": ("single", 0.7), "b": ("fusion", 0.9)}, n=100)
    found.truth.target[found.truth.rows(0, 2)] = 0
    assert paired_table(found, "roc_auc").test[0] == "corrected t over 4 splits"
    each = race({"a": ("single", 0.7), "b": ("fusion", 0.4)}, n=30, classes=0, folds=30)
    assert paired_table(each, "r2").test[0] == "sign-flip over 30 samples"


def test_twins_are_equal():
    """Identical predictions: no difference, p 1, equal for sure."""
    data = truth()
    same = right(data, 0.7, 1)
    table = paired_table(
        outcomes(data, contender(data, "a", "single", same), contender(data, "b", "fusion", same)), "brier"
    )
    row = table.iloc[0]
    assert (row.difference, row.p, row.p_equal) == (0, 1, 1)


def test_what_failed_is_not_compared():
    """One contender that is left has no pair."""
    data = truth()
    outputs = right(data, 0.7, 1)
    found = outcomes(
        data, contender(data, "a", "single", outputs), contender(data, "b", "fusion", outputs, failure="no")
    )
    assert len(paired_table(found, "accuracy")) == 0


def test_a_negative_margin_is_refused():
    """It is a size."""
    with pytest.raises(ValueError, match=r"at least 0 in units of the metric \(got -0.1\)"):
        paired_table(race({"a": ("single", 0.7)}), "accuracy", margin=-0.1)
