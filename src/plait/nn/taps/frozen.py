"""A network that is only read: in evaluation mode, without gradients, and left as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; every part's training flag is put back, after an error too.

    The flags are set one by one: `eval()` of a user's module may do more than that, and frozen parts may differ.
    Torch's shortcut through its transformer layers is off meanwhile: it packs tokens, and layers that are watched
    cannot read those.
    """
    flags = [(part, part.training) for part in module.modules()]
    shortcut = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        for part, _ in flags:
            part.training = False
        with torch.no_grad():
            yield
    finally:
        for part, flag in flags:
            part.training = flag
        torch.backends.mha.set_fastpath_enabled(shortcut)
