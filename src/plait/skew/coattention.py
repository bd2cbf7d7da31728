"""Co-attention: two sequences read each other through one shared attention, and become one vector."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from plait.data.settings import check_heads, check_real, check_whole
from plait.nn.attention import Attention, Norm
from plait.nn.layers import StackedMLP

WIDER, DROPOUT = 4, 0.1
_HEADS = 8


class StackedCoAttention(nn.Module):
    """Co-attention of several independent copies; the formulas are those of `CoAttention`.

    Args:
        units: Number of copies.
        width: Size of the tokens; a multiple of `heads`.
        heads: Number of heads.
        generator: Source of the initial weights.
        wider: Hidden units of the feed-forward part, by the width.
        dropout: Share of what is added that is dropped in training, in [0, 1); there is one draw for all copies.
    """

    def __init__(
        self,
        units: int,
        width: int,
        heads: int,
        generator: torch.Generator,
        wider: int = WIDER,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.attention = Attention(units, width, heads, generator)
        self.perceptron = StackedMLP.initial(torch.arange(units), (width, wider * width, width), generator, dropout)
        self.norms = nn.ModuleList(Norm(units, width) for _ in range(2))

    def forward(
        self,
        a: Float[Tensor, "unit batch first width"],
        b: Float[Tensor, "unit batch second width"],
        a_here: Bool[Tensor, "batch first"] | None = None,
        b_here: Bool[Tensor, "batch second"] | None = None,
    ) -> Float[Tensor, "unit batch width"]:
        """The mean of both means; None: all tokens are there."""
        a, b = without_padding(a, a_here), without_padding(b, b_here)
        return (mean(self.read(a, b, b_here), a_here) + mean(self.read(b, a, a_here), b_here)) / 2

    def read(
        self,
        tokens: Float[Tensor, "unit batch query width"],
        sources: Float[Tensor, "unit batch key width"],
        here: Bool[Tensor, "batch key"] | None = None,
    ) -> Float[Tensor, "unit batch query width"]:
        """The tokens after they have read the sources that are there: attention, then the feed-forward part."""
        first, second = self.norms
        read = self._single(sources) if sources.shape[2] == 1 else self._many(tokens, sources, here)
        tokens = first(tokens + self._dropped(read.expand_as(tokens)))
        changed = self.perceptron(tokens.flatten(1, 2)).view_as(tokens)
        found: Tensor = second(tokens + self._dropped(changed))
        return found

    def _single(self, sources: Float[Tensor, "unit batch 1 width"]) -> Float[Tensor, "unit batch 1 width"]:
        """What attention reads from one token, whatever asks: a softmax over one key is 1, an affine map is left."""
        _, values = self.attention.memory(sources[:, :, 0]).chunk(2, -1)
        read: Tensor = self.attention.out(values)
        return read[:, :, None]

    def _many(
        self,
        tokens: Float[Tensor, "unit batch query width"],
        sources: Float[Tensor, "unit batch key width"],
        here: Bool[Tensor, "batch key"] | None,
    ) -> Float[Tensor, "unit batch query width"]:
        """What attention reads from several tokens."""
        allowed = None if here is None else here[:, None].expand(-1, tokens.shape[2], -1)
        read: Tensor = self.attention(tokens, sources, allowed)
        return read

    def _dropped(self, values: Float[Tensor, "unit batch token width"]) -> Float[Tensor, "unit batch token width"]:
        if not self.training or not self.dropout:
            return values
        kept = torch.rand(values.shape[1:], device=values.device, dtype=values.dtype) >= self.dropout
        return values * (kept / (1 - self.dropout))


class CoAttention(nn.Module):
    """Two sequences read each other through one shared attention, and become one vector (after Hu et al., 2024).

        x0 = LN1(a + drop(MHA(q=a, k=b, v=b)))      x = LN2(x0 + drop(W2 drop(ReLU(W1 x0))))
        y0 = LN1(b + drop(MHA(q=b, k=a, v=a)))      y = LN2(y0 + drop(W2 drop(ReLU(W1 y0))))
        output = (mean of x over its tokens + mean of y over its tokens) / 2

    All weights are shared by the two directions, so that f(a, b) = f(b, a) exactly. The published code hands the
    samples of a batch to the attention as if they were the tokens of one sequence; here a sequence is the tokens of
    one sample, and samples do not influence each other: a reconstruction. For vectors, which are sequences of one
    token, attention is an affine map of that token.

    Args:
        width: Size of the tokens and of the output, at least 1.
        heads: Number of heads, a divisor of the width; None is the largest one up to 8.
        wider: Hidden units of the feed-forward part, by the width, at least 1.
        dropout: Share of what is added that is dropped in training, in [0, 1).
        generator: Source of the initial weights; None is torch's own.

    Raises:
        ValueError: If a setting is out of range.
    """

    def __init__(
        self,
        width: int,
        heads: int | None = None,
        wider: int = WIDER,
        dropout: float = DROPOUT,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_whole("width", width, 1)
        heads = default_heads(width) if heads is None else heads
        for name, value in {"heads": heads, "wider": wider}.items():
            check_whole(name, value, 1)
        check_heads(width, heads)
        check_real("dropout", dropout, 0.0, 1.0)
        self.width = width
        source = torch.default_generator if generator is None else generator
        self.joint = StackedCoAttention(1, width, heads, source, wider, dropout)

    def forward(
        self,
        a: Float[Tensor, "batch first width"] | Float[Tensor, "batch width"],
        b: Float[Tensor, "batch second width"] | Float[Tensor, "batch width"],
        a_here: Bool[Tensor, "batch first"] | None = None,
        b_here: Bool[Tensor, "batch second"] | None = None,
    ) -> Float[Tensor, "batch width"]:
        """The joint vectors.

        Args:
            a: Tokens, or vectors, of one modality.
            b: Those of the other; the numbers of tokens may differ.
            a_here: Which tokens of `a` are there; the others are padding of whatever content. None is all.
            b_here: Which tokens of `b` are there.

        Raises:
            ValueError: If a sample has no token that is there.
        """
        for name, here in {"a": a_here, "b": b_here}.items():
            _check_some(name, here)
        first, second = (values if values.ndim == 3 else values[:, None] for values in (a, b))
        joint: Tensor = self.joint(first[None], second[None], a_here, b_here)
        return joint[0]


def default_heads(width: int) -> int:
    """The largest number of heads up to 8 that divides the width."""
    return next(heads for heads in range(_HEADS, 0, -1) if width % heads == 0)


def without_padding(
    tokens: Float[Tensor, "unit batch token width"], here: Bool[Tensor, "batch token"] | None
) -> Float[Tensor, "unit batch token width"]:
    """The tokens, with zeros where none is there (whatever was there: NaN times 0 is NaN)."""
    return tokens if here is None else tokens.masked_fill(~here[..., None], 0)


def mean(
    tokens: Float[Tensor, "unit batch token width"], here: Bool[Tensor, "batch token"] | None
) -> Float[Tensor, "unit batch width"]:
    """Mean of the tokens that are there."""
    if here is None:
        return tokens.mean(2)
    share = here.to(tokens.dtype) / here.sum(1, keepdim=True)
    return torch.einsum("ubtw,bt->ubw", tokens, share)


def _check_some(name: str, here: Bool[Tensor, "batch token"] | None) -> None:
    """Raise ValueError if a sample has no token."""
    if here is not None and not here.any(1).all():
        row = int((~here.any(1)).nonzero()[0])
        raise ValueError(
            f"Row {row} of {name} has no token that is there: all is padding, and nothing can be read. Leave such "
            "samples out."
        )
