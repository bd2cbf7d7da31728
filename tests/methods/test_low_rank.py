"""Low-rank fusion: a tensor layer with weights of low rank, its start, its limits."""

import pytest
import torch

from plait.methods.low_rank import LowRankFusion, LowRankProduct
from plait.methods.tensor import outer_product
from plait.nn.module import evaluate
from tiny import course, samples

DOUBLE = torch.float64


def layer(modalities=3, *, units=2, width=4, out=5, rank=3):
    made = LowRankProduct(units, modalities, width, out, rank, torch.Generator().manual_seed(0))
    return made.to(DOUBLE).requires_grad_(requires_grad=False)


def encodings(modalities=3, *, units=2, batch=6, width=4):
    return torch.randn(units, batch, modalities, width, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)


def factors(made):
    """The factors with the constant part first: (unit, modality, 1 + width, rank, out)."""
    whole = torch.cat([made.bias[:, :, None], made.weight], 2)
    return whole.reshape(*whole.shape[:3], made.rank, -1)


def test_it_is_a_layer_on_the_outer_product_with_weights_of_low_rank():
    """The tensor sum_r w_1^r x w_2^r x w_3^r, made in full and applied to all products, gives the same."""
    made, values = layer(), encodings()
    one, two, three = factors(made).unbind(1)
    tensor = torch.einsum("uiro,ujro,ukro->uijko", one, two, three).flatten(1, 3)
    torch.testing.assert_close(made(values), outer_product(values) @ tensor, rtol=0, atol=1e-10)


def test_it_is_the_sum_over_the_terms():
    """Of layers of rank 1, one a term."""
    made, values = layer(), encodings()
    total = 0
    for term in factors(made).unbind(3):
        single = layer(rank=1)
        single.bias.copy_(term[:, :, 0])
        single.weight.copy_(term[:, :, 1:])
        total = total + single(values)
    torch.testing.assert_close(made(values), total, rtol=0, atol=1e-10)


def test_with_one_modality_it_is_a_linear_layer():
    """With the sums of weights and of constants over the terms."""
    made, values = layer(1), encodings(1)
    whole = factors(made).sum(3)[:, 0]
    torch.testing.assert_close(made(values), values[:, :, 0] @ whole[:, 1:] + whole[:, :1], rtol=0, atol=1e-10)


def test_an_absent_modality_multiplies_by_its_constant():
    """The others still tell, and come through as they would with that constant."""
    made, values = layer(), encodings()
    values[:, :, 1] = 0
    expected = layer(2)
    expected.bias.copy_(made.bias[:, [0, 2]])
    expected.bias[:, 0] *= made.bias[:, 1]
    expected.weight.copy_(made.weight[:, [0, 2]])
    expected.weight[:, 0] *= made.bias[:, 1, None]
    torch.testing.assert_close(made(values), expected(values[:, :, [0, 2]]), rtol=0, atol=1e-10)
    assert made(values).std(1).min() > 0


@pytest.mark.parametrize("rank", [1, 4])
@pytest.mark.parametrize("modalities", [1, 2, 5, 30])
def test_products_neither_vanish_nor_explode_at_the_start(modalities, rank):
    """For encodings of unit variance the mean square is (1 + 1/M)^M, whatever the rank and the number of modalities."""
    made = layer(modalities, units=1, width=16, out=2000, rank=rank)
    found = made(encodings(modalities, units=1, batch=60, width=16))
    assert found.square().mean().item() == pytest.approx((1 + 1 / modalities) ** modalities, rel=0.15)
    assert found.mean().abs() < 0.1


def test_the_cost_grows_linearly_with_the_modalities():
    """Weights of the product for 20 modalities are ten times those for 2."""
    sizes = {count: sum(part.numel() for part in layer(count).parameters()) for count in (2, 20)}
    assert sizes[20] == 10 * sizes[2]


def test_it_learns_a_product_that_no_sum_of_predictions_has():
    """The target is the product of two modalities; half of its variance is told at least."""
    data = samples(shapes={"a": (1,), "b": (1,)}, count=320, dtype=DOUBLE)
    a, b = data.samples.features.values()
    data.samples.target.copy_(a * b)
    method = LowRankFusion(width=8, encoder_hidden=(), hidden=(8,), dropout=0.0)
    fitted = method.fit(course(data, epochs=25, batch_size=60, learning_rate=0.05))
    error = (evaluate(fitted.module, data.samples.features, data.samples.present) - a * b).square().mean()
    assert error < 0.5 * (a * b).var()


@pytest.mark.parametrize(("choice", "told"), [({"rank": 0}, "rank must be"), ({"width": 0}, "width must be")])
def test_settings_out_of_range_are_refused(choice, told):
    """By name."""
    with pytest.raises(ValueError, match=told):
        LowRankFusion(**choice).build(samples().spec)
