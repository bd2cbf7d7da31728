"""Tokens in consecutive segments: as torch's adaptive pooling of the tokens that are there, whatever lies between."""

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool1d

from plait.nn.taps import POOLINGS, Tapped, pooled
from plait.nn.taps.pooling import check_pooling


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def adaptive(tokens, segments):
    """Torch's, sample by sample, the segments side by side."""
    return adaptive_avg_pool1d(tokens.mT, segments).mT.flatten(1)


@pytest.mark.parametrize("segments", [1, 2, 3, 5, 7, 8, 64])
@pytest.mark.parametrize("tokens", [1, 2, 5, 7, 13])
def test_segments_are_torchs_adaptive_average_pooling(segments, tokens):
    """Also with fewer tokens than segments, which then share tokens and are never empty."""
    values = drawn(3, tokens, 4)
    found = pooled(Tapped(values), f"segments-{segments}")
    torch.testing.assert_close(found, adaptive(values, segments))


def test_known_numbers():
    """Five tokens in two segments: 1 to 3 and 3 to 5, for floor(5 / 2) = 2 and ceil(5 / 2) = 3."""
    values = torch.tensor([[[1.0], [2.0], [6.0], [8.0], [10.0]]])
    assert pooled(Tapped(values), "segments-2").tolist() == [[3.0, 8.0]]


@pytest.mark.parametrize("filler", [0.0, 1e30, float("nan"), float("inf"), float("-inf")])
def test_only_tokens_that_are_there_are_divided(filler):
    """Each sample by its own number of tokens, wherever its padding lies: right, left or between."""
    values = torch.full((3, 7, 4), filler, dtype=torch.float64)
    here = torch.zeros(3, 7, dtype=torch.bool)
    places = ([0, 1, 2, 3, 4], [5, 6], [1, 2, 4, 6])
    for row, own in enumerate(places):
        values[row, own], here[row, own] = drawn(len(own), 4, seed=row), True
    found = pooled(Tapped(values, here), "segments-3")
    for row, own in enumerate(places):
        torch.testing.assert_close(found[row, None], adaptive(values[row, None, own], 3))


def test_one_segment_is_the_mean():
    """With and without padding."""
    values, here = drawn(4, 6, 3), torch.arange(6) < torch.tensor([6, 1, 3, 4])[:, None]
    for told in (None, here):
        torch.testing.assert_close(pooled(Tapped(values, told), "segments-1"), pooled(Tapped(values, told), "mean"))


def test_as_many_segments_as_tokens_are_the_tokens():
    """In their order."""
    values = drawn(2, 5, 3)
    torch.testing.assert_close(pooled(Tapped(values), "segments-5"), values.flatten(1))


def test_a_vector_is_every_segment():
    """It counts as a single token."""
    values = drawn(3, 4)
    torch.testing.assert_close(pooled(Tapped(values), "segments-3"), values.repeat(1, 3))


def test_samples_do_not_influence_each_other():
    """Alone and without the padding of others."""
    values, here = drawn(4, 9, 3, dtype=torch.float32), torch.arange(9) < torch.tensor([9, 2, 5, 7])[:, None]
    whole = pooled(Tapped(values, here), "segments-4")
    for row, count in enumerate(here.sum(1)):
        alone = pooled(Tapped(values[row, None, :count]), "segments-4")
        torch.testing.assert_close(alone[0], whole[row], atol=1e-6, rtol=0)


def test_small_segments_after_a_large_one_keep_their_digits():
    """A difference of running sums would lose them in float32."""
    values = torch.ones(1, 2000, 1)
    values[:, :1000] = 1e6
    found = pooled(Tapped(values), "segments-4")
    torch.testing.assert_close(found, torch.tensor([[1e6, 1e6, 1.0, 1.0]]), rtol=1e-6, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_halves_are_pooled_as_whole_numbers(dtype):
    """A sum of many would leave the range of a half."""
    found = pooled(Tapped(torch.full((1, 1000, 1), 1000.0, dtype=dtype)), "segments-2")
    assert found.dtype == torch.float32
    assert found[0].tolist() == pytest.approx([1000, 1000], abs=8)


def test_a_row_of_padding_alone_is_named():
    """There is nothing to divide."""
    with pytest.raises(ValueError, match="Row 1 has no token that is there"):
        pooled(Tapped(drawn(2, 3, 2), torch.tensor([[True] * 3, [False] * 3])), "segments-2")


@pytest.mark.parametrize("how", [*POOLINGS, "segments-1", "segments-9", "segments-10", "segments-64"])
def test_what_there_is_passes_the_check(how):
    """And pools."""
    check_pooling(how)
    assert pooled(Tapped(drawn(2, 3, 4)), how).isfinite().all()


NONE = "segments segments- segments-0 segments-65 segments-01 segments-+1 segments--1 segments-1e1 segments-2.0 sum"


@pytest.mark.parametrize("how", [*NONE.split(), "segments-2 ", "segments-\u0662", "Segments-2", "", 2, None])
def test_what_there_is_not_is_refused(how):
    """With what there is."""
    match = r"pool must be one of 'first', .*, 'mean\+std' \(got .*\), or 'segments-N' with N from 1 to 64"
    with pytest.raises(ValueError, match=match):
        check_pooling(how)
