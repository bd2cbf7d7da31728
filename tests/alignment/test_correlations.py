"""Canonical correlations: closed forms, invariances, and which directions count."""

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power
from sklearn.cross_decomposition import CCA

from plait.alignment import cca, svcca


@pytest.fixture
def draw():
    return np.random.default_rng(0)


@pytest.fixture
def related(draw):
    """Two modalities that share two hidden variables."""
    hidden = draw.normal(size=(80, 2))
    X = hidden @ draw.normal(size=(2, 4)) + draw.normal(size=(80, 4))
    return X, hidden @ draw.normal(size=(2, 3)) + draw.normal(size=(80, 3))


def test_of_single_features_it_is_their_absolute_correlation(draw):
    """In one dimension."""
    x = draw.normal(size=(50, 1))
    y = -x + draw.normal(size=(50, 1))
    np.testing.assert_allclose(cca(x, y), [-np.corrcoef(x.T, y.T)[0, 1]], atol=1e-12)


def test_invertible_linear_maps_change_nothing(draw, related):
    """Without ridge; with a small one nearly nothing."""
    X, Y = related
    maps = draw.normal(size=(4, 4)), draw.normal(size=(3, 3))
    np.testing.assert_allclose(cca(X @ maps[0] + 5, Y @ maps[1]), cca(X, Y), atol=1e-10)
    np.testing.assert_allclose(cca(X @ maps[0], Y @ maps[1], ridge=1e-9), cca(X, Y), atol=1e-5)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_they_are_the_singular_values_of_the_whitened_covariance(related, ridge):
    """The definition, with inverse square roots of covariances."""
    X, Y = (values - values.mean(0) for values in related)

    def root(values):
        covariance = np.cov(values.T, bias=True)
        added = ridge * np.trace(covariance) / len(covariance)
        return fractional_matrix_power(covariance + added * np.eye(len(covariance)), -0.5)

    expected = np.linalg.svd(root(X) @ X.T @ Y @ root(Y) / len(X), compute_uv=False)
    np.testing.assert_allclose(cca(*related, ridge=ridge), expected, atol=1e-10)


def test_they_are_those_of_scikit_learn_where_it_converges(related):
    """Correlations of its scores."""
    scores = CCA(3, max_iter=5000, tol=1e-12).fit_transform(*related)
    expected = [np.corrcoef(one, other)[0, 1] for one, other in zip(scores[0].T, scores[1].T, strict=True)]
    np.testing.assert_allclose(cca(*related), expected, atol=1e-5)


def test_the_ridge_draws_correlations_to_zero(related):
    """More of it never gives more, and a lot gives nothing."""
    values = [cca(*related, ridge=ridge).sum() for ridge in (0.0, 0.1, 1.0, 10.0, 1e9)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 1e-6


def test_few_samples_give_ones_whatever_the_values_are(draw):
    """With 6 + 5 features of 10 samples, 2 = 11 - 9 correlations are 1."""
    values = cca(draw.normal(size=(10, 6)), draw.normal(size=(10, 5)))
    np.testing.assert_allclose(values[:2], 1, atol=1e-12)
    assert values[2] < 1 - 1e-6


def test_only_directions_that_vary_are_counted(draw, related):
    """Constant and repeated features add no correlation; of nothing there is a single 0."""
    X, Y = related
    more = np.hstack([Y, Y[:, :2], np.full((80, 1), 3.3)])
    np.testing.assert_allclose(cca(X, more), cca(X, Y), atol=1e-10)
    np.testing.assert_array_equal(cca(X, np.full((80, 2), 0.1)), [0])
    np.testing.assert_array_equal(svcca(np.full((80, 2), 0.1), Y), [0])


def test_svcca_drops_directions_of_noise(draw):
    """Ten faint directions of noise lower the mean of CCA, not that of SVCCA."""
    hidden = draw.normal(size=(200, 2))
    X, Y = (np.hstack([hidden, 1e-3 * draw.normal(size=(200, 10))]) for _ in range(2))
    assert svcca(X, Y).shape == (2,)
    assert svcca(X, Y).mean() == pytest.approx(1)
    assert cca(X, Y).shape == (12,)
    assert cca(X, Y).mean() < 0.5


def test_keeping_everything_is_cca(related):
    """And less keeps fewer directions."""
    np.testing.assert_allclose(svcca(*related, keep=1.0), cca(*related), atol=1e-12)
    assert len(svcca(*related, keep=0.3)) == 1


@pytest.mark.parametrize("ridge", [-1.0, float("nan"), float("inf")])
def test_an_impossible_ridge_is_refused(related, ridge):
    """With its name."""
    with pytest.raises(ValueError, match="ridge"):
        cca(*related, ridge=ridge)


@pytest.mark.parametrize("keep", [0.0, 1.1, float("nan")])
def test_an_impossible_share_is_refused(related, keep):
    """With its name."""
    with pytest.raises(ValueError, match="keep"):
        svcca(*related, keep=keep)
