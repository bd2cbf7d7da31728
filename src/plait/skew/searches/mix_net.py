"""Networks that read a learned mix of taps."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.data.batches import Batch
from plait.data.shapes import Features, Output, Present
from plait.nn.criteria import Criterion
from plait.nn.layers import Rows
from plait.nn.module import FusionModule
from plait.skew.heads import TAPS
from plait.skew.searches.projections import TapProjections
from plait.skew.stacked import dense


class ScalarMix(FusionModule):
    """z = sum over modalities and taps of s_t (P_t h_t + c_t), s a softmax over a modality's taps; output = W z + c.

    After Peters et al. (2018), whose layers have one width and so no projection. Here the size of a projection can take
    over from its share, so that shares are no importances.

    Args:
        reads: The taps of each modality that a unit reads; none of a modality that it does not read.
        read: Size of a tap.
        outputs: Number of outputs.
        width: Size of the mix.
        generator: Source of the initial weights; shares begin equal.
    """

    def __init__(
        self,
        reads: Bool[Tensor, "unit modality tap"],
        read: int,
        outputs: int,
        width: int,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.units, _, count = reads.shape
        self.reads: Tensor
        self.register_buffer("reads", reads, persistent=False)
        self.project = TapProjections(self.units, count, read, width, generator)
        self.head = dense(self.units, width, outputs, generator)
        self.logits = nn.Parameter(torch.zeros(self.units, count))

    def shares(self) -> Float[Tensor, "unit tap"]:
        """The share of each tap in the mix of its modality; 0 where it is not read."""
        least = torch.finfo(self.logits.dtype).min
        each = self.logits[:, None].masked_fill(~self.reads, least).softmax(dim=2)
        return (each * self.reads).sum(1)

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all units.

        Args:
            features: "taps": (batch, tap, read).
            present: Not looked at: every sample has every tap.
        """
        mixed = torch.einsum("ut,utbw->ubw", self.shares(), self.project(features[TAPS]))
        found: Tensor = self.head(mixed)
        return found

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The task's loss of every unit."""
        return criterion.loss(self(batch.features, batch.present), batch.target)

    def owners(self) -> Mapping[str, Rows | int]:
        """The first axis of every weight is the unit."""
        return {name: torch.arange(self.units) for name in self.state_dict()}
