"""Outcomes of a comparison: the protocol in words, and what counts as failed."""

import numpy as np
import pytest
from simulated import contender, outcomes, right, truth


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"folds": 5}, "5 folds"),
        ({"folds": 5, "repeats": 2}, "5 folds x 2 repeats"),
        ({"test": 0.3}, "one split"),
    ],
)
def test_the_protocol_in_words(made, words):
    """Folds and repeats, or one split."""
    assert truth(**made).protocol == words


def test_what_is_drawn_in_words():
    """Groups where there are some, else samples; only those that are reported."""
    assert truth(n=100).units == "100 samples"
    assert truth(n=100, groups=np.arange(100) // 4).units == "25 groups"
    assert truth(n=100, test=0.2).units == "20 samples"


def test_what_is_not_finite_failed():
    """Where a fold reports it; elsewhere NaN is what belongs there."""
    data = truth(test=0.5)
    good, bad = right(data, 0.7, 1), right(data, 0.7, 1)
    bad[..., 3, 0] = np.inf
    found = outcomes(data, contender(data, "good", "fusion", good), contender(data, "bad", "fusion", bad)).checked()
    assert [one.failure for one in found.contenders.values()] == ["", "it predicted values that are not finite"]
    assert list(found.of_kind("fusion").contenders) == ["good"]
