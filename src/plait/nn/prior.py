"""A module that says the same of every sample."""

import torch
from torch import Tensor

from plait.data.shapes import Features, Output, Present
from plait.nn.module import FusionModule


class PriorNet(FusionModule):
    """The prior, whatever the sample: logarithms of class frequencies, or mean targets.

    Args:
        outputs: Number of classes or targets.
    """

    prior: Tensor

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.register_buffer("prior", torch.zeros(outputs, dtype=torch.float64))

    def forward(self, features: Features, present: Present) -> Output:
        return self.prior.expand(len(present), -1)
