"""What blocks give while a network runs, and the end of the run after the last one that is wanted."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from torch import Tensor, nn

from plait.nn.taps.frozen import frozen
from plait.nn.taps.inputs import call


class _Stop(BaseException):
    """Ends a forward pass; no Exception, for a network may catch those."""


class Recorder:
    """Runs a network and keeps what some of its blocks give, in the order in which they end.

    Args:
        module: The network.
        paths: Its blocks.
        last: The run ends with so many outputs; 0 is a whole run.

    Attributes:
        seen: The blocks that have run, each with the first tensor of its output (None if it has none), a copy that
            later blocks cannot change.
    """

    def __init__(self, module: nn.Module, paths: Sequence[str], last: int) -> None:
        self.module, self.paths, self.last = module, paths, last
        self.seen: list[tuple[str, Tensor | None]] = []
        self._stop: type[_Stop] = type("_StopHere", (_Stop,), {})  # a recorder inside another has its own end

    def run(self, values: Any) -> None:
        """Run the network on a batch."""
        with frozen(self.module), self._watching(), suppress(self._stop):
            call(self.module, values)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        handles = []
        try:
            for path in self.paths:
                block = self.module.get_submodule(path)
                handles.append(block.register_forward_hook(partial(self._see, path)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _see(self, path: str, block: nn.Module, given: Any, output: Any) -> None:
        tensor = _first_tensor(output)
        self.seen.append((path, None if tensor is None else tensor.detach().clone()))
        if len(self.seen) == self.last:
            raise self._stop


def _first_tensor(output: Any) -> Tensor | None:
    """The tensor, or the first one of a tuple, a list or a mapping."""
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else [output]
    return next((part for part in parts if isinstance(part, Tensor)), None)
