"""The blocks of any torch module as taps."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from typing import Any

from torch import Tensor, nn

from plait.nn.taps.base import LayeredEncoder, Tapped
from plait.nn.taps.blocks import block_paths
from plait.nn.taps.digests import module_digest
from plait.nn.taps.inputs import check_device, tokens_here
from plait.nn.taps.layout import as_tokens, check_width_axis
from plait.nn.taps.recorder import Recorder


class ModuleTaps(LayeredEncoder):
    """The outputs of blocks of any torch module, called with a tensor, a tuple or a dictionary of tensors.

    A block's output may be a tensor or hold some (a tuple, a Hugging Face ModelOutput): the first one counts. A
    dictionary's "attention_mask" says which tokens are there. A truncated encoder shares the module with the whole one
    and ends its run after its last block.

    Args:
        module: The network; it is left as it was.
        blocks: Paths of the blocks in the order in which they run ("encoder.layer.*", or a list), where "*" stands for
            anything but a dot; or a subclass of torch.nn.Module: all parts of that type, in the order in which they
            end.
        name: What errors and progress bars call the encoder; "" is the class of the module.
        width_axis: The axis of the blocks' outputs along which one token lies, 1 or more. None is the last one, or 1
            for an output of four or more axes (batch, channel, height, width); all other axes but the first count
            tokens. Pass 1 for a convolution of a series (batch, channel, time).

    Raises:
        ValueError: If a block is not found; when it is read, if a block ran twice, not at all, out of order or gave no
            numbers.
    """

    def __init__(self, module: nn.Module, blocks: Any, *, name: str = "", width_axis: int | None = None) -> None:
        check_width_axis(width_axis)
        self.module, self.blocks, self.width_axis = module, block_paths(module, blocks), width_axis
        super().__init__(name or type(module).__name__, len(self.blocks))
        self.ordered, self.cut = not isinstance(blocks, type), False

    def truncated(self, tap: int) -> "ModuleTaps":
        """The same module, whose run ends after block `tap`."""
        self.check_tap(tap)
        shorter = copy(self)
        shorter.taps, shorter.cut = tap, True
        return shorter

    def fingerprint(self) -> str:
        """SHA-256 of the module's weights and settings, and of the blocks that are read."""
        read = self.blocks[: self.taps] if self.ordered else self.blocks
        return module_digest(self.module, type(self).__name__, *read, str(self.taps), str(self.width_axis))

    def _tapped(self, values: Any) -> list[Tapped]:
        check_device(self.name, self.module, values)
        recorder = Recorder(self.module, self.blocks, self.taps if self.cut else 0)
        recorder.run(values)
        self._check_order([path for path, _ in recorder.seen])
        return [self._as_tapped(path, tensor, values) for path, tensor in recorder.seen]

    def _check_order(self, ran: Sequence[str]) -> None:
        """Raise ValueError unless every block ran once, and in the order in which they were given."""
        twice = [path for path, times in Counter(ran).items() if times > 1]
        if twice:
            raise ValueError(
                f"The blocks {twice} of encoder '{self.name}' ran more than once a batch, so that their taps are not "
                "defined. Choose blocks that run once."
            )
        if len(ran) < self.taps:
            idle = [path for path in self.blocks if path not in ran]
            raise ValueError(f"The blocks {idle} of encoder '{self.name}' did not run. Choose others.")
        expected = self.blocks[: self.taps]
        if len(ran) > self.taps or (self.ordered and list(expected) != list(ran)):
            raise ValueError(
                f"The blocks of encoder '{self.name}' ran in the order {list(ran)}, and {list(expected)} was expected. "
                "List them in the order in which they run (and let no part of the module catch what ends a run)."
            )

    def _as_tapped(self, path: str, tensor: Tensor | None, values: Any) -> Tapped:
        tokens = as_tokens(self.name, path, tensor, self.width_axis)
        return Tapped(tokens, tokens_here(self.name, self.module, values, tokens.shape))
