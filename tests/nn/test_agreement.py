"""Predictors that are summed, and how far they are apart."""

from itertools import combinations

import pytest
import torch

from plait.data.spec import DataSpec
from plait.nn.agreement import disagreement, pooled

PRESENT = torch.tensor([[True, True, True], [True, False, True], [False, True, False], [False, False, False]])


def spec(task, outputs):
    return DataSpec({"a": (1,), "b": (1,), "c": (1,)}, outputs, task)


def parts(outputs):
    """Predictors of three modalities for four samples and two units, zero where absent."""
    values = torch.randn(2, 4, 3, outputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return values * PRESENT[None, :, :, None]


def test_predictors_are_summed_and_absent_ones_filled_in_by_the_mean():
    """Three there: the sum; two: 3/2 of their sum; one: three times; none: 0."""
    values = torch.tensor([[[1.0], [2.0], [4.0]], [[1.0], [0.0], [4.0]], [[0.0], [2.0], [0.0]], [[0.0]] * 3])[None]
    assert pooled(values, PRESENT).flatten().tolist() == pytest.approx([7, 7.5, 6, 0])


def test_of_values_it_is_the_mean_squared_difference():
    """Over the outputs, summed over the pairs that are present."""
    values, every = parts(2), combinations(range(3), 2)
    expected = torch.zeros(2, 4, dtype=torch.float64)
    for a, b in every:
        both = PRESENT[:, a] & PRESENT[:, b]
        expected += (values[:, :, a] - values[:, :, b]).square().mean(-1) * both
    torch.testing.assert_close(disagreement(values, PRESENT, spec("regression", 2)), expected)
    assert expected[:, 2:].tolist() == [[0, 0], [0, 0]]


def test_of_two_classes_it_is_half_the_squared_difference_of_the_log_odds():
    """So that rho times it is rho / 2 times the paper's term of the linear predictors."""
    values = parts(2)
    odds = values[..., 1] - values[..., 0]
    expected = sum(
        (odds[:, :, a] - odds[:, :, b]).square() / 2 * (PRESENT[:, a] & PRESENT[:, b])
        for a, b in combinations(range(3), 2)
    )
    torch.testing.assert_close(disagreement(values, PRESENT, spec("classification", 2)), expected)


def test_a_constant_on_all_logits_of_a_modality_changes_nothing():
    """The classes it predicts are the same."""
    values = parts(3)
    shifted = values + torch.tensor([1.0, -20.0, 5.0], dtype=torch.float64)[:, None] * PRESENT[..., None]
    one, other = (disagreement(given, PRESENT, spec("classification", 3)) for given in (values, shifted))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


def test_what_an_absent_modality_holds_changes_nothing():
    """Its predictor is not read."""
    values = parts(2)
    filled = values.where(PRESENT[None, :, :, None], 9.0)
    one, other = (disagreement(given, PRESENT, spec("regression", 2)) for given in (values, filled))
    torch.testing.assert_close(one, other)
