"""Temperature scaling: what is planted is found, and its limits."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from plait.nn.temperature import COLDEST, HOTTEST, PLUS_FOUR, temperature


def _calibrated(n=20000, classes=4, seed=0):
    """Logits, and targets drawn from their probabilities."""
    random = np.random.default_rng(seed)
    logits = 2 * random.normal(size=(n, classes))
    target = (softmax(logits, axis=1).cumsum(1) < random.random((n, 1))).sum(1)
    return logits, target.clip(0, classes - 1)


@pytest.mark.parametrize("planted", [0.3, 1.0, 2.5, 8.0])
def test_the_planted_temperature_is_found(planted):
    """Of logits that were multiplied by it; 1 is calibrated."""
    logits, target = _calibrated()
    assert temperature(planted * logits, target) == pytest.approx(planted, rel=0.03)


def test_log_probabilities_are_logits():
    """What is added to a row does not matter."""
    logits, target = _calibrated(500)
    assert temperature(log_softmax(logits, axis=1), target) == pytest.approx(temperature(logits, target))


def test_it_is_the_most_likely():
    """No temperature of a grid is better."""
    logits, target = _calibrated(200, seed=3)
    rows = np.arange(200)
    found = temperature(logits, target)
    losses = [-log_softmax(logits / t, axis=1)[rows, target].mean() for t in [found, *np.geomspace(0.05, 20, 400)]]
    assert losses[0] <= min(losses) + 1e-8


def test_the_ends():
    """All right: the coldest. Worse than a guess: the hottest. Nobody: 1."""
    logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    assert temperature(logits, np.array([0, 1])) == pytest.approx(COLDEST, rel=1e-3)
    assert temperature(logits, np.array([1, 0])) == pytest.approx(HOTTEST, rel=1e-3)
    assert temperature(np.empty((0, 3)), np.empty(0, int)) == 1


@pytest.mark.parametrize("classes", [2, 5])
def test_with_doubt_samples_that_are_all_right_are_not_certain(classes):
    """Known answer: n samples, all with one margin, end at the probability (n + 2) / (n + 4)."""
    target = np.arange(classes).repeat(6)
    found = temperature(3.0 * np.eye(classes)[target], target, doubt=PLUS_FOUR)
    sure = softmax(3.0 * np.eye(classes)[0] / found)[0]
    assert sure == pytest.approx((6 * classes + 2) / (6 * classes + 4), abs=1e-3)


def test_impossible_is_only_very_unlikely():
    """A logarithm of 0 for the true class gives a number."""
    outputs = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]))
    outputs[0] = [-np.inf, 0]
    assert COLDEST < temperature(outputs, np.array([0, 1, 0, 1])) <= HOTTEST
