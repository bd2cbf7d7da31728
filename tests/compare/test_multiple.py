"""Holm's adjustment, and ranks over data sets: examples by hand and the published one."""

import numpy as np
import pandas as pd
import pytest

from plait.compare.statistics.multiple import critical_difference, holm

DEMSAR = pd.DataFrame(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.97501, 0.975],  # printed as .975; the printed ranks are 4, 1, 2, 3
        [0.957, 0.978, 0.946, 0.970],
    ],
    columns=["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"],
)
"""AUC of four classifiers on 14 data sets (Demsar, 2006, table 6)."""


def test_holm_by_hand():
    """.01, .02, .03, .04: times 4, 3, 2, 1, never falling."""
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.001, 0.2, 0.6])) == pytest.approx([0.003, 0.4, 0.6])
    assert holm(np.array([0.6, 0.7])) == pytest.approx([1, 1])


def test_one_test_is_not_adjusted():
    """And none is none; an undefined one does not count."""
    assert holm(np.array([0.03])).tolist() == [0.03]
    assert holm(np.array([])).size == 0
    np.testing.assert_allclose(holm(np.array([0.03, np.nan, 0.01])), [0.03, np.nan, 0.02])


def test_the_published_example():
    """Mean ranks 1.964, 2.000, 2.893, 3.143 and CD 1.25; without ties Friedman's statistic would be 9.28."""
    found = critical_difference(DEMSAR)
    assert found.mean_ranks.index.tolist() == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    assert found.mean_ranks.tolist() == pytest.approx([1.964, 2.0, 2.893, 3.143], abs=5e-4)
    assert found.cd == pytest.approx(1.25, abs=0.005)
    plain = 12 * 14 / (4 * 5) * (np.square(found.mean_ranks).sum() - 4 * 25 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)
    assert 13 * plain / (14 * 3 - plain) == pytest.approx(3.69, abs=0.005)
    ties = (60 + 3 * 6) / (14 * 4 * 15)  # one tie of four, three of two
    assert found.chi2 == pytest.approx(plain / (1 - ties))
    assert found.f == pytest.approx(13 * found.chi2 / (42 - found.chi2))
    assert found.p < found.p_f < 0.05 or found.p_f < found.p < 0.05


@pytest.mark.parametrize(("methods", "quantile"), [(4, 2.569), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_nemenyis(methods, quantile):
    """Published quantiles at .05 (Demsar, 2006, table 5a)."""
    scores = pd.DataFrame(np.random.default_rng(0).random((14, methods)), columns=[f"m{i}" for i in range(methods)])
    expected = quantile * np.sqrt(methods * (methods + 1) / (6 * 14))
    assert critical_difference(scores).cd == pytest.approx(expected, rel=2e-4)


def test_groups_are_the_largest_that_cannot_be_told_apart():
    """Ranks 1, 2, 3, 4 on 30 data sets with CD .856: all differ; on 5 data sets with CD 2.10: two groups overlap."""
    scores = pd.DataFrame([[4, 3, 2, 1]] * 30, columns=list("abcd"))
    assert critical_difference(scores).groups == []
    assert critical_difference(scores[:5]).groups == [("a", "b", "c"), ("b", "c", "d")]
    assert critical_difference(DEMSAR).groups == [("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")]


def test_lower_may_be_better():
    """The ranks turn round."""
    down = critical_difference(DEMSAR, greater_is_better=False)
    assert down.mean_ranks.index[0] == "C4.5"
    assert down.mean_ranks["C4.5"] == pytest.approx(5 - 3.143, abs=5e-4)


def test_all_alike_and_all_in_order():
    """One score for all: p is 1 and everybody is in one group. Always the same order: F is infinite, p is 0."""
    alike = critical_difference(pd.DataFrame(np.ones((4, 3)), columns=list("abc")))
    assert (alike.chi2, alike.p, alike.p_f, alike.groups) == (0, 1, 1, [("a", "b", "c")])
    ordered = critical_difference(pd.DataFrame([[3, 2, 1]] * 6, columns=list("abc")))
    assert (ordered.f, ordered.p_f) == (np.inf, 0)


def test_what_cannot_be_ranked_is_refused():
    """Too little of it, and cells without a score, which are named."""
    with pytest.raises(ValueError, match=r"at least 2 data sets \(rows\) and 3 methods \(columns\); got 1 and 4"):
        critical_difference(DEMSAR[:1])
    with pytest.raises(ValueError, match="got 14 and 2"):
        critical_difference(DEMSAR.iloc[:, :2])
    holed = DEMSAR.copy()
    holed.loc[3, "C4.5+m"] = np.nan
    with pytest.raises(ValueError, match=r"there is none for C4\.5\+m on 3\. Leave out"):
        critical_difference(holed)
