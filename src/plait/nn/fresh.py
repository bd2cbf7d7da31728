"""Modules with fresh weights that torch draws, from a generator of our own."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

Built = TypeVar("Built", bound=nn.Module)


def fresh(build: Callable[[], Built], generator: torch.Generator) -> Built:
    """What `build` makes, with torch's global generator seeded from this one within, and restored after."""
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()
