"""The optimiser: one fused step for all units; with a step count of its own for each unit where they differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from torch.optim import AdamW

from plait.nn.module import FusionModule


@dataclass(frozen=True)
class Moments:
    """An optimiser's memory at the best epoch of every unit.

    Args:
        first: Running mean of the gradient, by parameter.
        second: Running mean of the squared gradient, by parameter.
        steps: Optimiser steps that each unit had taken.
    """

    first: Mapping[str, Tensor]
    second: Mapping[str, Tensor]
    steps: Int[Tensor, " unit"]


def stacked_optimiser(module: FusionModule, learning_rate: float, weight_decay: float) -> AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019), one fused step for all parameters."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return AdamW(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)


def moment_tensors(module: FusionModule, optimiser: AdamW) -> dict[str, Tensor]:
    """The optimiser's running means under the parameter's name and "/first" or "/second"; zeros before a step."""
    found = {}
    for name, parameter in module.named_parameters():
        state = optimiser.state[parameter]
        if not state:
            state["step"] = torch.zeros((), device=parameter.device)
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        found[f"{name}/first"], found[f"{name}/second"] = state["exp_avg"], state["exp_avg_sq"]
    return found


class _OnViews(AdamW):
    """Adam on views of parameters: gradients are zeroed, not let go, since the views share their storage."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none=False)


def unit_optimiser(module: FusionModule, moments: Moments, learning_rate: float, weight_decay: float) -> AdamW:
    """The same optimiser on views of every unit's rows, each with the memory and the step count given for it."""
    owners, views, states = module.owners(), [], []
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        parameter.grad = torch.zeros_like(parameter)
        owner = torch.as_tensor(owners[name])
        rows: Iterable[Any] = [...] if owner.ndim == 0 else range(len(parameter))
        for row, unit in zip(rows, owner.reshape(-1).tolist(), strict=True):
            view = parameter.detach()[row]
            view.grad = parameter.grad[row]
            views.append(view)
            steps = moments.steps[unit].to(torch.float32).clone()
            memory = {"exp_avg": moments.first[name][row].clone(), "exp_avg_sq": moments.second[name][row].clone()}
            states.append({"step": steps, **memory})
    optimiser = _OnViews(views, lr=learning_rate, weight_decay=weight_decay, fused=True)
    for view, state in zip(views, states, strict=True):
        optimiser.state[view].update(state)
    return optimiser
