"""Skew-pair networks: how often samples pass the encoders in a search, and what a pair of low taps saves."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from benchmarks.step_block import processor_times
from benchmarks.timing import milliseconds, ratios, spread, table
from plait.nn.taps import MiniLM, ModuleTaps, SampleCache, SmallImageNet, pooled
from plait.nn.taps.base import LayeredEncoder, Tapped
from plait.skew import ClosedForm, HeadSettings, TapData
from plait.skew.bank import Scaling
from plait.skew.heads import TAPS, PairHeads
from plait.skew.space import Pair
from plait.statistics.metrics import metric_by_name

Encoders = Mapping[str, LayeredEncoder]
Values = Mapping[str, Any]
_RANK, _CLASSES = 64, 4
_NAMES = ("image", "text")
_SENTENCE = "a small red dog sits under the quiet house and runs over to the river then again"


class Counting(LayeredEncoder):
    """An encoder that counts the samples that pass it."""

    def __init__(self, inner: LayeredEncoder, counts: list[int]) -> None:
        super().__init__(inner.name, inner.taps)
        self.inner, self.counts = inner, counts

    def truncated(self, tap: int) -> "Counting":
        return Counting(self.inner.truncated(tap), self.counts)

    def fingerprint(self) -> str:
        return self.inner.fingerprint()

    def _tapped(self, values: Tensor) -> list[Tapped]:
        self.counts.append(len(values))
        return self.inner.read(values)


def by_passes(taps: int, train: int, held: int, epochs: int) -> None:
    """Samples that pass an encoder: a search from a cache, three searches, and every pair in every epoch."""
    values = torch.randn(train + held, 24, generator=torch.Generator().manual_seed(0))
    parts = {"n + n'": train + held}
    runs = {"one": partial(_searches, 1), "three": partial(_searches, 3), "published": partial(_every_epoch, epochs)}
    for what, run in runs.items():
        counts: dict[str, list[int]] = {name: [] for name in _NAMES}
        encoders = {name: Counting(_vectors(taps, place), counts[name]) for place, name in enumerate(_NAMES)}
        run(encoders, values, train)
        parts[what] = sum(counts["image"])
    share = parts["published"] / parts["one"]
    title = f"Samples that pass each of two encoders: {taps} x {taps} taps, {train} + {held} samples"
    published = f"{taps**2} pairs, {epochs} epochs each, through the encoder every time"
    header = ("n + n'", "a search from the cache", "three searches from the cache", published, "times fewer")
    table(title, header, [(*parts.values(), f"{share:,.0f}")])


def _vectors(taps: int, seed: int) -> ModuleTaps:
    torch.manual_seed(seed)
    return ModuleTaps(nn.Sequential(*(nn.Linear(24, 24) for _ in range(taps))), "*")


def _searches(count: int, encoders: Encoders, values: Tensor, train: int) -> None:
    """On other training rows each time, as with folds; the cache is asked anew."""
    cache, target = SampleCache(None, verbose=0), np.arange(len(values)) % 2
    for seed in range(count):
        taps = {name: cache.taps(encoder, values, "mean") for name, encoder in encoders.items()}
        data = TapData(taps, target, np.eye(2)[target], np.arange(len(values)))
        rows = np.random.default_rng(seed).permutation(len(values))
        how = ClosedForm(heads=HeadSettings(draws=20))
        how.search(data, rows[:train], rows[train:], metric_by_name("classification", "accuracy"))


def _every_epoch(epochs: int, encoders: Encoders, values: Tensor, train: int) -> None:
    """What the published code does: a run a pair, whole encoders in every epoch, on training and evaluation rows."""
    pairs = int(np.prod([encoder.taps for encoder in encoders.values()]))
    for _ in range(pairs * epochs):
        for encoder in encoders.values():
            encoder.read(values[:train])
            encoder.read(values[train:])


class PairNetwork:
    """Two encoders, each as far as its tap, and a head on both taps.

    Args:
        encoders: By modality.
        tap: The tap of each that is read.
        values: What they read of some samples.
    """

    def __init__(self, encoders: Encoders, tap: Mapping[str, int], values: Values) -> None:
        self.encoders = {name: encoder.truncated(tap[name]) for name, encoder in encoders.items()}
        self.values = values
        widths = {name: self._vectors(name).shape[1] for name in encoders}
        self.scalings = {name: Scaling(width, _RANK) for name, width in widths.items()}
        places, pair = list(tap.items()), Pair(*(part for place in tap.items() for part in place))
        generator = torch.Generator().manual_seed(0)
        self.heads = PairHeads([(pair,)], places, _RANK, _CLASSES, "bilinear", generator=generator).eval()

    @torch.no_grad()
    def __call__(self) -> Tensor:
        """Outputs for the samples."""
        read = [self.scalings[name](self._vectors(name)[:, None])[:, 0] for name in self.encoders]
        return self.heads({TAPS: torch.stack(read, 1)}, torch.ones(len(read[0]), len(read), dtype=torch.bool))

    def _vectors(self, name: str) -> Tensor:
        return pooled(self.encoders[name].read(self.values[name])[-1], "mean")

    def parameters_that_run(self) -> int:
        """Of all modules that come to their end."""
        ran: set[nn.Module] = set()
        handle = register_module_forward_hook(lambda module, *_: ran.add(module))
        try:
            self()
        finally:
            handle.remove()
        return sum({id(each): each.numel() for module in ran for each in module.parameters()}.values())


def by_truncation(
    title: str, encoders: Encoders, values: Values, pairs: Sequence[tuple[int, int]], repeats: int
) -> None:
    """Networks on lower taps beside the one on the last taps, which comes first."""
    made = {pair: PairNetwork(encoders, dict(zip(encoders, pair, strict=True)), values) for pair in pairs}
    times = processor_times({str(pair): network for pair, network in made.items()}, repeats)
    sizes, late = {pair: network.parameters_that_run() for pair, network in made.items()}, pairs[0]
    rows = []
    for pair in pairs:
        took = times[str(pair)]
        blocks, share = f"{sum(pair)} of {sum(late)}", f"{sizes[pair] / sizes[late]:.2f}"
        rows.append(
            (pair, blocks, f"{sizes[pair]:,}", share, milliseconds(took), spread(ratios(took, times[str(late)])))
        )
    header = (f"taps ({', '.join(encoders)})", "blocks", "parameters", "share", "inference, ms", "share of the time")
    table(title, header, rows)


def two_of_twelve(width: int, tokens: int, rows: int) -> tuple[Encoders, Values]:
    """A transformer of 12 layers like those for texts and 12 blocks of convolutions, both with random weights."""
    torch.manual_seed(0)
    layers = [nn.TransformerEncoderLayer(width, width // 32, 4 * width, batch_first=True) for _ in range(12)]
    channels = [3, *(width // 6,) * 4, *(width // 3,) * 4, *(2 * width // 3,) * 4]
    blocks = [_convolutions(*sizes, 1 + (place in (4, 8))) for place, sizes in enumerate(pairwise(channels))]
    encoders = {"text": ModuleTaps(nn.Sequential(*layers), "*"), "image": ModuleTaps(nn.Sequential(*blocks), "*")}
    return encoders, {"text": torch.randn(rows, tokens, width), "image": torch.randn(rows, 3, 32, 32)}


def _convolutions(read: int, out: int, stride: int) -> nn.Module:
    """A block of two convolutions."""
    return nn.Sequential(nn.Conv2d(read, out, 3, stride, 1), nn.ReLU(), nn.Conv2d(out, out, 3, 1, 1), nn.ReLU())


def sentences_and_images(rows: int) -> tuple[Encoders, Values]:
    """MiniLM with its own weights on sentences of 20 words, and a small network for images.

    Raises:
        ImportError: If the packages of the extra `pretrained` are not installed.
    """
    draw = np.random.default_rng(0)
    texts = [" ".join(draw.choice(_SENTENCE.split(), 20)) for _ in range(rows)]
    torch.manual_seed(0)
    encoders = {"text": MiniLM(), "image": ModuleTaps(SmallImageNet(3, _CLASSES, width=32), "blocks.*")}
    return encoders, {"text": texts, "image": torch.randn(rows, 3, 32, 32)}
