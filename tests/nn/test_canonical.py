"""Squared canonical correlations: closed forms, invariances and smooth gradients."""

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import CCA

from plait.nn.canonical import pairwise_correlation, squared_correlation

DOUBLE = torch.float64


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def correlated(rhos, count, seed=0):
    """Two encodings of unit variance with these population correlations, coordinate by coordinate."""
    rhos = torch.tensor(rhos, dtype=DOUBLE)
    one, noise = draw(2, count, len(rhos), seed=seed)
    return one, rhos * one + (1 - rhos.square()).sqrt() * noise


def everyone(values):
    return torch.ones(values.shape[:-1], dtype=torch.bool)


def test_it_is_the_mean_square_of_the_correlations_that_scikit_learn_finds():
    """On Gaussian data that two invertible maps have mixed."""
    one, other = correlated([0.9, 0.5, 0.1], 300)
    one, other = one @ draw(3, 3, seed=1), other @ draw(3, 3, seed=2)
    scores = CCA(3, max_iter=5000, tol=1e-12).fit(one.numpy(), other.numpy()).transform(one.numpy(), other.numpy())
    found = [np.corrcoef(a, b)[0, 1] for a, b in zip(*(part.T for part in scores), strict=True)]
    assert squared_correlation(one, other, everyone(one), ridge=0.0).item() == pytest.approx(
        np.mean(np.square(found)), abs=1e-6
    )


def test_it_approaches_the_population():
    """(0.8^2 + 0.4^2) / 2 = 0.4 in the limit of many samples."""
    one, other = correlated([0.8, 0.4], 100_000)
    assert squared_correlation(one, other, everyone(one), ridge=0.0).item() == pytest.approx(0.4, abs=0.01)


def test_one_coordinate_is_the_squared_correlation_coefficient():
    """As numpy has it."""
    one, other = correlated([0.6], 50)
    expected = np.corrcoef(one[:, 0], other[:, 0])[0, 1] ** 2
    assert squared_correlation(one, other, everyone(one), ridge=0.0).item() == pytest.approx(expected, abs=1e-7)


def test_invertible_linear_maps_and_shifts_change_nothing():
    """In the limit of no ridge; with the ridge a change of scale still changes nothing."""
    one, other = correlated([0.9, 0.5, 0.1], 200)
    before = squared_correlation(one, other, everyone(one), ridge=0.0)
    after = squared_correlation(one @ draw(3, 3, seed=1) + 5, other @ draw(3, 3, seed=2) - 3, everyone(one), ridge=0.0)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-6)
    scaled = squared_correlation(100 * one, other / 10, everyone(one))
    torch.testing.assert_close(scaled, squared_correlation(one, other, everyone(one)), rtol=0, atol=1e-5)


def test_equal_encodings_give_1_and_independent_ones_nearly_0():
    """About width / (n - 1) of chance in n samples."""
    one, other = draw(2, 5000, 4)
    assert squared_correlation(one, one, everyone(one), ridge=0.0).item() == pytest.approx(1, abs=1e-6)
    assert squared_correlation(one, other, everyone(one)).item() == pytest.approx(4 / 4999, abs=1e-3)


def test_chance_is_width_over_samples():
    """The mean over many small samples without any correlation."""
    one, other = draw(2, 400, 40, 4)
    assert squared_correlation(one, other, everyone(one), ridge=0.0).mean().item() == pytest.approx(4 / 39, abs=5e-3)


def test_only_the_samples_that_count_are_read():
    """As if the others were not there, whatever they hold."""
    one, other = correlated([0.9, 0.2], 60)
    counted = torch.arange(60) % 3 > 0
    expected = squared_correlation(one[counted], other[counted], everyone(one[counted]))
    one[~counted], other[~counted] = 7.0, -1e6
    torch.testing.assert_close(squared_correlation(one, other, counted), expected, rtol=0, atol=1e-9)


def test_gradients_are_right_and_finite_where_singular_values_meet():
    """By finite differences; for equal, for constant and for no samples they are finite."""
    one, other = (part.clone().requires_grad_() for part in correlated([0.9, 0.3], 12))
    counted = torch.arange(12) != 3
    assert torch.autograd.gradcheck(lambda a, b: squared_correlation(a, b, counted), (one, other))
    for values in (one, torch.ones_like(one)):
        for rows in (counted, torch.zeros_like(counted)):
            given = values.detach().clone().requires_grad_()
            (slope,) = torch.autograd.grad(squared_correlation(given, given * 1, rows), given)
            assert slope.isfinite().all()


def test_constant_encodings_have_no_correlation():
    """And not 0 / 0."""
    one, other = draw(30, 3), torch.ones(30, 3, dtype=DOUBLE)
    assert squared_correlation(one, other, everyone(one)).item() == pytest.approx(0, abs=1e-6)


# All pairs of modalities


def test_the_mean_over_all_pairs():
    """Of three modalities, each pair on the samples that have both, for every unit on its own."""
    encoded = draw(2, 40, 3, 2)
    encoded[..., 1, :] += encoded[..., 0, :]
    counted = torch.rand(2, 40, 3, generator=torch.Generator().manual_seed(3)) > 0.2
    expected = [
        np.mean(
            [
                squared_correlation(encoded[unit, :, a], encoded[unit, :, b], counted[unit, :, a] & counted[unit, :, b])
                for a, b in ((0, 1), (0, 2), (1, 2))
            ]
        )
        for unit in range(2)
    ]
    assert pairwise_correlation(encoded, counted).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("samples", "counts"), [(5, False), (6, True)])
def test_a_pair_of_too_few_samples_adds_nothing(samples, counts):
    """Encodings of width 2 need 2 * 2 + 2 samples that have both."""
    counted = torch.ones(1, 20, 2, dtype=torch.bool)
    counted[0, samples:, 1] = False
    assert bool(pairwise_correlation(draw(1, 20, 2, 2), counted).item()) == counts


def test_one_modality_has_no_pairs():
    """0 for every unit."""
    assert pairwise_correlation(draw(3, 9, 1, 2), torch.ones(3, 9, 1, dtype=torch.bool)).tolist() == [0, 0, 0]


def test_half_precision_is_computed_in_single():
    """Within mixed precision too."""
    encoded, counted = draw(1, 40, 2, 3), torch.ones(1, 40, 2, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = pairwise_correlation(encoded.to(torch.bfloat16), counted)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(pairwise_correlation(encoded, counted).item(), abs=0.01)
