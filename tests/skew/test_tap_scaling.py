"""Standardised taps: training statistics alone, few dimensions, nothing divided by zero."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from plait.skew.scaling import TapScaling, fit_scalings, scaled


def draw(n=50, width=6, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, width)) @ rng.normal(size=(width, width)) * 40 + 7).astype(np.float32)


def test_training_samples_have_mean_nothing_and_variance_one():
    """Scikit-learn's standardisation, in double precision."""
    values = draw()
    found = TapScaling.fitted(values, None)(values)
    np.testing.assert_allclose(found, StandardScaler().fit_transform(values.astype(float)), atol=1e-9)


def test_the_first_components_of_standardised_samples():
    """Scikit-learn's, up to signs."""
    values = draw()
    found = TapScaling.fitted(values, 3)(values)
    expected = PCA(3).fit_transform(StandardScaler().fit_transform(values.astype(float)))
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-8)


@pytest.mark.parametrize("rank", [6, 7, 100])
def test_as_many_dimensions_as_features_are_the_features(rank):
    """No rotation: names and order of features stay."""
    values = draw()
    np.testing.assert_array_equal(TapScaling.fitted(values, rank)(values), TapScaling.fitted(values, None)(values))


def test_a_constant_feature_becomes_nothing():
    """Not infinity, and not NaN."""
    values = draw()
    values[:, 2] = 3
    found = TapScaling.fitted(values, None)(values)
    assert np.isfinite(found).all()
    assert not found[:, 2].any()


def test_scalings_know_the_training_rows_alone():
    """Another validation or test row changes nothing that is fitted."""
    taps = {"a": [draw(seed=1), draw(width=9, seed=2)], "b": [draw(seed=3)]}
    other = {name: [np.where(np.arange(50)[:, None] < 30, tap, -1e3) for tap in own] for name, own in taps.items()}
    rows = np.arange(30)
    one, two = fit_scalings(taps, rows, 4), fit_scalings(other, rows, 4)
    assert one.keys() == {("a", 1), ("a", 2), ("b", 1)}
    for tap, scaling in one.items():
        np.testing.assert_array_equal(scaling.mean, two[tap].mean)
        np.testing.assert_array_equal(scaling.rotation, two[tap].rotation)
    found = scaled(taps, one, np.arange(50) >= 30)
    assert {tap: values.shape for tap, values in found.items()} == dict.fromkeys(one, (20, 4))
    np.testing.assert_allclose(found["b", 1], one["b", 1](taps["b"][0][30:]))
