"""Heads of many sets of pairs as one network: all see the same batch and differ in the taps that they read."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from plait.data.batches import Batch
from plait.data.shapes import Features, Output, Present
from plait.nn.criteria import Criterion
from plait.nn.layers import Rows
from plait.nn.module import FusionModule
from plait.skew.ridge import Tap
from plait.skew.selection import Pairs
from plait.skew.stacked import LEGACY, OPERATORS, StackedOperator, dense

TAPS = "taps"
_OPERATORS: Mapping[str, Callable[..., StackedOperator]] = {
    **OPERATORS,
    **{name: partial(kind, batch_dependent_allowed=True) for name, kind in LEGACY.items()},
}


class PairHeads(FusionModule):
    """A fusion operator for every pair of every set, its mean over the pairs of a set, and a linear head a set.

    z_S = mean over the pairs p of S of phi_p(a, b); output = W drop(z_S) + c. Sets share nothing but the batch, so that
    training them together is training each alone.

    Args:
        sets: The sets of pairs, each of one or more; a set that is there twice has two heads with other weights.
        taps: All taps, in the order in which features hold them.
        read: Size of a tap.
        outputs: Number of outputs.
        operator: A key of `plait.skew.stacked.OPERATORS`, or of its `LEGACY`.
        width: Size of joint vectors.
        dropout: Share of a joint vector dropped in training, in [0, 1).
        tokens: Tokens that a tap is made of, side by side.
        generator: Source of the initial weights.
    """

    def __init__(
        self,
        sets: Sequence[Pairs],
        taps: Sequence[Tap],
        read: int,
        outputs: int,
        operator: str = "bilinear",
        width: int = 16,
        dropout: float = 0.0,
        tokens: int = 1,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.sets, self.units, self.dropout = tuple(sets), len(sets), dropout
        places = {tap: place for place, tap in enumerate(taps)}
        pairs = [(row, pair) for row, pairs in enumerate(sets) for pair in pairs]
        self.owner: Tensor
        self.register_buffer("owner", torch.tensor([row for row, _ in pairs]), persistent=False)
        read_taps = [[places[pair.first, pair.i], places[pair.second, pair.j]] for _, pair in pairs]
        self.chosen: Tensor
        self.register_buffer("chosen", torch.tensor(read_taps).T.contiguous(), persistent=False)
        self.operator = _OPERATORS[operator](len(pairs), read, width, generator, tokens=tokens)
        self.head = dense(self.units, width, outputs, generator)

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all sets.

        Args:
            features: "taps": (batch, tap, read).
            present: Not looked at: every sample has every tap.
        """
        taps = features[TAPS].transpose(0, 1).contiguous()
        joint = self.operator(*(taps.index_select(0, chosen) for chosen in self.chosen))
        if len(joint) == self.units:  # a pair a set, in their order
            return self.decided(joint)
        share = self.owner.bincount(minlength=self.units).to(joint)[self.owner]
        summed = joint.new_zeros(self.units, *joint.shape[1:])
        return self.decided(summed.index_add(0, self.owner, joint / share[:, None, None]))

    def decided(self, mean: Float[Tensor, "unit batch width"]) -> Output:
        """What the heads say of joint vectors."""
        if self.training and self.dropout:
            kept = torch.rand(mean.shape[1:], device=mean.device) >= self.dropout
            mean = mean * (kept / (1 - self.dropout))
        found: Tensor = self.head(mean)
        return found

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The task's loss of every set."""
        return criterion.loss(self(batch.features, batch.present), batch.target)

    def owners(self) -> Mapping[str, Rows | int]:
        """Weights of a pair belong to its set."""
        pairs = {name: self.owner for name in self.state_dict() if name.startswith("operator.")}
        return pairs | {name: torch.arange(self.units) for name in self.state_dict() if name.startswith("head.")}
