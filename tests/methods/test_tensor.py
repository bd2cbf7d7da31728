"""Tensor fusion: the entries of the outer product, its blocks, absent modalities and its size."""

import pytest
import torch

from plait.methods.tensor import TensorFusion, outer_product
from plait.nn.module import evaluate
from tiny import course, samples


def encodings(*rows):
    """Encodings of one sample of one unit, a row a modality."""
    return torch.tensor(rows)[None, None]


def test_entries_of_two_modalities_by_hand():
    """[1, 2, 3] times [1, 5, 7]: the second is faster."""
    found = outer_product(encodings([2.0, 3.0], [5.0, 7.0]))
    assert found.flatten().tolist() == [1, 5, 7, 2, 10, 14, 3, 15, 21]


def test_entries_of_three_modalities_by_hand():
    """Every corner of [1, a] x [1, b] x [1, c]: constant, single, pairs and the triple."""
    found = outer_product(encodings([2.0], [3.0], [5.0])).reshape(2, 2, 2)
    assert found.tolist() == [[[1, 5], [3, 15]], [[2, 10], [6, 30]]]


def test_the_blocks_of_one_two_and_three_modalities():
    """Where the other coordinates are 0 stand the encodings, their outer products in pairs, and that of all."""
    values = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    tensor = outer_product(values).reshape(2, 4, 6, 6, 6)
    a, b, c = values.unbind(2)
    assert torch.equal(tensor[..., 1:, 0, 0], a)
    assert torch.equal(tensor[..., 0, 1:, 0], b)
    assert torch.equal(tensor[..., 0, 0, 1:], c)
    assert torch.equal(tensor[..., 1:, 0, 1:], torch.einsum("ubi,ubk->ubik", a, c))
    torch.testing.assert_close(tensor[..., 1:, 1:, 1:], torch.einsum("ubi,ubj,ubk->ubijk", a, b, c))


def test_an_absent_modality_leaves_the_tensor_of_the_others():
    """Its factor is [1; 0]: the rest of its coordinates are 0."""
    values = torch.randn(1, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    values[:, :, 1] = 0
    tensor = outer_product(values).reshape(1, 4, 6, 6, 6)
    assert torch.equal(tensor[:, :, :, 0].flatten(2), outer_product(values[:, :, [0, 2]]))
    assert not tensor[:, :, :, 1:].any()


@pytest.mark.parametrize(
    ("modalities", "width"), [(1, 32), (2, 32), (3, 15), (4, 7), (5, 4), (6, 3), (7, 2), (12, 1), (16, 1)]
)
def test_the_width_left_to_the_method(modalities, width):
    """The largest with at most 4096 products, from 1 to 32."""
    assert TensorFusion().width_for(modalities) == width


@pytest.mark.parametrize(
    ("method", "modalities", "told"),
    [
        (TensorFusion(width=41), 3, r"width 41 makes 42\^3\. Take a width of at most 32, or use LowRankFusion"),
        (TensorFusion(width=16), 4, r"width 16 makes 17\^4\. Take a width of at most 15, or use LowRankFusion"),
        (TensorFusion(), 17, r"multiplies 17 modalities .* Take LowRankFusion"),
    ],
)
def test_too_many_products_are_refused(method, modalities, told):
    """With a width that would do, and the method that has no such limit."""
    data = samples(shapes={f"m{place}": (2,) for place in range(modalities)})
    with pytest.raises(ValueError, match=told):
        method.build(data.spec)


def test_it_learns_a_product_that_no_sum_of_predictions_has():
    """The target is the product of two modalities; half of its variance is told at least."""
    data = samples(shapes={"a": (1,), "b": (1,)}, count=320, dtype=torch.float64)
    a, b = data.samples.features.values()
    data.samples.target.copy_(a * b)
    method = TensorFusion(width=4, encoder_hidden=(), hidden=())
    fitted = method.fit(course(data, epochs=25, batch_size=60, learning_rate=0.05))
    error = (evaluate(fitted.module, data.samples.features, data.samples.present) - a * b).square().mean()
    assert error < 0.5 * (a * b).var()
