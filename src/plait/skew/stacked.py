"""Fusion operators of many pairs at once: stacked weights, one batched product for all pairs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plait.data.settings import check_whole
from plait.nn.layers import StackedLinear, uniform
from plait.skew.coattention import StackedCoAttention, default_heads


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
        tokens: Number of tokens that lie side by side in a vector, a divisor of its size; only operators that need
            tokens look at it.

    Raises:
        ValueError: If an operator that needs tokens cannot cut a vector into so many.
    """

    interaction: ClassVar[bool]
    """Whether it can represent products of features of the two."""
    symmetric: ClassVar[bool] = False
    """Whether it is the same with the two in the other order."""
    needs_tokens: ClassVar[bool] = False
    """Whether it reads a vector as several tokens side by side."""
    batch_dependent: ClassVar[bool] = False
    """Whether the joint vector of a sample depends on the other samples of its batch."""

    def __init__(self, pairs: int, read: int, width: int, generator: torch.Generator, *, tokens: int = 1) -> None:
        super().__init__()
        self.pairs, self.read, self.width, self.tokens = pairs, read, width, tokens
        self._make(generator)

    @abstractmethod
    def _make(self, generator: torch.Generator) -> None:
        """Draw the weights."""

    @abstractmethod
    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        """The joint vectors."""


class Concat(StackedOperator):
    """W [a; b] + c."""

    interaction = False

    def _make(self, generator: torch.Generator) -> None:
        self.both = dense(self.pairs, 2 * self.read, self.width, generator)

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        joint: Tensor = self.both(torch.cat([a, b], dim=2))
        return joint


class Projected(StackedOperator, ABC):
    """An operator that begins with a dense layer for either vector."""

    def _make(self, generator: torch.Generator) -> None:
        self.first, self.second = (dense(self.pairs, self.read, self.width, generator) for _ in range(2))


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

    def _make(self, generator: torch.Generator) -> None:
        self.hidden = dense(self.pairs, 2 * self.read, self.width, generator)
        self.out = dense(self.pairs, self.width, self.width, generator)

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        joint: Tensor = self.out(self.hidden(torch.cat([a, b], dim=2)).relu())
        return joint


class Gated(Projected):
    """g * tanh(P_a a) + (1 - g) * tanh(P_b b) with g = sigmoid(W [a; b]) (Arevalo et al., 2017)."""

    interaction = True

    def _make(self, generator: torch.Generator) -> None:
        super()._make(generator)
        self.gate = dense(self.pairs, 2 * self.read, self.width, generator)

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

    def _make(self, generator: torch.Generator) -> None:
        self.first = dense(self.pairs, self.read, self.width, generator)
        self.scale, self.shift = (dense(self.pairs, self.read, self.width, generator) for _ in range(2))

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        return torch.addcmul(self.shift(b), 1 + self.scale(b), self.first(a))


class Outer(StackedOperator):
    """W vec(a b^T) + c of the first 16 features each: taps come with their principal components in falling order."""

    interaction = True
    most: ClassVar[int] = 16

    def _make(self, generator: torch.Generator) -> None:
        self.kept = min(self.read, self.most)
        self.out = dense(self.pairs, self.kept**2, self.width, generator)

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        products = a[..., : self.kept, None] * b[..., None, : self.kept]
        joint: Tensor = self.out(products.flatten(2))
        return joint


class Attentive(StackedOperator, ABC):
    """Co-attention with the published settings; tokens of another width than its own pass one dense layer before."""

    interaction, symmetric = True, True

    def _make(self, generator: torch.Generator) -> None:
        self.count = self.tokens if self.needs_tokens else 1
        check_whole("tokens", self.count, 1)
        if self.read % self.count:
            raise ValueError(
                f"tokens must divide the size of a tap (got tokens={self.count} and a size of {self.read})."
            )
        size = self.read // self.count
        self.enter = None if size == self.width else dense(self.pairs, size, self.width, generator)
        self.joint = StackedCoAttention(self.pairs, self.width, default_heads(self.width), generator)

    def entered(self, values: Float[Tensor, "pair batch read"]) -> Float[Tensor, "pair batch token width"]:
        """The tokens of a tap, of the width of the attention; both taps pass the same layer."""
        tokens = values.reshape(self.pairs, -1, self.read // self.count)
        tokens = tokens if self.enter is None else self.enter(tokens)
        return tokens.view(self.pairs, -1, self.count, self.width)


class CoAttend(Attentive):
    """Co-attention of the tokens of the two (`plait.skew.coattention.CoAttention`)."""

    needs_tokens = True

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        joint: Tensor = self.joint(self.entered(a), self.entered(b))
        return joint


class VectorCoAttend(Attentive):
    """Co-attention of two vectors, each a sequence of one token: attention is an affine map, the rest is as it was."""

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        joint: Tensor = self.joint(self.entered(a), self.entered(b))
        return joint


class LegacyCoAttend(Attentive):
    """Co-attention that reads the samples of a batch as the tokens of one sequence, as the published code does.

    What it gives for a sample depends on the other samples of its batch, on their number and, where classes follow
    each other, on their labels. It is here to reproduce that, and for nothing else.

    Args:
        pairs: Number of pairs.
        read: Size of the vectors that are joined.
        width: Size of the joint vector.
        generator: Source of the initial weights.
        tokens: Not looked at.
        batch_dependent_allowed: Must be True.

    Raises:
        ValueError: If it is not.
    """

    batch_dependent = True

    def __init__(
        self,
        pairs: int,
        read: int,
        width: int,
        generator: torch.Generator,
        *,
        tokens: int = 1,
        batch_dependent_allowed: bool = False,
    ) -> None:
        if not batch_dependent_allowed:
            raise ValueError(
                "With 'coattn_legacy' the outputs for a sample depend on the other samples of its batch. Use 'coattn' "
                "or 'coattn_vec', or pass batch_dependent_allowed=True to reproduce the published code."
            )
        super().__init__(pairs, read, width, generator, tokens=tokens)

    def forward(
        self, a: Float[Tensor, "pair batch read"], b: Float[Tensor, "pair batch read"]
    ) -> Float[Tensor, "pair batch width"]:
        first, second = (self.entered(values).transpose(1, 2) for values in (a, b))
        joint: Tensor = (self.joint.read(first, second) + self.joint.read(second, first)) / 2
        return joint[:, 0]


OPERATORS: Mapping[str, type[StackedOperator]] = MappingProxyType(
    {
        "concat": Concat,
        "sum": Sum,
        "mlp": Perceptron,
        "gated": Gated,
        "bilinear": Bilinear,
        "outer": Outer,
        "film": Film,
        "coattn": CoAttend,
        "coattn_vec": VectorCoAttend,
    }
)
"""Trained operators by name."""
LEGACY: Mapping[str, type[LegacyCoAttend]] = MappingProxyType({"coattn_legacy": LegacyCoAttend})
"""Operators that only reproduce published code, by name; they must be asked for with `batch_dependent_allowed=True`."""
