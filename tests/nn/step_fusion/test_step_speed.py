"""Faster ways to the same numbers."""

import pytest
import torch

from plait.nn.step_fusion.cayley import cayley
from plait.nn.step_fusion.local import LocalDisplacement
from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start
from plait.nn.step_fusion.transform import Coefficients, moved


@pytest.mark.parametrize("count", [5, 6, 7])
@pytest.mark.parametrize("kept", [None, (1, 1), (1, 6), (3, 1)])
def test_tokens_are_moved_alike_on_both_sides_of_the_width(count, kept):
    """kept * R (s * x) + shift + D, with fewer tokens than features, as many, and more."""
    draw = torch.Generator().manual_seed(0)

    def drawn(*shape):
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    values, local, matrix = drawn(3, count, 6), drawn(3, count, 6), cayley(drawn(6, 6))
    by = Coefficients(drawn(3, 6).exp(), None if kept is None else drawn(*kept).sigmoid(), drawn(3, 6), drawn(3, 6))
    factor = torch.ones(3, 6).double() if kept is None else by.kept.expand(3, 6)
    for row in range(3):
        expected = factor[row] * ((values[row] * by.zoom[row]) @ matrix.T) + by.shift[row]
        assert torch.allclose(moved(values, by, matrix)[row], expected, rtol=0, atol=1e-12)
        assert torch.allclose(moved(values, by, matrix, local)[row], expected + local[row], rtol=0, atol=1e-12)


def test_dropped_displacements_keep_their_mean():
    """A share of the features is zero, and the others are larger by as much as makes up for it; slopes as well."""
    share = 0.2
    made = LocalDisplacement(StepSettings(width=4, heads=1, dropout=share), Start(None, 1.0)).train()
    values = torch.full((50, 100, 4), 3.0, requires_grad=True)
    found = made.dropout(values)
    found.sum().backward()
    assert torch.allclose(found.unique(), torch.tensor([0.0, 3.0 / (1 - share)]))
    assert abs(float((found == 0).float().mean()) - share) < 0.02
    assert torch.allclose(values.grad * 3, found)
    assert torch.equal(made.eval().dropout(values), values)
