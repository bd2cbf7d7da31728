"""Fusion operators of many pairs at once: stacked weights, one batched product for all pairs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.nn.layers import StackedLinear, uniform


def dense(pairs: int, width: int, out: int, generator: torch.Generator) -> StackedLinear:
    """Freshly drawn dense layers, one a pair."""
    weight = uniform((pairs, width, out), width, generator)
    return StackedLinear(weight, uniform((pairs, out), width, generator))


class StackedOperator(nn.Module, ABC):
    """Joins two vectors into one, with weights of its own for each pair.

    Args:
        pairs: Number of pairs.
        read: Size of the vectors that are joined.
        width: Size of the joint vector.
        generator: Source of the initial weights.
    """

    interaction: ClassVar[bool]
    """Whether it can represent products of features of the two."""

    def __init__(self, pairs: int, read: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.pairs, self.read, self.width = pairs, read, width

    @abstractmethod
    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        """The joint vectors."""


class Concat(StackedOperator):
    """W [a; b] + c."""

    interaction = False

    def __init__(self, pairs: int, read: int, width: int, generator: torch.Generator) -> None:
        super().__init__(pairs, read, width, generator)
        self.both = dense(pairs, 2 * read, width, generator)

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        joint: Tensor = self.both(torch.cat([a, b], dim=2))
        return joint


class Projected(StackedOperator, ABC):
    """An operator that begins with a dense layer for either vector."""

    def __init__(self, pairs: int, read: int, width: int, generator: torch.Generator) -> None:
        super().__init__(pairs, read, width, generator)
        self.first, self.second = (dense(pairs, read, width, generator) for _ in range(2))


class Sum(Projected):
    """P_a a + P_b b, each with a bias."""

    interaction = False

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        joint: Tensor = self.first(a) + self.second(b)
        return joint


class Perceptron(StackedOperator):
    """W_2 ReLU(W_1 [a; b] + c_1) + c_2, with as many hidden units as outputs."""

    interaction = True

    def __init__(self, pairs: int, read: int, width: int, generator: torch.Generator) -> None:
        super().__init__(pairs, read, width, generator)
        self.hidden = dense(pairs, 2 * read, width, generator)
        self.out = dense(pairs, width, width, generator)

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        joint: Tensor = self.out(self.hidden(torch.cat([a, b], dim=2)).relu())
        return joint


class Gated(Projected):
    """g * tanh(P_a a) + (1 - g) * tanh(P_b b) with g = sigmoid(W [a; b]) (Arevalo et al., 2017)."""

    interaction = True

    def __init__(self, pairs: int, read: int, width: int, generator: torch.Generator) -> None:
        super().__init__(pairs, read, width, generator)
        self.gate = dense(pairs, 2 * read, width, generator)

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        gate = self.gate(torch.cat([a, b], dim=2)).sigmoid()
        return torch.lerp(self.second(b).tanh(), self.first(a).tanh(), gate)


class Bilinear(Projected):
    """(U_a a) * (U_b b), linear in either; biases let each pass through beside the product (Kim et al., 2017)."""

    interaction = True

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        joint: Tensor = self.first(a) * self.second(b)
        return joint


class Film(StackedOperator):
    """gamma(b) * P_a a + beta(b): b says how each feature of a is scaled and shifted (Perez et al., 2018)."""

    interaction = True

    def __init__(self, pairs: int, read: int, width: int, generator: torch.Generator) -> None:
        super().__init__(pairs, read, width, generator)
        self.first = dense(pairs, read, width, generator)
        self.scale, self.shift = (dense(pairs, read, width, generator) for _ in range(2))

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        return torch.addcmul(self.shift(b), 1 + self.scale(b), self.first(a))


OPERATORS: Mapping[str, type[StackedOperator]] = MappingProxyType(
    {"concat": Concat, "sum": Sum, "mlp": Perceptron, "gated": Gated, "bilinear": Bilinear, "film": Film}
)
"""Trained operators by name."""
