"""Attention of many networks at once: stacked parameters, one call for all copies and heads."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm, scaled_dot_product_attention

from plait.nn.encodings import stacked_linear
from plait.nn.layers import StackedMLP

_WIDER = 2  # the hidden layer after attention, by the width


class Norm(nn.Module):
    """Layer normalisation of every copy, with scales and shifts of its own.

    Args:
        units: Number of independent copies.
        width: Size of what is normalised.
    """

    def __init__(self, units: int, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(units, width))
        self.shift = nn.Parameter(torch.zeros(units, width))

    def forward(self, values: Float[Tensor, "unit *batch width"]) -> Float[Tensor, "unit *batch width"]:
        """Values of mean 0 and standard deviation 1 along the last axis, scaled and shifted."""
        axes = (len(values), *[1] * (values.ndim - 2), values.shape[-1])
        normal = layer_norm(values, values.shape[-1:])
        return torch.addcmul(self.shift.view(axes), normal, self.scale.view(axes))


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al., 2017) of every copy.

    Args:
        units: Number of independent copies.
        width: Size of the tokens; a multiple of `heads`.
        heads: Number of heads.
        generator: Source of the initial weights.
    """

    def __init__(self, units: int, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        self.query = stacked_linear(units, width, width, generator)
        self.memory = stacked_linear(units, width, 2 * width, generator)  # keys, then values
        self.out = stacked_linear(units, width, width, generator)

    def forward(
        self,
        queries: Float[Tensor, "unit batch query width"],
        sources: Float[Tensor, "unit batch key width"],
        allowed: Bool[Tensor, "batch query key"] | None = None,
    ) -> Float[Tensor, "unit batch query width"]:
        """What each query reads from the sources that it may see (None: all); zeros where it may see none."""
        units, batch, count, width = queries.shape
        query = self._split(self.query(queries.flatten(1, 2)), units * batch)
        keys, values = (self._split(part, units * batch) for part in self.memory(sources.flatten(1, 2)).chunk(2, -1))
        mask = None if allowed is None else seen_somewhere(allowed).repeat(units, 1, 1)[:, None]
        read = scaled_dot_product_attention(query, keys, values, attn_mask=mask)
        found: Tensor = self.out(read.transpose(1, 2).reshape(units, batch * count, width))
        found = found.view(units, batch, count, width)
        return found if allowed is None else found.where(allowed.any(2, keepdim=True), 0)

    def _split(
        self, values: Float[Tensor, "unit rows width"], sequences: int
    ) -> Float[Tensor, "sequence head token part"]:
        """One sequence for each copy and sample, its heads apart."""
        return values.reshape(sequences, -1, self.heads, values.shape[-1] // self.heads).transpose(1, 2)


def seen_somewhere(allowed: Bool[Tensor, "batch query key"]) -> Bool[Tensor, "batch query key"]:
    """The same, but a query that may see nothing sees everything: a softmax over nothing is NaN."""
    return allowed | ~allowed.any(2, keepdim=True)


class AttentionBlock(nn.Module):
    """Attention, then a perceptron on every token; both read normalised values and are added to what was there.

    Args:
        units: Number of independent copies.
        width: Size of the tokens; a multiple of `heads`.
        heads: Number of heads.
        generator: Source of the initial weights.
        dropout: Share of the perceptron's hidden units dropped in training, in [0, 1).
    """

    def __init__(self, units: int, width: int, heads: int, generator: torch.Generator, dropout: float = 0.0) -> None:
        super().__init__()
        self.norms = nn.ModuleList(Norm(units, width) for _ in range(3))
        self.attention = Attention(units, width, heads, generator)
        sizes = (width, _WIDER * width, width)
        self.perceptron = StackedMLP.initial(torch.arange(units), sizes, generator, dropout)

    def forward(
        self,
        tokens: Float[Tensor, "unit batch query width"],
        sources: Float[Tensor, "unit batch key width"] | None = None,
        allowed: Bool[Tensor, "batch query key"] | None = None,
    ) -> Float[Tensor, "unit batch query width"]:
        """The tokens after they have read the sources (None: each other) that they may see."""
        before, of_sources, after = self.norms
        tokens = tokens + self.attention(before(tokens), of_sources(tokens if sources is None else sources), allowed)
        changed: Tensor = self.perceptron(after(tokens).flatten(1, 2))
        return tokens + changed.view_as(tokens)
