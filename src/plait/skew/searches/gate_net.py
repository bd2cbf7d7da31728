"""A network with a gate for every pair of taps, which learns to shut them at a price that rises."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.data.batches import Batch
from plait.data.shapes import Features, Output, Present
from plait.nn.criteria import Criterion
from plait.nn.layers import Rows
from plait.nn.module import FusionModule
from plait.skew.heads import TAPS
from plait.skew.ridge import Tap
from plait.skew.searches.gates import drawn_gates, open_probability, settled_gates
from plait.skew.searches.projections import TapProjections
from plait.skew.searches.ramp import Ramp
from plait.skew.space import Pair
from plait.skew.stacked import dense

Grid = Float[Tensor, "unit tap tap"]
Projected = Float[Tensor, "unit tap batch width"]


def _sum(gates: Grid, projected: Projected) -> Float[Tensor, "unit batch width"]:
    """The sum over pairs of g (A_i + B_j): every tap as often as it is in open pairs."""
    return torch.einsum("ut,utbw->ubw", gates.sum(1) + gates.sum(2), projected)


def _bilinear(gates: Grid, projected: Projected) -> Float[Tensor, "unit batch width"]:
    """The sum over pairs of g (A_i * B_j): for each first tap one product with the gated sum of its partners."""
    partners = (gates @ projected.flatten(2)).view(projected.shape)
    return (projected * partners).sum(1)


GATED: Mapping[str, Callable[[Grid, Projected], Tensor]] = MappingProxyType({"sum": _sum, "bilinear": _bilinear})
"""The gated sum of all pairs' joint vectors, by the name of the operator; gates stand at [first tap, second tap]."""


class GatedPairs(FusionModule):
    """z = sum over all pairs of g_p join(P_i a_i, P_j b_j); output = W z + c, in several units with other weights.

    In training gates are drawn anew at every step, the same for the whole batch. Their values rank nothing: open ones
    saturate at 1, and pairs that share a tap stand in for each other where the operator has no products.

    Args:
        pairs: The pairs.
        taps: All taps, in the order in which features hold them.
        units: Runs, each with gates and weights of its own.
        read: Size of a tap.
        outputs: Number of outputs.
        operator: A key of `GATED`.
        width: Size of joint vectors.
        price: Of the expected number of open gates, step by step, in units of the loss.
        generator: Source of the initial weights; gates begin with log alpha = 0.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        taps: Sequence[Tap],
        units: int,
        read: int,
        outputs: int,
        operator: str,
        width: int,
        price: Ramp,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.units, self.join, self.price, self.steps = units, GATED[operator], price, 0
        places = {tap: place for place, tap in enumerate(taps)}
        chosen = [[places[pair.first, pair.i], places[pair.second, pair.j]] for pair in pairs]
        self.places: Tensor
        self.register_buffer("places", torch.tensor(chosen).T.contiguous(), persistent=False)
        self.project = TapProjections(units, len(taps), read, width, generator)
        self.head = dense(units, width, outputs, generator)
        self.log_alpha = nn.Parameter(torch.zeros(units, len(pairs)))

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all units.

        Args:
            features: "taps": (batch, tap, read).
            present: Not looked at: every sample has every tap.
        """
        projected = self.project(features[TAPS])
        gates = self._drawn() if self.training else settled_gates(self.log_alpha)
        grid = gates.new_zeros(self.units, *projected.shape[1:2] * 2)
        grid[:, self.places[0], self.places[1]] = gates
        found: Tensor = self.head(self.join(grid, projected))
        return found

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The task's loss and the price of the gates that are expected to be open; counts the step."""
        loss = criterion.loss(self(batch.features, batch.present), batch.target)
        priced: Tensor = loss + self.price(self.steps) * open_probability(self.log_alpha).sum(1)
        self.steps += 1
        return priced

    @torch.no_grad()
    def open(self) -> Bool[Tensor, "unit pair"]:
        """Which gates are not 0 without a draw."""
        return settled_gates(self.log_alpha) > 0

    def owners(self) -> Mapping[str, Rows | int]:
        """The first axis of every weight is the unit."""
        return {name: torch.arange(self.units) for name in self.state_dict()}

    def _drawn(self) -> Float[Tensor, "unit pair"]:
        least = torch.finfo(self.log_alpha.dtype).tiny
        uniform = torch.rand_like(self.log_alpha).clamp(least, 1 - torch.finfo(self.log_alpha.dtype).eps)
        return drawn_gates(self.log_alpha, uniform)
