"""Linear CKA: what leaves it alone, what does not, and what few samples do to it."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import ortho_group

from plait.alignment import linear_cka
from plait.compare.statistics import redundancy

BOTH = pytest.mark.parametrize("debiased", [False, True])


@pytest.fixture
def draw():
    return np.random.default_rng(0)


def turn(width):
    """A random orthogonal matrix."""
    return ortho_group.rvs(width, random_state=1)


@BOTH
@pytest.mark.parametrize(("n", "width"), [(50, 6), (8, 20)])
def test_rotated_scaled_and_moved_copies_are_alike(draw, n, width, debiased):
    """CKA(X, c X Q + m) = 1 for orthogonal Q, by products of features and of samples."""
    X = draw.normal(size=(n, width))
    assert linear_cka(X, 1e-3 * X @ turn(width) + 100, debiased) == pytest.approx(1, abs=1e-10)


@BOTH
def test_rotations_and_scales_change_nothing_but_other_maps_do(draw, debiased):
    """Invariant to orthogonal maps and isotropic scaling, not to a general invertible one."""
    X = draw.normal(size=(60, 5))
    Y = X @ draw.normal(size=(5, 4)) + draw.normal(size=(60, 4))
    plain = linear_cka(X, Y, debiased)
    assert linear_cka(7 * X @ turn(5), Y @ turn(4), debiased) == pytest.approx(plain, abs=1e-12)
    assert abs(linear_cka(X * [1, 1, 1, 1, 20], Y, debiased) - plain) > 0.05
    assert linear_cka(Y, X, debiased) == pytest.approx(plain)


@pytest.mark.parametrize(("n", "widths"), [(30, (4, 3)), (12, (20, 40)), (20, (3, 200))])
def test_it_is_the_cosine_of_centred_gram_matrices(draw, n, widths):
    """The definition, <HKH, HLH>_F over both norms, whatever is computed inside."""
    X, Y = (draw.normal(size=(n, width)) for width in widths)
    H = np.eye(n) - 1 / n
    K, L = H @ X @ X.T @ H, H @ Y @ Y.T @ H
    expected = (K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum())
    assert linear_cka(X, Y) == pytest.approx(expected, abs=1e-12)


def hsic_1(K, L):
    """Equation 5 of Song et al. (2012), with matrices."""
    n = len(K)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    one = np.ones(n)
    apart = (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2))
    return (np.trace(K @ L) + apart - 2 / (n - 2) * one @ K @ L @ one) / (n * (n - 3))


@pytest.mark.parametrize(("n", "widths"), [(30, (4, 3)), (12, (20, 40))])
def test_the_debiased_value_is_that_of_song(draw, n, widths):
    """HSIC_1 in its textbook form, of data that are not centred."""
    X, Y = (draw.normal(2, 1, size=(n, width)) for width in widths)
    K, L = X @ X.T, Y @ Y.T
    expected = hsic_1(K, L) / np.sqrt(hsic_1(K, K) * hsic_1(L, L))
    assert linear_cka(X, Y, debiased=True) == pytest.approx(expected, abs=1e-10)


def test_it_agrees_with_the_redundancy_of_a_comparison(draw):
    """On standardised features the comparison's own debiased CKA is the same number."""
    X, Y = draw.normal(size=(40, 5)), draw.normal(size=(40, 7))
    X[:, 0] += Y[:, 0]
    X, Y = ((values - values.mean(0)) / values.std(0) for values in (X, Y))
    assert linear_cka(X, Y, debiased=True) == pytest.approx(redundancy.linear_cka(X, Y), abs=1e-10)


def test_few_samples_make_independent_modalities_look_alike_only_if_plain(draw):
    """n = 40, 60 features: the plain value is above 0.5, the debiased one around 0."""
    pairs = [(draw.normal(size=(40, 60)), draw.normal(size=(40, 60))) for _ in range(30)]
    assert min(linear_cka(*pair) for pair in pairs) > 0.5
    values = [linear_cka(*pair, debiased=True) for pair in pairs]
    assert abs(np.mean(values)) < 0.03
    assert min(values) < 0 < max(values)


@BOTH
def test_a_modality_that_does_not_vary_has_no_cka(draw, debiased):
    """NaN, also where rounding leaves a trace of variance."""
    constant = np.full((20, 3), 0.1) * [1, 3, 1e9]
    assert np.isnan(linear_cka(constant, draw.normal(size=(20, 3)), debiased))


@BOTH
@pytest.mark.parametrize("scale", [1e-90, 1e120])
def test_extreme_units_are_no_matter(draw, scale, debiased):
    """Nothing over- or underflows."""
    X, Y = draw.normal(size=(20, 3)), draw.normal(size=(20, 2))
    assert linear_cka(scale * X, Y, debiased) == pytest.approx(linear_cka(X, Y, debiased), abs=1e-12)


def test_tensors_of_any_precision_are_taken(draw):
    """Also half precision, with gradients."""
    X = draw.normal(size=(20, 3))
    tensor = torch.tensor(X, dtype=torch.bfloat16, requires_grad=True)
    assert linear_cka(tensor, X) == pytest.approx(1, abs=1e-3)


def test_debiasing_needs_four_samples(draw):
    """Said in the error."""
    with pytest.raises(ValueError, match="at least 4 samples in X and Y, got 3"):
        linear_cka(draw.normal(size=(3, 2)), draw.normal(size=(3, 2)), debiased=True)


def test_tables_in_another_order_are_refused():
    """Rows are samples: a shuffled table would be compared with other samples in silence."""
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), index=[f"s{row}" for row in range(20)])
    assert linear_cka(table, 2 * table) == pytest.approx(1)
    with pytest.raises(ValueError, match=r"other row labels.*loc\[X.index\]"):
        linear_cka(table, table.sample(frac=1, random_state=0))
