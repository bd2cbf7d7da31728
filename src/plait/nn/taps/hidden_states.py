"""The hidden states of a Hugging Face model as taps."""

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from itertools import chain
from typing import Any

from torch import Tensor, nn

from plait.nn.taps.base import LayeredEncoder, Tapped
from plait.nn.taps.blocks import block_paths
from plait.nn.taps.digests import module_digest
from plait.nn.taps.frozen import frozen
from plait.nn.taps.inputs import call, check_device, tokens_here
from plait.nn.taps.module_taps import ModuleTaps
from plait.nn.taps.portable import Portable, portable


class HiddenStates(LayeredEncoder):
    """What a Hugging Face model gives with `output_hidden_states=True`, without the embedding; nothing is imported.

    A dictionary's "attention_mask" says which tokens are there. A model that normalises after its last block does so
    in its last tap. A truncated encoder holds a copy of the model without the layers above, which shares the weights
    of those below. Another process gets the class, the configuration and the weights of a model of transformers, and
    makes it anew; one that was changed after it was made cannot be sent (use `ModuleTaps`, or one process).

    Args:
        model: The model, called with a tensor, a tuple or a dictionary of tensors. Of a model with an encoder and a
            decoder give the encoder.
        layers: Path of its layers, for example "encoder.layer.*"; "" looks for the one list of as many modules as
            `model.config.num_hidden_layers` says.
        name: What errors and progress bars call the encoder; "" is the class of the model.

    Raises:
        ValueError: If the number of layers cannot be found; when it is read, if the model gives no hidden states or
            another number of them.
    """

    def __init__(self, model: nn.Module, *, layers: str = "", name: str = "") -> None:
        self.model, self.layers = model, block_paths(model, layers) if layers else _layers(model)
        super().__init__(name or type(model).__name__, len(self.layers))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "model": portable(self.model)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        model = state["model"]
        self.__dict__.update(state, model=model.made() if isinstance(model, Portable) else model)

    def truncated(self, tap: int) -> LayeredEncoder:
        """The model without the layers above a tap; its run ends with the layer of that tap."""
        self.check_tap(tap)
        if tap == self.taps:
            return self
        return ModuleTaps(without_above(self.model, self.layers, tap), self.layers[:tap], name=self.name).truncated(tap)

    def fingerprint(self) -> str:
        """SHA-256 of the model's weights, settings and configuration."""
        return module_digest(self.model, type(self).__name__)

    def _tapped(self, values: Any) -> list[Tapped]:
        check_device(self.name, self.model, values)
        with frozen(self.model):
            output = call(partial(self.model, output_hidden_states=True, return_dict=True), values)
        states: Sequence[Tensor] | None = getattr(output, "hidden_states", None)
        if states is None or len(states) != self.taps + 1:
            what = "no hidden_states" if states is None else f"{len(states)} hidden_states"
            raise ValueError(
                f"Encoder '{self.name}' gave {what}; with {self.taps} layers it must give {self.taps + 1}, the "
                "embedding first. Give the part that is an encoder, or use ModuleTaps with the paths of its blocks."
            )
        return [Tapped(state, tokens_here(self.name, self.model, values, state.shape)) for state in states[1:]]


def without_above(model: nn.Module, layers: Sequence[str], tap: int) -> nn.Module:
    """A copy of a model without the layers above a tap, if they form one torch.nn.ModuleList; else the model itself.

    Parameters and buffers are shared, so that only what is left is held in memory once the model itself is gone.

    Args:
        model: The model.
        layers: Paths of all layers, in order.
        tap: Number of layers to keep.
    """
    parents = {path.rpartition(".")[0] for path in layers}
    place = parents.pop()
    held, (parent, _, name) = model.get_submodule(place), place.rpartition(".")
    if parents or not name or not isinstance(held, nn.ModuleList) or len(held) != len(layers):
        return model
    shorter = deepcopy(model, {id(tensor): tensor for tensor in chain(model.parameters(), model.buffers())})
    setattr(shorter.get_submodule(parent), name, nn.ModuleList(list(shorter.get_submodule(place).children())[:tap]))
    return shorter


def _layers(model: nn.Module) -> tuple[str, ...]:
    """Paths of the layers: the one outermost list of as many modules as the model's configuration says."""
    number = getattr(getattr(model, "config", None), "num_hidden_layers", None)
    lists = {path: part for path, part in model.named_modules() if isinstance(part, nn.ModuleList)}
    fitting = [path for path, part in lists.items() if len(part) == number]
    outer = [path for path in fitting if not any(path.startswith(f"{other}.") for other in fitting)]
    if len(outer) != 1:
        raise ValueError(
            f"The layers of {type(model).__name__} cannot be found: its configuration says num_hidden_layers = "
            f"{number}, and it has the lists of modules {[f'{path} ({len(part)})' for path, part in lists.items()]}. "
            "Pass their path, for example layers='encoder.layer.*'."
        )
    return block_paths(model, f"{outer[0]}.*")
