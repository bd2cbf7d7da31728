"""A small pre-norm transformer over the tokens of one modality."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import dropout1d, scaled_dot_product_attention

from plait.data.settings import check_heads

_WIDER = 2  # the hidden layer of the perceptron, by the width


class SharedDropout(nn.Module):
    """Dropout with one draw for all tokens of a sample (after Gal & Ghahramani, 2016): fewer random numbers.

    Args:
        share: Share of the features of a sample set to zero in training, in [0, 1); the others are scaled up to keep
            the mean.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, tokens: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The tokens, in training without some features."""
        return dropout1d(tokens.mT, self.share, self.training).mT


class TransformerLayer(nn.Module):
    """Self-attention, then a perceptron on every token (Vaswani et al., 2017), normalised before (Xiong et al., 2020).

    Args:
        width: Size of a token; a multiple of `heads`.
        heads: Number of heads.
        dropout: Share of the perceptron's hidden units, and of what either part adds, dropped in training, in [0, 1);
            the attention weights keep theirs.
    """

    def __init__(self, width: int, heads: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        check_heads(width, heads)
        self.heads = heads
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.read, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dropout = SharedDropout(dropout)
        hidden = nn.Linear(width, _WIDER * width)
        self.perceptron = nn.Sequential(hidden, nn.GELU(), self.dropout, nn.Linear(_WIDER * width, width))

    def forward(self, tokens: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """The tokens after they have read each other."""
        tokens = tokens + self.dropout(self._attended(self.before(tokens)))
        changed: Tensor = self.dropout(self.perceptron(self.after(tokens)))
        return tokens + changed

    def _attended(self, tokens: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch token width"]:
        """What every token reads from all of them."""
        split = self.read(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        found = scaled_dot_product_attention(*split.unbind(0))
        attended: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return attended


class Transformer(nn.Sequential):
    """Layers of a transformer with a normalisation at the end; without layers it does nothing.

    Args:
        width: Size of a token; a multiple of `heads` if there are layers.
        layers: Number of layers, at least 0.
        heads: Number of heads.
        dropout: Share dropped in training, in [0, 1).
    """

    def __init__(self, width: int, layers: int, heads: int = 4, dropout: float = 0.1) -> None:
        stack: list[nn.Module] = [TransformerLayer(width, heads, dropout) for _ in range(layers)]
        super().__init__(*stack, *([nn.LayerNorm(width)] if stack else []))
