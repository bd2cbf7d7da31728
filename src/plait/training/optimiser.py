"""The optimiser: one fused step for all units; with a step count of its own for each unit where they differ."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.optim.adamw import adamw

from plait.nn.module import FusionModule

_FIRST, _SECOND, _LEAST = 0.9, 0.999, 1e-8  # decay of the running means, and what is added to a root


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


class Adam:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019), one fused step for all parameters.

    It is torch's own step. (Torch's class for it loads torch's compiler, two seconds, when a process makes the first.)

    Args:
        parameters: What is optimised.
        learning_rate: Step size, > 0.
        weight_decay: Decoupled weight decay, >= 0.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float) -> None:
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.parameters = list(parameters)
        self.state: dict[nn.Parameter, dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        values, slopes, first, second, steps = map(list, zip(*self._parts(), strict=True))
        adamw(
            *(values, slopes, first, second, [], steps),
            fused=True,
            amsgrad=False,
            beta1=_FIRST,
            beta2=_SECOND,
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            eps=_LEAST,
            maximize=False,
        )

    def zero_grad(self) -> None:
        """Let the gradients go."""
        for parameter in self.parameters:
            parameter.grad = None

    def memory(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """Running means ("exp_avg", "exp_avg_sq") and step count ("step") of a parameter.

        They are made when they are first asked for, as a rule at the first step, when the gradients are there: below
        lasting memory the C library keeps that of the gradients for the next step (see `hold_freed_memory`).
        """
        if parameter not in self.state:
            means = {name: torch.zeros_like(parameter, requires_grad=False) for name in ("exp_avg", "exp_avg_sq")}
            self.state[parameter] = {**means, "step": torch.zeros((), device=parameter.device)}
        return self.state[parameter]

    def _parts(self) -> Iterator[tuple[Tensor, ...]]:
        """Value, gradient, both running means and step count: of parameters, or of each row that has its own count."""
        for parameter in self.parameters:
            if parameter.grad is not None:
                memory = self.memory(parameter)
                whole = (parameter.detach(), parameter.grad, *memory.values())
                yield from zip(*whole, strict=True) if memory["step"].ndim else (whole,)


def stacked_optimiser(module: FusionModule, learning_rate: float, weight_decay: float) -> Adam:
    """The optimiser of everything that the module trains, with one step count for all."""
    parameters = (parameter for parameter in module.parameters() if parameter.requires_grad)
    return Adam(parameters, learning_rate, weight_decay)


def moment_tensors(module: FusionModule, optimiser: Adam) -> dict[str, Tensor]:
    """The optimiser's running means under the parameter's name and "/first" or "/second"; zeros before a step."""
    found = {}
    for name, parameter in module.named_parameters():
        memory = optimiser.memory(parameter)
        found[f"{name}/first"], found[f"{name}/second"] = memory["exp_avg"], memory["exp_avg_sq"]
    return found


def unit_optimiser(module: FusionModule, moments: Moments, learning_rate: float, weight_decay: float) -> Adam:
    """The same optimiser with the memory and the step count that are given for every unit."""
    optimiser, owners = stacked_optimiser(module, learning_rate, weight_decay), module.owners()
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            memory, owner = optimiser.memory(parameter), torch.as_tensor(owners[name])
            memory["exp_avg"].copy_(moments.first[name])
            memory["exp_avg_sq"].copy_(moments.second[name])
            memory["step"] = moments.steps[owner].to(memory["step"], copy=True)
    return optimiser
