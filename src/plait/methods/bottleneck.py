"""Bottleneck fusion: a few latents read all modalities."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from plait.data.settings import check_heads, check_real, check_whole, layer_widths
from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.methods.network import NetworkFusion
from plait.nn.attention import AttentionBlock, Norm
from plait.nn.copies import Copies
from plait.nn.encodings import Head
from plait.nn.layers import uniform
from plait.nn.tokens import Tokens


class BottleneckNet(Copies):
    """Latents that attend to all tokens and to each other, their mean, then a head.

    Args:
        spec: Shapes, outputs and task.
        method: Hyperparameters.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, method: "BottleneckFusion", generator: torch.Generator) -> None:
        super().__init__(spec)
        width, units = method.width, self.units
        self.tokens = Tokens(spec, width, method.tokens, units, generator)
        self.latents = nn.Parameter(uniform((units, method.latents, width), width, generator))
        sizes = (units, width, method.heads, generator, method.dropout)
        self.readers = nn.ModuleList(AttentionBlock(*sizes) for _ in range(method.layers))
        self.mixers = nn.ModuleList(AttentionBlock(*sizes) for _ in range(method.layers))
        self.norm = Norm(units, width)
        self.head = Head(units, (width, *method.hidden, spec.outputs), generator, method.dropout)

    def forward(self, features: Features, present: Present) -> Output:
        tokens, here = self.tokens(features, present)
        latents = self.latents[:, None].expand(-1, len(here), -1, -1)
        allowed = here[:, None].expand(-1, latents.shape[2], -1)
        for read, mix in zip(self.readers, self.mixers, strict=True):
            latents = mix(read(latents, tokens, allowed))
        output: Tensor = self.head(self.norm(latents).mean(2))
        return output


@dataclass(repr=False, eq=False)
class BottleneckFusion(NetworkFusion):
    """A few learned latents read the tokens of all modalities and then each other; their mean is predicted from.

    After Jaegle et al., "Perceiver: General Perception with Iterative Attention" (2021): latents attend to all inputs,
    then to themselves, turn by turn. That what one modality tells must pass few latents to meet the others is from
    Nagrani et al., "Attention Bottlenecks for Multimodal Fusion" (2021). Simpler here: modalities become few tokens
    first (the Perceiver reads raw inputs with Fourier features), there is one layer of self-attention a turn, with
    weights of its own, and modalities have no transformers of their own beside the bottleneck.

    Tokens of absent modalities are not read.

    Args:
        width: Size of a token and of a latent; a multiple of `heads`.
        latents: Number of latents, at least 1; fewer are a narrower bottleneck.
        heads: Heads of attention, at least 1.
        tokens: Tokens of a modality that is a vector (or has an encoder of the user), at least 1; a series has up to
            32 and an image up to 64, whatever this says.
        layers: Turns of reading and mixing, at least 1.
        hidden: Widths of the hidden layers of the network on the mean; () is linear.
        dropout: Share of hidden units dropped in training, in [0, 1).
    """

    width: int = 32
    latents: int = 8
    heads: int = 4
    tokens: int = 4
    layers: int = 2
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.2

    def network(self, spec: DataSpec, generator: torch.Generator) -> BottleneckNet:
        """The copies of the network.

        Raises:
            ValueError: If a hyperparameter is out of its range.
        """
        for name in ("width", "latents", "heads", "tokens", "layers"):
            check_whole(name, getattr(self, name), 1)
        check_heads(self.width, self.heads)
        check_real("dropout", self.dropout, 0.0, 1.0)
        layer_widths("hidden", self.hidden)
        return BottleneckNet(spec, self, generator)
