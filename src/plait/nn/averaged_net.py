"""Copies of a network that predict as one."""

import torch
from torch import Tensor

from plait.data.shapes import Features, Output, Present
from plait.nn.averaging import Averaging, averaging_for
from plait.nn.copies import Copies
from plait.nn.encodings import whole_readers
from plait.nn.module import FusionModule
from plait.nn.representations import Representations


class AveragedNet(FusionModule):
    """The mean prediction of the copies (probabilities of classes, values of a regression).

    A sample about which the network can say nothing is predicted by the prior.

    Args:
        net: The copies, at one setting.
    """

    prior: Tensor

    def __init__(self, net: Copies) -> None:
        super().__init__()
        self.net = net
        self.representations = Representations(net.spec, whole_readers(net.spec))
        self.averaging: Averaging = averaging_for(net.spec, "probabilities")
        self.register_buffer("prior", torch.zeros(net.spec.outputs))

    def forward(self, features: Features, present: Present) -> Output:
        outputs = self.averaging.enter(self.net(self.representations(features, present), present))
        mean = self.averaging.leave(outputs.mean(0))
        return mean.where(self.net.readable(present)[:, None], self.prior.to(mean))
