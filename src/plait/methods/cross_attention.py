"""Cross-attention fusion: the tokens of every modality read those of the others."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from plait.data.settings import check_heads, check_real, check_whole, layer_widths
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.methods.network import NetworkFusion
from plait.nn.attention import AttentionBlock, Norm
from plait.nn.copies import Copies
from plait.nn.encodings import Head
from plait.nn.tokens import Tokens, modality_mean


class CrossAttentionNet(Copies):
    """Tokens that attend to the tokens of other modalities, their mean, then a head.

    Args:
        spec: Shapes, outputs and task.
        method: Hyperparameters.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, method: "CrossAttentionFusion", generator: torch.Generator) -> None:
        super().__init__(spec)
        width, units = method.width, self.units
        self.tokens = Tokens(spec, width, method.tokens, units, generator)
        sizes = (units, width, method.heads, generator, method.dropout)
        self.blocks = nn.ModuleList(AttentionBlock(*sizes) for _ in range(method.layers))
        self.norm = Norm(units, width)
        self.head = Head(units, (width, *method.hidden, spec.outputs), generator, method.dropout)

    def others(self, here: Bool[Tensor, "batch token"]) -> Bool[Tensor, "batch token token"]:
        """Which tokens (last axis) each token may see: those of other modalities that are there."""
        places = self.tokens.places
        return (places[:, None] != places) & here[:, None]

    def forward(self, features: Features, present: Present) -> Output:
        tokens, here = self.tokens(features, present)
        read, allowed = tokens, self.others(here)
        for block in self.blocks:
            read = block(read, tokens, allowed)
        output: Tensor = self.head(modality_mean(self.norm(read), here, self.tokens.places))
        return output


@dataclass(repr=False, eq=False)
class CrossAttentionFusion(NetworkFusion):
    """The tokens of every modality read the tokens of all others, and the mean of what they become is predicted from.

    After Tsai et al., "Multimodal Transformer for Unaligned Multimodal Language Sequences" (2019). From there: a
    modality is the query, another one source of keys and values, and every layer reads the source's first tokens.
    Simpler here: all pairs of modalities share their weights (a learned mark tells modalities apart), a modality reads
    all others in one attention, and the tokens are averaged, by modality and then over the modalities, where the paper
    attends to them once more and takes the last.

    Tokens of absent modalities are neither read nor averaged. A modality alone keeps its own tokens.

    Args:
        width: Size of a token; a multiple of `heads`.
        heads: Heads of attention, at least 1.
        tokens: Tokens of a modality that is a vector (or has an encoder of the user), at least 1; a series has up to
            32 and an image up to 64, whatever this says.
        layers: Turns of reading, at least 0; 0 is the mean of the tokens.
        hidden: Widths of the hidden layers of the network on the mean; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    width: int = 32
    heads: int = 4
    tokens: int = 4
    layers: int = 1
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.2

    def network(self, spec: DataSpec, generator: torch.Generator) -> CrossAttentionNet:
        """The copies of the network.

        Raises:
            ValueError: If a hyperparameter is out of its range.
        """
        for name, least in {"width": 1, "heads": 1, "tokens": 1, "layers": 0}.items():
            check_whole(name, getattr(self, name), least)
        check_heads(self.width, self.heads)
        check_real("dropout", self.dropout, 0.0, 1.0)
        layer_widths("hidden", self.hidden)
        return CrossAttentionNet(spec, self, generator)
