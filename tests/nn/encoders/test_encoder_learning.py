"""Encoders learn what a linear model of the raw values cannot."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from plait.nn.encoders import ImageConvolution, ImagePatches, SeriesConvolution, SeriesPatches

ROWS = 512
UP_DOWN = torch.tensor([1.0, 2.0, 1.0, -1.0, -2.0, -1.0])  # turned round it is the other motif


class Network(nn.Module):
    """A linear head on the mean token."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(encoder.width, 2)

    def forward(self, values):
        return self.head(self.encoder(values).mean(1))


def motifs(seed):
    """A motif or its reverse somewhere in noise; the ends are joined, so that both classes have the same mean."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (ROWS,), generator=draw)
    series = 0.2 * torch.randn(ROWS, 48, generator=draw)
    places = (torch.randint(48, (ROWS, 1), generator=draw) + torch.arange(6)) % 48
    signs = (1 - 2 * labels)[:, None]
    return series.scatter_add(1, places, signs * UP_DOWN)[:, :, None], labels


def bars(seed):
    """A horizontal or a vertical bar somewhere in noise, on an image whose opposite sides are joined."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (ROWS,), generator=draw)
    images = 0.2 * torch.randn(ROWS, 16, 16, generator=draw)
    rows, columns = torch.randint(16, (2, ROWS, 1), generator=draw)
    along, down = torch.arange(6) * (labels == 0)[:, None], torch.arange(6) * (labels == 1)[:, None]
    images[torch.arange(ROWS)[:, None], (rows + down) % 16, (columns + along) % 16] += 1.5
    return images[:, None], labels


def accuracy(network, data, epochs, rate):
    """On fresh samples."""
    optimiser = torch.optim.Adam(network.parameters(), rate)
    values, labels = data(0)
    for _ in range(epochs):
        for rows in torch.randperm(ROWS).split(64):
            optimiser.zero_grad()
            cross_entropy(network(values[rows]), labels[rows]).backward()
            optimiser.step()
    values, labels = data(1)
    with torch.no_grad():
        return (network.eval()(values).argmax(1) == labels).float().mean().item()


def linear(data):
    """Accuracy of a linear model of the raw values."""
    torch.manual_seed(0)
    size = data(0)[0][0].numel()
    return accuracy(nn.Sequential(nn.Flatten(), nn.Linear(size, 2)), data, 12, 3e-3)


@pytest.mark.parametrize("kind", [SeriesConvolution, SeriesPatches])
def test_a_series_encoder_finds_a_motif_wherever_it_is(kind):
    """Two motifs at random places, which a linear model cannot tell apart."""
    torch.manual_seed(0)
    choices = {"patch": 8, "stride": 4} if kind is SeriesPatches else {}
    found = accuracy(Network(kind((48, 1), width=32, layers=1, **choices)), motifs, 12, 3e-3)
    baseline = linear(motifs)
    assert baseline < 0.6
    assert found > baseline + 0.3


@pytest.mark.parametrize("kind", [ImageConvolution, ImagePatches])
def test_an_image_encoder_tells_which_way_a_bar_lies(kind):
    """Horizontal or vertical, wherever it is, which a linear model cannot tell."""
    torch.manual_seed(0)
    found = accuracy(Network(kind((1, 16, 16), width=32)), bars, 12, 3e-3)
    baseline = linear(bars)
    assert baseline < 0.6
    assert found > baseline + 0.3
