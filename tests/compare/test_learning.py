"""Learning curves: the same reported samples, fewer training samples."""

import numpy as np
import pytest

from plait.compare.learning import learning_curve, smaller_splits
from plait.compare.runs.splits import make_splits
from plans import small_plan


def test_the_reported_samples_stay_and_training_samples_go():
    """Stratified; a share of 1 is the plan itself."""
    plan = small_plan()
    half = smaller_splits(plan, 0.5)
    for whole, part in zip(plan.splits.parts, half.parts, strict=True):
        np.testing.assert_array_equal(whole.test, part.test)
        assert len(part.train) == 15
        assert set(part.train) < set(whole.train)
        assert abs(np.mean(plan.target[part.train] == "ill") - 0.5) < 0.1
    assert smaller_splits(plan, 1.0) is plan.splits
    assert half.protocol.endswith("0.5 of the training samples")


def test_groups_go_as_a_whole():
    """None is divided, not even by what is left out."""
    groups = np.arange(60) // 4
    codes = np.arange(60) % 2
    plan = small_plan(groups=groups, splits=make_splits(60, codes, groups, folds=3))
    for part, whole in zip(smaller_splits(plan, 0.5).parts, plan.splits.parts, strict=True):
        gone = np.setdiff1d(whole.train, part.train)
        assert not set(groups[gone]) & set(groups[part.train])


def test_a_curve_has_a_row_a_method_and_share(tmp_path):
    """Its end is the comparison's own score; runs are kept."""
    plan = small_plan()
    curve = learning_curve(plan, ["early", "baseline"], "accuracy", (0.5, 1.0), tmp_path, verbose=0)
    assert curve["method"].tolist() == ["baseline", "early"] * 2
    assert curve["train"].tolist() == [15.0, 15.0, 30.0, 30.0]
    assert (curve["low"] <= curve["mean"]).all()
    again = learning_curve(plan, ["early"], "accuracy", (1.0,), tmp_path, verbose=0)
    assert again["mean"].item() == curve["mean"].iloc[3]


@pytest.mark.parametrize(
    ("labels", "shares", "message"),
    [
        (["best"], (0.5,), "needs contenders of the comparison"),
        ([], (0.5,), "none"),
        (["early"], (0.0,), "Each of shares"),
    ],
)
def test_what_cannot_be_drawn_is_refused(labels, shares, message):
    """By name."""
    with pytest.raises(ValueError, match=message):
        learning_curve(small_plan(), labels, "accuracy", shares, verbose=0)
