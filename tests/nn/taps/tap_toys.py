"""Tiny networks with blocks, and what several test files ask of them."""

import hashlib
from itertools import pairwise

import torch
from torch import nn

from plait.nn.taps import LayeredEncoder, Tapped

CALLS: list[str] = []


class Block(nn.Module):
    """A linear map with dropout, which tells when it runs."""

    def __init__(self, name, read, out):
        super().__init__()
        self.label = name
        self.linear, self.dropout = nn.Linear(read, out), nn.Dropout(0.5)

    def forward(self, values):
        CALLS.append(self.label)
        return self.dropout(self.linear(values).tanh())


class Chain(nn.Module):
    """Blocks of unequal widths in a row, batch normalisation at the start and a head at the end."""

    def __init__(self, widths=(4, 5, 3, 6), features=4):
        super().__init__()
        torch.manual_seed(0)
        self.norm = nn.BatchNorm1d(features)
        sizes = (features, *widths)
        self.blocks = nn.ModuleList(Block(str(place + 1), *pair) for place, pair in enumerate(pairwise(sizes)))
        self.head = Block("head", sizes[-1], 2)

    def forward(self, values):
        values = self.norm(values)
        for block in self.blocks:
            values = block(values)
        return self.head(values)


class Fixed(LayeredEncoder):
    """Taps that are given, and a count of the samples that were read."""

    def __init__(self, *taps, mark="0", here=None):
        super().__init__("fixed", len(taps))
        self.given, self.mark, self.here, self.read_samples = taps, mark, here, 0

    def truncated(self, tap):
        return self

    def fingerprint(self):
        return self.mark

    def _tapped(self, values):
        self.read_samples += len(values)
        return [Tapped(tap, self.here) for tap in self.given]


def state(module):
    """What must not change: weights and buffers, training flags, and the number of what watches each part."""
    digest = hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in module.state_dict().values()))
    flags = [(path, part.training, len(part._forward_hooks)) for path, part in module.named_modules()]
    return digest.hexdigest(), flags, torch.is_grad_enabled(), torch.backends.mha.get_fastpath_enabled()
