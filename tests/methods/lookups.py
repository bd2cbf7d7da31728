"""Layered encoders of texts or numbers that look planted taps up, and count what they do."""

from copy import copy

import torch

from plait.nn.taps import LayeredEncoder, Tapped


class Lookup(LayeredEncoder):
    """A sample is the number of a row, as a text or as a value; its taps are those of that row."""

    def __init__(self, name, arrays, mark="a"):
        super().__init__(name, len(arrays))
        self.arrays, self.mark, self.log = [torch.as_tensor(one) for one in arrays], mark, []

    def truncated(self, tap):
        self.check_tap(tap)
        shorter = copy(self)
        shorter.taps, shorter.arrays = tap, self.arrays[:tap]
        return shorter

    def fingerprint(self):
        return f"{self.name}-{self.mark}-{self.taps}"

    def _tapped(self, values):
        rows = [int(value) for value in (values if isinstance(values, list) else values[:, 0])]
        self.log.append((len(rows), self.taps))
        return [Tapped(array[rows]) for array in self.arrays]
