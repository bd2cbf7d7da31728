"""Copies of a network that predict as one."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.batches import Batch
from plait.data.shapes import Features, Output, Present
from plait.nn.averaging import Averaging, averaging_for
from plait.nn.committee import Committee, Voices
from plait.nn.copies import Copies
from plait.nn.criteria import Criterion
from plait.nn.encodings import whole_readers
from plait.nn.representations import Representations
from plait.nn.step_fusion.trace import Trace


class AveragedNet(Committee):
    """The mean prediction of the copies (probabilities of classes, values of a regression).

    A sample about which the network can say nothing is predicted by the prior.

    Args:
        net: The copies, at one setting.
        representations: The frozen part, from features and presence to what the copies read; None is all features as
            they are, and the outputs of the user's frozen modules.
    """

    prior: Tensor

    def __init__(self, net: Copies, representations: nn.Module | None = None) -> None:
        super().__init__()
        self.net = net
        self.representations = representations or Representations(net.spec, whole_readers(net.spec))
        self.averaging: Averaging = averaging_for(net.spec, "probabilities")
        self.register_buffer("prior", torch.zeros(net.spec.outputs))

    def forward(self, features: Features, present: Present) -> Output:
        outputs = self.averaging.enter(self.net(self.representations(features, present), present))
        mean = self.averaging.leave(outputs.mean(0))
        return mean.where(self.net.readable(present)[:, None], self.prior.to(mean))

    @property
    def seats(self) -> int:
        """Number of copies."""
        return self.net.units

    def voices(self, features: Features, present: Present) -> Voices:
        """The copies, with equal shares."""
        outputs: Tensor = self.net(self.representations(features, present), present)
        readable = self.net.readable(present).to(outputs)
        return Voices(outputs, readable.expand(len(outputs), -1) / len(outputs))

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The network's own objective, one value a copy: for those who train in a loop of their own."""
        read = self.representations(batch.features, batch.present)
        return self.net.objective(replace(batch, features=read), criterion)

    def trace(self, features: Features, present: Present) -> Trace | None:
        """The way of the modalities through steps of alignment; None where there are none."""
        return self.net.trace(self.representations(features, present), present)
