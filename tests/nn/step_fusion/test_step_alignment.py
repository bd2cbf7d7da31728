"""Losses of alignment against closed forms and limits."""

import math

import pytest
import torch
from small_blocks import block, drawn, holes, tokens

from plait.nn.step_fusion.alignment_losses import LOSSES, alignment_loss

COUNT, WIDTH = 40, 3


def of(kind, one, other):
    return LOSSES[kind](one, other).item()


def white(count=COUNT, width=WIDTH, seed=0):
    """Features with mean 0 and covariance I exactly."""
    drawn_ones = drawn(count, width, seed=seed)
    return torch.linalg.qr(drawn_ones - drawn_ones.mean(0))[0] * math.sqrt(count)


@pytest.mark.parametrize("kind", LOSSES)
def test_scale_does_not_matter(kind):
    """Of both modalities together: zoom cannot lower the loss by shrinking everything."""
    one, other = drawn(COUNT, WIDTH), drawn(COUNT, WIDTH, seed=1)
    assert of(kind, one * 0.01, other * 0.01) == pytest.approx(of(kind, one, other), rel=1e-9)
    assert of(kind, one * 100, other * 100) == pytest.approx(of(kind, one, other), rel=1e-9)


@pytest.mark.parametrize("kind", LOSSES)
def test_alike_is_better_than_unlike(kind):
    """And gradients lead there: 200 steps of descent bring two modalities closer."""
    one, other = drawn(COUNT, WIDTH), drawn(COUNT, WIDTH, seed=1).requires_grad_()
    start, optimiser = of(kind, one, other), torch.optim.Adam([other], 0.05)
    for _ in range(200):
        optimiser.zero_grad()
        LOSSES[kind](one, other).backward()
        optimiser.step()
    best = of(kind, one, one)
    assert best < start
    assert of(kind, one, other) - best < 0.35 * (start - best)


def test_squared_gap():
    """0 where alike, 1 where independent, 2 where opposite, 4 / 2 of the variance a distance of 2 deviations."""
    one = white(4000, 2)
    assert of("mse", one, one) == 0
    assert of("mse", one, -one) == pytest.approx(2, rel=1e-5)
    assert of("mse", white(4000, 4)[:, :2], white(4000, 4)[:, 2:]) == pytest.approx(1, rel=1e-5)
    assert of("mse", one, one + 2) == pytest.approx(2, rel=1e-5)


def test_infonce():
    """log n where nothing tells the samples apart; near 0 where partners are alike and others are not."""
    assert of("infonce", torch.ones(8, 3).double(), torch.ones(8, 3).double()) == pytest.approx(math.log(8))
    expected = math.log(1 + 7 * math.exp(-1 / 0.07))
    assert of("infonce", torch.eye(8).double(), torch.eye(8).double()) == pytest.approx(expected)
    one, other = drawn(8, 3), drawn(8, 3, seed=1)
    assert of("infonce", one, other) == pytest.approx(of("infonce", other, one))


def test_coral():
    """(1 - c^2)^2 / (1 + c^4) where one is c times the other, whatever the means; 1 where they use other features."""
    one = white()
    for factor in (1.0, 2.0, 5.0):
        expected = (1 - factor**2) ** 2 / (1 + factor**4)
        assert of("coral", one, factor * one + 3) == pytest.approx(expected)
    only = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    assert of("coral", one * only, one * (1 - only)) == pytest.approx(1)


def test_mmd():
    """0 for the same samples in any order; 2 - 2 exp(-1/2) for two points apart, for their distance is the median."""
    one = drawn(COUNT, WIDTH)
    assert of("mmd", one, one.flip(0)) == pytest.approx(0, abs=1e-12)
    zeros = torch.zeros(2, 3).double()
    assert of("mmd", zeros, zeros + 7) == pytest.approx(2 - 2 * math.exp(-0.5))
    assert of("mmd", one, one + 100) > 0.5 > 0.1 > of("mmd", one, drawn(COUNT, WIDTH, seed=1)) > 0


def test_cca():
    """-d / (1 + ridge) for linear maps of each other, of white features; nearly 0 for independent ones."""
    one = white()
    assert of("cca", one, one @ torch.linalg.qr(drawn(3, 3))[0] + 1) == pytest.approx(-3 / 1.001)
    assert of("cca", drawn(COUNT, 3), drawn(COUNT, 3) @ drawn(3, 3, seed=2)) == pytest.approx(-3, abs=0.05)
    whole = white(width=6)
    assert of("cca", whole[:, :3], whole[:, 3:]) == pytest.approx(0, abs=1e-6)
    correlated = 0.6 * whole[:, :3] + 0.8 * whole[:, 3:]
    assert of("cca", whole[:, :3], correlated) == pytest.approx(-1.8 / 1.001)


@pytest.mark.parametrize("kind", LOSSES)
def test_pairs_count_where_both_are_present(kind):
    """The mean over pairs of modalities with two common samples at least, of those samples."""
    pooled, present = drawn(6, 3, 2), torch.ones(6, 3, dtype=torch.bool)
    present[4:, 0], present[:, 2] = False, torch.tensor([True, False, True, False, True, False])
    one, other, third = pooled.unbind(1)
    expected = of(kind, one[:4], other[:4]), of(kind, one[[0, 2]], third[[0, 2]]), of(kind, other[::2], third[::2])
    assert alignment_loss(pooled, present, kind).item() == pytest.approx(sum(expected) / 3)
    present[2, 2] = False
    expected = of(kind, one[:4], other[:4]), of(kind, other[[0, 4]], third[[0, 4]])
    assert alignment_loss(pooled, present, kind).item() == pytest.approx(sum(expected) / 2)


@pytest.mark.parametrize("kind", LOSSES)
def test_without_pairs_there_is_no_loss(kind):
    """One modality, or nobody with two."""
    pooled = drawn(4, 2, 3)
    assert alignment_loss(pooled[:, :1], torch.ones(4, 1, dtype=torch.bool), kind) == 0
    assert alignment_loss(pooled, torch.tensor([[True, False]]).expand(4, 2), kind) == 0


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_constant_features_and_half_precision_give_numbers(kind, dtype):
    """Finite values and gradients where a modality does not vary, and in half precision."""
    for one in (torch.zeros(6, 2, 3), torch.ones(6, 2, 3), drawn(6, 2, 3)):
        pooled = one.to(dtype).requires_grad_()
        alignment_loss(pooled, torch.ones(6, 2, dtype=torch.bool), kind).backward()
        assert torch.isfinite(pooled.grad).all()


@pytest.mark.parametrize("kind", LOSSES)
def test_a_block_measures_its_output(kind):
    """Its global features after the last step, of those who are present."""
    made = block(3)
    found = made(tokens(3), holes(count=3))
    expected = alignment_loss(found.pooled, holes(count=3), kind)
    assert made.alignment_loss(found, kind) == expected
    assert expected.requires_grad
