"""Linear CKA between modalities: the definition, its limits and invariances, and its intervals."""

from itertools import permutations

import numpy as np
import pytest

from plait.compare.statistics.redundancy import linear_cka, redundancy_table, weighted_cka
from plait.data.modalities import Modalities

RANDOM = np.random.default_rng(0)
WIDE = RANDOM.normal(size=(60, 4))
OTHER = RANDOM.normal(size=(60, 7))


def _hsic_literally(one, other):
    """Mean over all samples i, j, q, r that differ of K_ij (L_ij + L_qr - 2 L_iq)."""
    return np.mean(
        [one[i, j] * (other[i, j] + other[q, r] - 2 * other[i, q]) for i, j, q, r in permutations(range(len(one)), 4)]
    )


def _hsic_of_song(one, other):
    """The closed form of the unbiased estimator for Gram matrices without diagonals (Song et al., 2012)."""
    n, ones = len(one), np.ones(len(one))
    first = np.trace(one @ other) + ones @ one @ ones * (ones @ other @ ones) / ((n - 1) * (n - 2))
    return (first - 2 / (n - 2) * ones @ one @ other @ ones) / (n * (n - 3))


def _grams(n, seed=0):
    random = np.random.default_rng(seed)
    grams = [values @ values.T for values in (random.normal(size=(n, 2)), random.normal(size=(n, 3)))]
    for gram in grams:
        np.fill_diagonal(gram, 0)
    return grams


@pytest.mark.parametrize("hsic", [_hsic_literally, _hsic_of_song])
def test_all_weights_one_is_the_unbiased_estimator(hsic):
    """By its definition and by its closed form, on seven samples."""
    one, other = _grams(7)
    square = hsic(one, one) * hsic(other, other)
    expected = hsic(one, other) / np.sqrt(square) if square > 0 else np.nan
    np.testing.assert_allclose(weighted_cka(one, other, np.ones((1, 7))), [expected])


def test_a_sample_without_weight_is_not_there():
    """Weight 0 leaves it out; a common scale of the weights is nothing."""
    one, other = _grams(12, 1)
    weights = np.ones((2, 12))
    weights[:, 3] = 0
    weights[1] *= 5
    kept = np.delete(np.arange(12), 3)
    expected = weighted_cka(one[np.ix_(kept, kept)], other[np.ix_(kept, kept)], np.ones((1, 11)))
    np.testing.assert_allclose(weighted_cka(one, other, weights), expected.repeat(2))


def test_repetition_is_not_redundancy():
    """Weights of draws with replacement leave independent modalities around 0, unlike rows that are repeated."""
    random = np.random.default_rng(1)
    one, other = (random.normal(size=(60, 40)) for _ in range(2))
    chosen = random.integers(60, size=60)
    table = redundancy_table(Modalities({"a": one, "b": other}), draws=100)
    assert abs(np.mean([table.low[0], table.high[0]])) < 0.1
    assert linear_cka(one[chosen], other[chosen]) > 0.3


def test_the_same_is_one():
    """Also rotated, shifted and scaled as a whole."""
    scaled = (WIDE - WIDE.mean(0)) / WIDE.std(0)
    assert linear_cka(WIDE, WIDE) == pytest.approx(1)
    assert linear_cka(WIDE, 3 * WIDE + 5) == pytest.approx(1)
    q = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    rotated = scaled @ q
    assert weighted_cka(*(x @ x.T * (1 - np.eye(60)) for x in (scaled, rotated)), np.ones((1, 60)))[0] == pytest.approx(
        1
    )


def test_the_order_of_features_and_their_units_do_not_matter():
    """Features are standardised one by one; both directions are the same."""
    found = linear_cka(WIDE, WIDE[:, :2])
    assert linear_cka(WIDE[:, ::-1] * [1, 10, 100, 1000], WIDE[:, :2]) == pytest.approx(found)
    assert linear_cka(WIDE[:, :2], WIDE) == pytest.approx(found)
    assert 0.3 < found < 1


def test_independent_modalities_are_around_zero():
    """Whatever their widths: the mean over 40 pairs of 30 samples by 200 features."""
    random = np.random.default_rng(3)
    found = [linear_cka(random.normal(size=(30, 200)), random.normal(size=(30, 200))) for _ in range(40)]
    assert np.mean(found) == pytest.approx(0, abs=0.05)
    assert min(found) < 0


def test_the_table_names_every_pair():
    """One modality twice is redundant, others are not; intervals hold the value."""
    X = Modalities({"a": WIDE, "twin": WIDE.reshape(60, 2, 2), "b": OTHER})
    table = redundancy_table(X, draws=100)
    assert list(zip(table.a, table.b, strict=True)) == [("a", "twin"), ("a", "b"), ("twin", "b")]
    assert table.cka.tolist()[0] == pytest.approx(1)
    assert abs(table.cka[1]) < 0.2
    assert table.cka[1] == pytest.approx(table.cka[2])
    assert (table.low[1:] < table.cka[1:]).all()
    assert (table.cka[1:] < table.high[1:]).all()


def test_only_those_who_have_both_count():
    """Rows that lack one are as if they were not there; values of absent rows do not matter."""
    lacking = WIDE.copy()
    lacking[:20] = np.nan
    table = redundancy_table(Modalities({"a": lacking, "b": lacking[:, :3]}), draws=10)
    assert table.cka[0] == pytest.approx(linear_cka(WIDE[20:], WIDE[20:, :3]))


def test_missing_values_and_constants_are_no_obstacle():
    """A missing value is the mean; a constant feature is nothing."""
    holed = np.column_stack([WIDE, np.full(60, 0.1)])
    assert linear_cka(holed, WIDE) == pytest.approx(1)
    holed[0, 0] = np.nan
    assert 0.9 < redundancy_table(Modalities({"a": holed, "b": WIDE}), draws=10).cka[0] < 1


def test_three_samples_say_nothing():
    """Nor does one group say anything of others."""
    few = redundancy_table(Modalities({"a": WIDE[:3], "b": OTHER[:3]}), draws=10)
    assert few[["cka", "low", "high"]].isna().all(axis=None)
    one = redundancy_table(Modalities({"a": WIDE, "b": WIDE}), np.zeros(60, int), draws=10)
    assert one.cka[0] == pytest.approx(1)
    assert one[["low", "high"]].isna().all(axis=None)
