"""An encoder of texts that counts letters: three taps, described by one setting, quick."""

from collections import Counter

import torch

from plait.nn.taps import Tapped
from plait.nn.taps.text import TextEncoder

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


class Letters(TextEncoder):
    """Tap l is how often each letter stands in a text, through l fixed layers; `read_texts` counts over all objects."""

    read_texts = 0

    def __init__(self, seed=0, taps=3):
        super().__init__("Letters", taps)
        draw = torch.Generator().manual_seed(seed)
        self.seed, self.weights = seed, [torch.randn(26, 26, generator=draw) / 5 for _ in range(taps)]

    @property
    def settings(self):
        return {"seed": self.seed, "taps": self.taps}

    @classmethod
    def of(cls, settings):
        return cls(settings["seed"], settings["taps"])

    def truncated(self, tap):
        self.check_tap(tap)
        return Letters(self.seed, tap)

    def fingerprint(self):
        return f"letters-{self.seed}-{self.taps}"

    def _tapped(self, values):
        Letters.read_texts += len(values)
        counted = [Counter(text) for text in values]
        state, taps = torch.tensor([[float(one[letter]) for letter in ALPHABET] for one in counted]), []
        for weights in self.weights:
            state = torch.tanh(state @ weights)
            taps.append(Tapped(state))
        return taps
