"""Tokens become one vector by known formulas, and padding never counts."""

import pytest
import torch

from plait.nn.taps import POOLINGS, Tapped, pooled

TOKENS = torch.tensor([[[1.0, 10.0], [3.0, 30.0], [8.0, -10.0]], [[2.0, 0.0], [4.0, 6.0], [0.0, 3.0]]])
HERE = torch.tensor([[True, True, False], [True, True, True]])
KNOWN = {
    "first": [[1.0, 10.0], [2.0, 0.0]],
    "cls": [[1.0, 10.0], [2.0, 0.0]],
    "mean": [[2.0, 20.0], [2.0, 3.0]],
    "max": [[3.0, 30.0], [4.0, 6.0]],
    "mean+std": [[2.0, 20.0, 1.0, 10.0], [2.0, 3.0, (8 / 3) ** 0.5, 6**0.5]],
}


@pytest.mark.parametrize("how", POOLINGS)
def test_pooling_gives_known_numbers(how):
    """By hand, with one token of padding."""
    assert torch.allclose(pooled(Tapped(TOKENS, HERE), how), torch.tensor(KNOWN[how]))


@pytest.mark.parametrize("how", POOLINGS)
@pytest.mark.parametrize("filler", [0.0, 1e30, float("nan"), float("inf"), float("-inf")])
def test_padding_never_counts(how, filler):
    """Exactly the vector without it, whatever it holds and however much there is."""
    padded = torch.full((2, 7, 2), filler)
    padded[:, :3] = TOKENS
    padded[0, 2] = filler
    here = torch.zeros(2, 7, dtype=torch.bool)
    here[:, :3] = HERE
    found = pooled(Tapped(padded, here), how)
    assert torch.allclose(found, pooled(Tapped(TOKENS, HERE), how), atol=0, rtol=1e-6)


@pytest.mark.parametrize("how", POOLINGS)
def test_without_a_mask_all_tokens_are_there(how):
    """No mask is a mask of ones."""
    ones = torch.ones(2, 3, dtype=torch.bool)
    assert torch.equal(pooled(Tapped(TOKENS), how), pooled(Tapped(TOKENS, ones), how))


@pytest.mark.parametrize("how", POOLINGS)
def test_a_vector_is_a_single_token(how):
    """It is its own summary, without spread."""
    vectors = TOKENS[:, 0]
    spread = [torch.zeros(2, 2)] if how == "mean+std" else []
    assert torch.equal(pooled(Tapped(vectors), how), torch.cat([vectors, *spread], 1))


@pytest.mark.parametrize("how", POOLINGS)
def test_a_row_of_padding_alone_is_named(how):
    """There is nothing to pool."""
    here = torch.tensor([[True, True, True], [False, False, False]])
    with pytest.raises(ValueError, match="Row 1 has no token that is there"):
        pooled(Tapped(TOKENS, here), how)


def test_a_summary_must_be_there_but_the_first_token_is_wherever_it_is():
    """Padding on the left."""
    here = torch.tensor([[True, True, True], [False, True, True]])
    with pytest.raises(ValueError, match="Token 0 of row 1 is padding"):
        pooled(Tapped(TOKENS, here), "cls")
    assert torch.equal(pooled(Tapped(TOKENS, here), "first"), torch.tensor([[1.0, 10.0], [4.0, 6.0]]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_halves_are_pooled_as_whole_numbers(dtype):
    """A sum of many would leave the range of a half."""
    found = pooled(Tapped(torch.full((1, 1000, 1), 1000.0, dtype=dtype)), "mean")
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(1000, abs=8)


def test_an_unknown_pooling_is_named():
    """With those that there are."""
    with pytest.raises(
        ValueError, match=r"pool must be one of 'first', 'cls', 'mean', 'max', 'mean\+std' \(got 'sum'\)"
    ):
        pooled(Tapped(TOKENS), "sum")
