"""Layers of many networks at once: stacked parameters, one batched product for all copies."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Rows = Int[Tensor, "_"]


class Stacked(nn.Module, ABC):
    """The parameters of one layer in several independent copies."""

    @abstractmethod
    def forward(self, inputs: Float[Tensor, "..."]) -> Float[Tensor, "copy batch out"]:
        """Outputs of all copies."""

    @abstractmethod
    def copy_rows(self, source: "Stacked", rows: Rows, to: Rows) -> None:
        """Overwrite the copies at `to` by the copies at `rows` of a layer of the same kind."""

    @abstractmethod
    def owners(self, units: Rows) -> Mapping[str, Rows | int]:
        """The unit of each row of a parameter or buffer, by name, if copy i belongs to units[i]."""


def uniform(shape: Sequence[int], fan_in: Tensor | int, generator: torch.Generator) -> Tensor:
    """Draws from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the initial law of torch's dense layers."""
    return (torch.rand(tuple(shape), generator=generator) * 2 - 1) / torch.as_tensor(fan_in).clamp(min=1).sqrt()


class StackedLinear(Stacked):
    """Independent dense layers of one shape.

    Args:
        weight: Initial weights.
        bias: Initial biases; None is no bias.
    """

    def __init__(self, weight: Float[Tensor, "copy width out"], bias: Float[Tensor, "copy out"] | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)

    def forward(self, inputs: Float[Tensor, "*copy batch width"]) -> Float[Tensor, "copies batch out"]:
        """Outputs of all copies; inputs without the leading axis are shared by all of them."""
        stacked = inputs.expand(len(self.weight), -1, -1)
        if self.bias is None:
            return torch.bmm(stacked, self.weight)
        return torch.baddbmm(self.bias[:, None], stacked, self.weight)

    def copy_rows(self, source: Stacked, rows: Rows, to: Rows) -> None:
        with torch.no_grad():
            for mine, other in zip(self.parameters(), source.parameters(), strict=True):
                mine[to] = other[rows].to(mine)

    def owners(self, units: Rows) -> Mapping[str, Rows | int]:
        return dict.fromkeys(self.state_dict(), units)


class Rectifier(nn.Module):
    """ReLU with dropout, in place: what it is given must be fresh, and is no longer needed.

    There is one draw of dropout for all copies: each drops the same units of its own, a fraction of the random
    numbers.

    Args:
        share: Share of the units set to zero in training, in [0, 1); the others are scaled up to keep the mean.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, hidden: Float[Tensor, "copy batch width"]) -> Float[Tensor, "copy batch width"]:
        if self.training and self.share > 0:
            kept = torch.rand(hidden.shape[1:], device=hidden.device, dtype=hidden.dtype) >= self.share
            hidden = hidden.mul_(kept / (1 - self.share))
        return hidden.relu_()


class StackedMLP(nn.Module):
    """Independent perceptrons of one shape: dense layers with ReLU between them, linear at the end.

    Args:
        layers: The dense layers in order.
        dropout: Share of hidden units set to zero in training, in [0, 1).
    """

    def __init__(self, layers: Sequence[StackedLinear], dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.rectifier = Rectifier(dropout)

    @classmethod
    def initial(
        cls, copies: Rows, sizes: Sequence[int], generator: torch.Generator, dropout: float = 0.0
    ) -> "StackedMLP":
        """Freshly drawn perceptrons of the given layer sizes; equal entries of `copies` start equal."""
        distinct = int(copies.max()) + 1
        layers = []
        for width, out in pairwise(sizes):
            weight = uniform((distinct, width, out), width, generator)
            bias = uniform((distinct, out), width, generator)
            layers.append(StackedLinear(weight[copies], bias[copies]))
        return cls(layers, dropout)

    def forward(self, inputs: Float[Tensor, "*copy batch width"]) -> Float[Tensor, "copies batch out"]:
        """Outputs of all copies."""
        first, *rest = self.layers
        hidden: Tensor = first(inputs)
        for layer in rest:
            hidden = layer(self.rectifier(hidden))
        return hidden


class Looped(Stacked):
    """Copies of a module that has no stacked form, evaluated one after the other.

    Args:
        modules: The copies.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        super().__init__()
        self.each = nn.ModuleList(modules)

    @classmethod
    def equal(cls, module: nn.Module, count: int) -> "Looped":
        """So many copies of the user's module, each with its weights."""
        return cls(copy.deepcopy(module) for _ in range(count))

    def forward(self, inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "copy batch out"]:
        """Outputs of all copies, flattened."""
        # Copies of the inputs: a module may begin with a step in place.
        return torch.stack([module(inputs.clone()).flatten(1) for module in self.each])

    def copy_rows(self, source: Stacked, rows: Rows, to: Rows) -> None:
        each = cast("Looped", source).each
        for row, place in zip(rows.tolist(), to.tolist(), strict=True):
            self.each[place].load_state_dict(each[row].state_dict())

    def owners(self, units: Rows) -> Mapping[str, Rows | int]:
        names = ((place, name) for place, module in enumerate(self.each) for name in module.state_dict())
        return {f"each.{place}.{name}": int(units[place]) for place, name in names}
