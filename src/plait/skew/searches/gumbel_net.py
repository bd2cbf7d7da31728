"""A network that draws which taps it reads: one categorical over the taps of each modality, learned with the weights.

Straight-through Gumbel softmax (Jang et al., 2017): a one-hot draw forward, the gradient of the soft one backward.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import one_hot

from plait.data.batches import Batch
from plait.data.shapes import Features, Output, Present
from plait.nn.criteria import Criterion
from plait.nn.layers import Rows
from plait.nn.module import FusionModule
from plait.skew.heads import TAPS
from plait.skew.searches.projections import TapProjections
from plait.skew.searches.ramp import Ramp
from plait.skew.stacked import dense

JOINS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType({"sum": torch.add, "bilinear": torch.mul})
"""How two projected taps become one vector, by the name of the operator."""
_FASTER = 3.0  # Adam moves logits so many times as fast as weights

Choices = Float[Tensor, "unit slot side tap"]


class TapChoice(FusionModule):
    """Units that each choose one pair of taps or several, and learn a head on what they draw.

    z = mean over the slots s of join(P_i a_i, P_j b_j) with the taps (i, j) that slot s draws; output = W z + c. In
    training the taps are drawn anew at every step, the same for the whole batch; in evaluation they are the likeliest.

    Args:
        allowed: Which taps each unit chooses from, for the first and the second modality of its pairs.
        slots: Pairs that each unit chooses, at least 1.
        read: Size of a tap.
        outputs: Number of outputs.
        operator: A key of `JOINS`.
        width: Size of joint vectors.
        temperature: Of the softmax, step by step.
        penalty: Weight of the probability that two slots draw the same pair, summed over every two, >= 0.
        generator: Source of the initial weights; choices begin uniform.
    """

    def __init__(
        self,
        allowed: Bool[Tensor, "unit side tap"],
        slots: int,
        read: int,
        outputs: int,
        operator: str,
        width: int,
        temperature: Ramp,
        penalty: float,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.units, sides, count = allowed.shape
        self.join, self.temperature, self.penalty, self.steps = JOINS[operator], temperature, penalty, 0
        self.allowed: Tensor
        self.register_buffer("allowed", allowed[:, None], persistent=False)
        self.project = TapProjections(self.units, count, read, width, generator)
        self.head = dense(self.units, width, outputs, generator)
        self.choice = nn.Parameter(torch.zeros(self.units, slots, sides, count))

    @property
    def logits(self) -> Choices:
        """Logits of the choices: 3 times what is learned, so that one rate of Adam moves them 3 times as fast."""
        return (_FASTER * self.choice).masked_fill(~self.allowed, -torch.inf)

    def chosen(self) -> Int[Tensor, "unit slot side"]:
        """The likeliest taps."""
        return self.logits.argmax(dim=3)

    def forward(self, features: Features, present: Present) -> Output:
        """Outputs of all units.

        Args:
            features: "taps": (batch, tap, read).
            present: Not looked at: every sample has every tap.
        """
        picked = self._drawn() if self.training else one_hot(self.chosen(), self.allowed.shape[3])
        projected = self.project(features[TAPS])
        units, count, batch, width = projected.shape
        joint = picked.to(projected).flatten(1, 2) @ projected.reshape(units, count, batch * width)
        first, second = joint.view(units, -1, 2, batch, width).unbind(2)
        found: Tensor = self.head(self.join(first, second).mean(1))
        return found

    def objective(self, batch: Batch, criterion: Criterion) -> Float[Tensor, " unit"]:
        """The task's loss, and the price of slots that choose alike; counts the step."""
        loss = criterion.loss(self(batch.features, batch.present), batch.target)
        self.steps += 1
        return loss + self.penalty * self.alike()

    def alike(self) -> Float[Tensor, " unit"]:
        """The probability that two slots draw the same pair, summed over every two."""
        shares = self.logits.softmax(dim=3)
        same = torch.einsum("uskt,urkt->uksr", shares, shares).prod(dim=1)
        return same.triu(1).sum(dim=(1, 2))

    def owners(self) -> Mapping[str, Rows | int]:
        """The first axis of every weight is the unit."""
        return {name: torch.arange(self.units) for name in self.state_dict()}

    def _drawn(self) -> Choices:
        noise = -torch.empty_like(self.choice).exponential_().log()
        soft = ((self.logits + noise) / self.temperature(self.steps)).softmax(dim=3)
        hard = one_hot(soft.argmax(dim=3), soft.shape[3])
        return hard + soft - soft.detach()


def sides(edges: Sequence[tuple[str, str]], taps: Sequence[tuple[str, int]]) -> Bool[Tensor, "unit side tap"]:
    """Which taps are of the first and of the second modality of each edge."""
    names = [name for name, _ in taps]
    return torch.tensor([[[name == own for name in names] for own in edge] for edge in edges])
