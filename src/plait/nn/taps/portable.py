"""Models of Hugging Face on their way to another process."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Portable:
    """What a model is made anew of.

    transformers gives hidden states of those classes alone of which a model was made in the same process, and watches
    layers by functions that cannot be pickled, from the first time on that it does. So it is not the model that
    travels.

    Args:
        kind: Class of the model.
        config: Its configuration.
        tensors: Parameters and buffers by name, those that are never saved too.
        training: Training flag of every part.
    """

    kind: type[nn.Module]
    config: Any
    tensors: dict[str, Tensor]
    training: list[bool]

    def made(self) -> nn.Module:
        """The model; nothing random is drawn."""
        model = _hollow(self.kind, self.config)
        for name, tensor in self.tensors.items():
            path, _, own = name.rpartition(".")
            setattr(model.get_submodule(path), own, tensor)
        for part, flag in zip(model.modules(), self.training, strict=True):
            part.training = flag
        return model


def portable(model: nn.Module) -> Portable | nn.Module:
    """What a model is made anew of; of one that is not as its class makes it of its configuration, the model itself.

    Args:
        model: Any network.
    """
    kind: Any = type(model)
    told = getattr(kind, "config_class", None)
    if told is None or not isinstance(model.config, told):
        return model
    hollow = _hollow(kind, model.config)
    if [type(part) for part in hollow.modules()] != [type(part) for part in model.modules()]:
        return model
    tensors = dict(_named(model))
    flags = [part.training for part in model.modules()]
    return Portable(kind, model.config, tensors, flags) if set(tensors) == set(dict(_named(hollow))) else model


def _hollow(kind: type[nn.Module], config: Any) -> nn.Module:
    """A model without numbers."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return kind(config)


def _named(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return chain(model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False))
