"""Initial weights: drawn from one source, or zero where a step must start as doing nothing."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Start:
    """Where the weights of a block come from.

    Args:
        generator: Source of all draws; None is torch's own.
        scale: Standard deviation of what starts at zero otherwise, >= 0; 0 is zero exactly.
    """

    generator: torch.Generator | None
    scale: float

    def linear(self, inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
        """A dense layer with torch's initial law, U(-1/sqrt(inputs), 1/sqrt(inputs))."""
        layer = _undrawn(inputs, outputs, bias=bias)
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -(inputs**-0.5), inputs**-0.5, generator=self.generator)
        return layer

    def head(self, inputs: int, outputs: int) -> nn.Linear:
        """A dense layer that starts at zero."""
        layer = _undrawn(inputs, outputs, bias=True)
        for parameter in layer.parameters():
            self._zero(parameter)
        return layer

    def parameter(self, *shape: int) -> nn.Parameter:
        """Weights that start at zero."""
        found = nn.Parameter(torch.empty(shape))
        self._zero(found)
        return found

    def _zero(self, parameter: nn.Parameter) -> None:
        """The limit 0 of the scale draws nothing."""
        if self.scale:
            nn.init.normal_(parameter, 0.0, self.scale, generator=self.generator)
        else:
            nn.init.zeros_(parameter)


def _undrawn(inputs: int, outputs: int, *, bias: bool) -> nn.Linear:
    """A layer that took nothing from torch's own source of random numbers."""
    return nn.Linear(inputs, outputs, bias=bias, device="meta").to_empty(device="cpu")
