"""Copies of a network that has no stacked form: one plain module a copy, evaluated one after the other."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import nn

from plait.data.shapes import Features, Output, Present
from plait.data.spec import DataSpec
from plait.nn.copies import Copies
from plait.nn.fresh import fresh
from plait.nn.layers import Rows


class SeparateCopies(Copies):
    """Independent plain modules, each with its own weights; each maps features and presence to (batch, out).

    Args:
        spec: Shapes, outputs, task and number of folds.
        build: Makes one module with fresh weights from torch's global generator.
        generator: Source of the initial weights.
    """

    def __init__(self, spec: DataSpec, build: Callable[[DataSpec], nn.Module], generator: torch.Generator) -> None:
        super().__init__(spec)
        self.each = nn.ModuleList(fresh(partial(build, spec), generator) for _ in range(self.units))

    def forward(self, features: Features, present: Present) -> Output:
        return torch.stack([module(features, present) for module in self.each])

    def owners(self) -> Mapping[str, Rows | int]:
        """Everything of a copy belongs to its unit."""
        return {name: int(name.split(".")[1]) for name in self.state_dict()}
