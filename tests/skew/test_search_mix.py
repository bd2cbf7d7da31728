"""Mixes of all taps: shares, what they read, and what they reach."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_judges import noise, planted, values

from plait.skew.heads import TAPS
from plait.skew.searches.mix_net import ScalarMix
from plait.skew.searches.scalar_mix import Mixing, scalar_mix
from plait.skew.searches.stacked_scan import head_trainer
from plait.training.trainer import Trainer

FEW = Trainer(epochs=2, batch_size=8, patience=None)
READS = torch.tensor(
    [
        [[True, True, False, False, False], [False] * 5],
        [[False] * 5, [False, False, True, True, True]],
        [[True, True, False, False, False], [False, False, True, True, True]],
    ]
)


def mix():
    net = ScalarMix(READS, 4, 3, 6, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        net.logits += torch.randn(net.logits.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return net


def drawn(n=7):
    taps = torch.randn(n, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    return {TAPS: taps}, torch.ones(n, 2, dtype=torch.bool)


def test_shares_sum_to_one_in_every_modality_that_is_read():
    """Softmaxes of their own; nothing of a modality that is not read."""
    shares = mix().shares()
    one, none = torch.ones(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    torch.testing.assert_close(shares[:, :2].sum(1), torch.stack([one[0], none[0], one[0]]))
    torch.testing.assert_close(shares[:, 2:].sum(1), torch.stack([none[0], one[0], one[0]]))
    torch.testing.assert_close(shares[0, :2], mix().logits[0, :2].softmax(0))


def test_a_mix_is_its_formula():
    """The shared sum of projected taps, then the linear head."""
    net = mix()
    features, present = drawn()
    shares = net.shares()[2]
    projected = [features[TAPS][:, t] @ net.project.weight[2, t] + net.project.bias[2, t] for t in range(5)]
    joint = sum(share * part for share, part in zip(shares, projected, strict=True))
    torch.testing.assert_close(net(features, present)[2], joint @ net.head.weight[2] + net.head.bias[2])


def test_what_is_not_read_does_not_matter():
    """Other taps of the other modality change a mix of one modality by nothing."""
    net = mix()
    features, present = drawn()
    other = features[TAPS].clone()
    other[:, 2:] += 5
    one, two = net(features, present), net({TAPS: other}, present)
    assert torch.equal(one[0], two[0])
    assert not torch.equal(one[1], two[1])
    assert not torch.equal(one[2], two[2])


def test_mixes_reach_what_taps_hold():
    """ADD: both modalities together far above either; the largest shares are of the planted taps."""
    judge, bunch = planted("add")
    found = scalar_mix(judge, Mixing(trainer=replace(head_trainer(), epochs=20)))
    assert found.reads == (("a",), ("b",), ("a", "b"))
    assert found.scores.values[2] > found.scores.values[:2].max() + 0.3
    together = found.shares[found.shares["mix"] == "a + b"]
    best = together.loc[together.groupby("modality")["share"].idxmax()]
    (planted_pair,) = bunch.planted
    assert list(zip(best["modality"], best["tap"], strict=True)) == [planted_pair[:2], planted_pair[2:]]


def test_mixes_have_no_products():
    """XOR: at chance."""
    judge, _ = planted("xor")
    assert np.abs(scalar_mix(judge, Mixing(trainer=replace(FEW, batch_size=400))).scores.values - 0.5).max() < 0.1


def test_seeds_and_any_number_of_modalities():
    """Each modality alone, then all; shares of every seed; the same seed gives the same numbers."""
    judge = noise({"a": 1, "b": 2, "c": 3}, widths={"a": 2, "b": 4, "c": 3})
    one, two = (scalar_mix(judge, Mixing(seeds=2, trainer=FEW)) for _ in range(2))
    assert one.reads == (("a",), ("b",), ("c",), ("a", "b", "c"))
    assert one.by_seed.shape == (2, 4)
    np.testing.assert_allclose(one.scores.values, one.by_seed.mean(0))
    assert len(one.shares) == 2 * (1 + 2 + 3 + 6)
    np.testing.assert_allclose(one.shares.groupby(["seed", "mix", "modality"])["share"].sum(), 1, atol=1e-6)
    assert one.shares.equals(two.shares)
    np.testing.assert_array_equal(one.scores.drawn, two.scores.drawn)
    assert one.history["epoch"].tolist() == [0, 1]


def test_values_are_predicted():
    """Regression: all taps together explain nearly everything."""
    found = scalar_mix(values(), Mixing(trainer=Trainer(10, 32, 2e-2, patience=None)))
    assert found.scores.values[2] > 0.9 > found.scores.values[:2].max()


@pytest.mark.parametrize("wrong", [{"width": 0}, {"seeds": 0}])
def test_settings_out_of_range_are_told(wrong):
    """By their name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        scalar_mix(noise({"a": 1, "b": 1}), Mixing(**wrong))
