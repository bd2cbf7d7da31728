"""Local guidance: every token of the target is displaced by what it reads from the guides' tokens."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from plait.nn.step_fusion.settings import StepSettings
from plait.nn.step_fusion.starting import Start


class LocalDisplacement(nn.Module):
    """Multi-head cross-attention; zero at start.

    Keys have no bias, for the softmax does not see it. Dropout of the attention weights is drawn once for all tokens of
    the target in a sample and head: each of them sees what it would see with draws of its own, and the weights need
    not be held in memory.

    Args:
        settings: Options of the block.
        start: Source of the initial weights.
    """

    def __init__(self, settings: StepSettings, start: Start) -> None:
        super().__init__()
        width = settings.width
        self.heads, self.share = settings.heads, settings.dropout
        self.norm_target, self.norm_guides = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query = start.linear(width, width)
        self.memory = start.linear(width, 2 * width, bias=False)  # keys, then values
        self.value_bias = nn.Parameter(start.linear(width, width).bias.detach())
        self.out = start.head(width, width)
        self.dropout = _Dropout(settings.dropout)

    def forward(
        self,
        tokens: Float[Tensor, "batch token width"],
        sources: Float[Tensor, "batch source width"],
        readable: Bool[Tensor, "batch 1 1 source"] | None = None,
        alone: Bool[Tensor, "batch 1"] | None = None,
    ) -> Float[Tensor, "batch token width"]:
        """The displacements.

        Args:
            tokens: The target's tokens.
            sources: The guides' tokens, one modality after the other.
            readable: Which of them may be read, at least one in each sample; None is all.
            alone: Samples without guides, whose displacement is zero; None is no sample.
        """
        query = self._split(self.query(self.norm_target(tokens)))
        bias = torch.cat([torch.zeros_like(self.value_bias), self.value_bias])
        key, value = linear(self.norm_guides(sources), self.memory.weight, bias).chunk(2, -1)
        value = self._split(value)
        if self.training and self.share:
            value = value * _kept(value[..., :1], self.share)
        read = scaled_dot_product_attention(query, self._split(key), value, attn_mask=readable)
        found: Tensor = self.dropout(self.out(read.transpose(1, 2).flatten(2)))
        return found if alone is None else found.masked_fill(alone[..., None], 0)

    def _split(self, values: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch head token part"]:
        """The heads apart."""
        return values.view(*values.shape[:2], self.heads, values.shape[2] // self.heads).transpose(1, 2)


class _Dropout(nn.Dropout):
    """Dropout; on a processor from many numbers drawn at once, where torch's own draws one after the other."""

    def forward(self, values: Tensor) -> Tensor:
        if self.training and self.p and values.device.type == "cpu":
            return values * _kept(values, self.p)
        return super().forward(values)


def _kept(values: Float[Tensor, "*shape"], share: float) -> Float[Tensor, "*shape"]:
    """A factor for each value: 0 for a share of them, 1 / (1 - share) for the others."""
    drawn = torch.rand(values.shape, device=values.device)
    return drawn.ge_(share).div_(1 - share).to(values.dtype)
