"""Calibration of held-out probabilities: bins by hand, and what is too sure."""

import numpy as np
import pytest
from simulated import contender, near, outcomes, right, truth

from plait.compare.statistics.calibration import calibration_table, reliability_table
from plait.statistics.metrics import metric_by_name


def _by_hand():
    """Ten samples of class 0: said .9 (nine are right of ten) in one seed, said .6 (all right) in another."""
    data = truth(n=10, folds=2)
    data.target[:] = 0
    sure = np.tile([0.9, 0.1], (10, 1))
    sure[0] = [0.1, 0.9]
    return outcomes(data, contender(data, "a", "single", np.stack([sure, np.tile([0.6, 0.4], (10, 1))])[:, None]))


def test_bins_by_hand():
    """Bin 13 of 15 holds .9, bin 8 holds .6: half of the predictions each."""
    table = reliability_table(_by_hand())
    assert table.columns.tolist() == ["method", "bin", "confidence", "accuracy", "share", "low", "high"]
    assert table.bin.tolist() == [8, 13]
    assert table.confidence.tolist() == pytest.approx([0.6, 0.9])
    assert table.accuracy.tolist() == pytest.approx([1.0, 0.9])
    assert table.share.tolist() == pytest.approx([0.5, 0.5])
    assert table.low[1] < 0.9 < table.high[1]


def test_scores_are_means_over_seeds():
    """ECE 0 and .4, and the mean of the Brier scores."""
    row = calibration_table(_by_hand()).iloc[0]
    assert row.ece == pytest.approx(0.2)
    assert row.brier == pytest.approx((0.9 * 0.02 + 0.1 * 1.62 + 0.32) / 2)
    assert row.log_loss == pytest.approx((-0.9 * np.log(0.9) - 0.1 * np.log(0.1) - np.log(0.6)) / 2)


def test_the_bins_give_the_calibration_error():
    """The sum over bins of share * |accuracy - confidence|, with one seed and one repeat."""
    data = truth(n=500, classes=3)
    found = outcomes(data, contender(data, "a", "fusion", right(data, 0.7, 1)))
    bins = reliability_table(found, draws=10)
    ece = metric_by_name("classification", "ece").score(data.target, found["a"].outputs[0, 0])
    assert (bins.share * (bins.accuracy - bins.confidence).abs()).sum() == pytest.approx(ece)
    assert calibration_table(found, draws=10).ece[0] == pytest.approx(ece)


def test_too_sure_is_hot():
    """Confidence .75 on average: right in .75 asks for about 1, right in .6 for more, right in .9 for less."""
    data = truth(n=3000)
    found = outcomes(
        data, *(contender(data, str(share), "single", right(data, share, 1)) for share in (0.75, 0.6, 0.9))
    )
    table = calibration_table(found, draws=50).set_index("method")
    assert 0.8 < table.temperature["0.75"] < 1.5
    assert table.temperature["0.9"] < table.temperature["0.75"] < table.temperature["0.6"]
    for name in ("ece", "brier", "log_loss"):
        assert (table[f"{name}_low"] < table[f"{name}_high"]).all()


def test_controls_and_failures_are_not_judged():
    """Nor is a regression: the table has its columns and no row."""
    data = truth()
    outputs = right(data, 0.7, 1)
    found = outcomes(
        data, contender(data, "a", "control", outputs), contender(data, "b", "fusion", outputs, failure="no")
    )
    values = truth(classes=0)
    for one in (found, outcomes(values, contender(values, "a", "fusion", near(values, 1, 1)))):
        assert len(calibration_table(one)) == len(reliability_table(one)) == 0
        assert "ece_low" in calibration_table(one)
