"""The module that sums linear scores, and fills in for absent ones."""

import pytest
import torch

from plait.data.spec import DataSpec
from plait.nn.additive import AdditiveNet, fill_factor
from plait.nn.module import evaluate

SPEC = DataSpec({"a": (2,), "b": (1, 3)}, 2, "regression")


def net(rho=0.0, spec=SPEC):
    """Every parameter is random, the prior too."""
    draw, made = torch.Generator().manual_seed(0), AdditiveNet(spec, rho).double()
    with torch.no_grad():
        for tensor in (*made.parameters(), made.prior):
            tensor.copy_(torch.randn(tensor.shape, generator=draw))
    return made


def batch(*rows):
    draw = torch.Generator().manual_seed(1)
    present = torch.tensor(rows)
    shapes = SPEC.shapes.items()
    return {name: torch.randn(len(rows), *shape, generator=draw).double() for name, shape in shapes}, present


def test_complete_samples_are_summed():
    """Intercept, offsets, and the features times their weights, whatever rho."""
    features, present = batch([True, True], [True, True])
    made = net()
    a, b = (features[name].flatten(1) @ weight for name, weight in zip("ab", made.weights, strict=True))
    expected = made.intercept + a + b + made.offsets.sum(0)
    for rho in (0.0, 0.7, 1e6):
        torch.testing.assert_close(evaluate(net(rho), features, present), expected.detach(), rtol=1e-12, atol=0)


@pytest.mark.parametrize(("rho", "factor"), [(0.0, 1.0), (1.0, 1.5), (1e9, 2.0)])
def test_absent_scores_are_filled_in(rho, factor):
    """One of two is there: it counts once without agreement, (1 + 2 rho) / (1 + rho) times, in the limit twice."""
    features, present = batch([True, False])
    made = net(rho)
    score = features["a"] @ made.weights[0] + made.offsets[0]
    torch.testing.assert_close(made(features, present), made.intercept + factor * score)
    assert float(fill_factor(torch.tensor(1.0), 2, rho)) == pytest.approx(factor)


def test_nothing_present_is_the_prior_and_absent_values_do_not_matter():
    """Bit for bit, also NaN."""
    features, present = batch([True, True], [False, True], [False, False])
    made = net(0.5)
    before = evaluate(made, features, present)
    assert torch.equal(before[2], made.prior)
    features["a"][1:], features["b"][2] = float("nan"), 1e30
    assert torch.equal(evaluate(made, features, present), before)


def test_fresh_weights_are_zero():
    """What is fitted is put in; nothing is drawn."""
    assert not any(tensor.any() for tensor in AdditiveNet(SPEC, 0.0).state_dict().values())
