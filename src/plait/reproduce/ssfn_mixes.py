"""Heads on weighted means of taps: one tap alone, a mix of a modality's, a mix of each modality's side by side."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.batches import Batch
from plait.data.shapes import Features, Output, Present
from plait.nn.criteria import Criterion
from plait.nn.layers import Rows
from plait.nn.module import FusionModule
from plait.skew.heads import TAPS
from plait.skew.ridge import Tap
from plait.skew.stacked import dense


class TapMixes(FusionModule):
    """Learned scalar mixes of taps (after Peters et al., 2018), many at once: they share nothing but the batch.

    Of each modality: sum over its taps that a head reads of softmax(w) times the tap, w starting at 0; the modalities'
    sums stand side by side before a linear layer. A head of one tap is a linear head on it.

    Args:
        reads: Taps that each head reads.
        taps: All taps, in the order in which features hold them.
        read: Size of a tap.
        outputs: Number of outputs.
        generator: Source of the initial weights.
    """

    def __init__(
        self,
        reads: Sequence[Sequence[Tap]],
        taps: Sequence[Tap],
        read: int,
        outputs: int,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.units = len(reads)
        names = list(dict.fromkeys(name for name, _ in taps))
        owned = torch.tensor([[name == own for own, _ in taps] for name in names])
        chosen = torch.tensor([[tap in own for tap in taps] for own in reads])
        self.counted: Tensor
        self.register_buffer("counted", chosen[:, None] & owned, persistent=False)
        self.weight = nn.Parameter(torch.zeros(self.units, len(taps)))
        self.head = dense(self.units, len(names) * read, outputs, generator)

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all heads.

        Args:
            features: "taps": (batch, tap, read).
            present: Not looked at: every sample has every tap.
        """
        mixed = torch.einsum("umt,btr->ubmr", self.shares(), features[TAPS])
        found: Tensor = self.head(mixed.flatten(2))
        return found

    def shares(self) -> Float[Tensor, "unit modality tap"]:
        """What each tap counts in each modality's mix; a modality that a head does not read has none."""
        exponent = self.weight[:, None].expand_as(self.counted).masked_fill(~self.counted, float("-inf"))
        alone = self.counted.any(2, keepdim=True)
        return torch.where(alone, exponent.masked_fill(~alone, 0.0).softmax(2), 0.0)

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The task's loss of every head."""
        return criterion.loss(self(batch.features, batch.present), batch.target)

    def owners(self) -> Mapping[str, Rows | int]:
        """Everything belongs to its head."""
        return {name: torch.arange(self.units) for name in self.state_dict()}
