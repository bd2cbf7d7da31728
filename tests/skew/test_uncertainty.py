"""Simultaneous bounds, the set of the best and selection frequencies."""

import numpy as np
import pytest

from plait.skew.uncertainty import Scored, confidence_set, scored, selection_frequency, simultaneous
from plait.statistics.metrics import metric_by_name

ACCURACY = metric_by_name("classification", "accuracy")


def right_or_wrong(shares, n=400, seed=0, own=0.5):
    """Outputs of two classes that are right with these shares, errors partly in common; and the target."""
    rng = np.random.default_rng(seed)
    target = rng.integers(2, size=n)
    common = rng.random(n)
    mixed = [np.where(rng.random(n) < own, rng.random(n), common) for _ in shares]
    right = np.array([one < share for one, share in zip(mixed, shares, strict=True)])
    return np.eye(2)[np.where(right, target, 1 - target)], target


def judge(shares, draws=500, **kwargs):
    outputs, target = right_or_wrong(shares, **kwargs)
    return scored(ACCURACY, target, outputs, np.arange(len(target)), draws)


def test_scores_are_the_metric_in_every_draw():
    """Of the whole, scikit-learn's number; the mean over the draws is near it, the spread is the binomial one."""
    found = judge([0.6, 0.8], draws=4000)
    outputs, target = right_or_wrong([0.6, 0.8])
    shares = (outputs.argmax(2) == target).mean(1)
    np.testing.assert_allclose(found.values, shares)
    np.testing.assert_allclose(found.drawn.mean(0), shares, atol=0.003)
    np.testing.assert_allclose(found.drawn.std(0), np.sqrt(shares * (1 - shares) / 400), rtol=0.05)


def test_lower_is_better_is_negated():
    """A greater score is always the better one."""
    target = np.array([[0.0], [1.0], [2.0], [3.0]])
    outputs = np.stack([target + 1, target + 2])
    found = scored(metric_by_name("regression", "rmse"), target, outputs, np.arange(4), 10)
    np.testing.assert_allclose(found.values, [-1, -2])
    np.testing.assert_allclose(found.drawn, np.tile([-1.0, -2.0], (10, 1)))


def test_whole_groups_are_drawn():
    """Copies of a sample in one group do not make anything surer."""
    outputs, target = right_or_wrong([0.7, 0.7], n=100)
    alone = scored(ACCURACY, target, outputs, np.arange(100), 1000)
    copied = scored(ACCURACY, np.tile(target, 4), np.tile(outputs, (1, 4, 1)), np.tile(np.arange(100), 4), 1000)
    np.testing.assert_allclose(copied.drawn, alone.drawn)


def test_a_candidate_minus_itself_is_exactly_nothing():
    """Zero, with bounds of zero width; and it widens nobody's bounds."""
    gains = judge([0.6, 0.8, 0.7]).minus(1)
    band = simultaneous(gains)
    assert gains.values[1] == band.low[1] == band.high[1] == band.error[1] == 0
    others = Scored(gains.values[[0, 2]], gains.drawn[:, [0, 2]])
    np.testing.assert_allclose(simultaneous(others).low, band.low[[0, 2]])


def test_bounds_for_all_are_wider_than_bounds_for_one():
    """Simultaneous lower bounds are below the pointwise ones, the upper ones above; of one candidate they agree."""
    scores = judge([0.5, 0.55, 0.6, 0.6, 0.65, 0.7])
    band = simultaneous(scores)
    for place in range(6):
        one = simultaneous(Scored(scores.values[[place]], scores.drawn[:, [place]]))
        assert band.low[place] <= one.low[0]
        assert band.high[place] >= one.high[0]
    assert band.quantile > 1.645


def test_standard_errors_shrink_with_the_root_of_the_examples():
    """Four times the examples, half the error."""
    few, many = (simultaneous(judge([0.6, 0.7], n=n, seed=3, draws=2000)).error for n in (400, 1600))
    np.testing.assert_allclose(few / many, 2, rtol=0.1)


def test_all_bounds_hold_together():
    """On candidates without any difference, some lower bound against one fixed in advance is above 0 in about 5 %."""
    wrong = [
        (simultaneous(judge([0.5] * 12, n=100, seed=seed, draws=200).minus(0)).low > 0).any() for seed in range(120)
    ]
    assert np.mean(wrong) <= 0.11  # 5 % and three standard errors


@pytest.mark.parametrize(("shares", "inside"), [((0.5, 0.9, 0.6), [1]), ((0.9, 0.9, 0.5), [0, 1])])
def test_the_set_of_the_best_leaves_out_what_is_clearly_worse(shares, inside):
    """And keeps what cannot be told from the best, which is always in it."""
    assert np.flatnonzero(confidence_set(judge(shares))).tolist() == inside


def test_a_margin_keeps_what_is_little_worse():
    """With all of it given away everybody is in."""
    scores = judge([0.5, 0.9])
    assert confidence_set(scores, margin=1.0).all()
    assert not confidence_set(scores, margin=0.1).all()


def test_selection_frequencies_add_up_and_ties_are_shared():
    """A clear winner is chosen in every draw; of two that are one both are chosen half the time."""
    scores = judge([0.5, 0.95])
    np.testing.assert_allclose(selection_frequency(scores), [0, 1])
    twins = Scored(scores.values[[1, 1, 0]], scores.drawn[:, [1, 1, 0]])
    np.testing.assert_allclose(selection_frequency(twins), [0.5, 0.5, 0])
