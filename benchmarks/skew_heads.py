"""Skew pairs by training: heads of all pairs as one network, beside one head after the other."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.step_block import processor_times
from benchmarks.steps import Product
from benchmarks.timing import Step, milliseconds, ratios, spread, table
from plait.data.batches import Batch
from plait.data.spec import DataSpec
from plait.nn.criteria import criterion_for
from plait.skew import TapSpace
from plait.skew.heads import TAPS, PairHeads
from plait.skew.selection import Pairs
from plait.training.loop import hold_freed_memory
from plait.training.optimiser import stacked_optimiser

_RANK, _WIDTH, _CLASSES = 64, 16, 4
_RATE, _DECAY = 1e-2, 1e-3
_NAMES = ("image", "text")


def by_stacking(taps: int, samples: int, batches: Sequence[int], repeats: int, shown: int = 6) -> None:
    """An epoch of heads of all pairs at once, beside plain heads one after the other (some are timed, times all).

    The limit is the same products into memory that is there already, and Adam on one flat tensor.
    """
    space, rows = TapSpace(dict.fromkeys(_NAMES, taps)), []
    data, shown = _samples(2 * taps, samples), min(shown, taps)
    sets = [(pair,) for pair in space.all()]
    for size in batches:
        parts = torch.randperm(samples, generator=torch.Generator().manual_seed(0)).split(size)
        steps = {
            "stacked": _stacked_epoch(sets, space, data, parts),
            "plain": _plain_epochs(shown, taps, data, parts),
            "own": _each_epoch([_stacked_epoch(sets[:1], space, data, parts)] * shown),
            "limit": _each_epoch([_bare_step(len(sets), size)] * len(parts)),
        }
        times = processor_times(steps, repeats)
        share = len(sets) / shown
        faster = [spread([share * one for one in ratios(times[name], times["stacked"])]) for name in ("plain", "own")]
        alone = spread([1e6 * took / shown / len(parts) for took in times["plain"]])
        step = spread([1e3 * took / len(parts) for took in times["stacked"]])
        above = spread(ratios(times["stacked"], times["limit"]))
        rows.append((len(sets), size, milliseconds(times["stacked"]), step, alone, *faster, above))
    header = ("pairs", "batch", "epoch at once, ms", "a step, ms", "a plain step of one head, µs")
    more = ("times faster than plain heads in turn", "than our own heads in turn", "times the limit")
    table(f"Heads of all pairs at once: bilinear, {samples} samples, one thread", (*header, *more), rows)


def _samples(taps: int, samples: int) -> Batch:
    draw = torch.Generator().manual_seed(0)
    target = nn.functional.one_hot(torch.randint(_CLASSES, (samples,), generator=draw), _CLASSES).float()
    present = torch.ones(samples, len(_NAMES), dtype=torch.bool)
    values = torch.randn(samples, taps, _RANK, generator=draw)
    return Batch({TAPS: values}, present, target, torch.full((samples,), -1))


def _stacked_epoch(sets: Sequence[Pairs], space: TapSpace, data: Batch, parts: Sequence[Tensor]) -> Step:
    """What the training loop does in an epoch."""
    taps = [(name, tap) for name, depth in space.depths.items() for tap in range(1, depth + 1)]
    generator = torch.Generator().manual_seed(0)
    heads = PairHeads(sets, taps, _RANK, _CLASSES, "bilinear", _WIDTH, generator=generator)
    criterion = criterion_for(DataSpec(dict.fromkeys(_NAMES, (_RANK,)), _CLASSES, "classification"))
    optimiser = stacked_optimiser(heads, _RATE, _DECAY)
    hold_freed_memory()

    def epoch() -> None:
        for rows in parts:
            heads.objective(data.rows(rows), criterion).sum().backward()
            optimiser.step()
            optimiser.zero_grad()

    return epoch


def _bare_step(pairs: int, rows: int) -> Step:
    """Products of a step, forward and backward, and one pass of the optimiser's traffic; the last batch as the rest."""
    sizes = ((_RANK, _WIDTH), (_RANK, _WIDTH), (_WIDTH, _CLASSES))
    layers = [_layer(pairs, rows, *size) for size in sizes]
    layers[-1].inward = torch.empty(pairs, rows, _WIDTH)
    flat = nn.Parameter(torch.zeros(sum(layer.weights.numel() for layer in layers)))
    flat.grad = torch.full_like(flat, 1e-3)
    adam = torch.optim.AdamW([flat], lr=_RATE, weight_decay=_DECAY, fused=True)

    def step() -> None:
        for layer in layers:
            layer.forward()
            layer.backward()
        adam.step()

    return step


def _layer(pairs: int, rows: int, read: int, out: int) -> Product:
    inputs, weights = torch.randn(pairs, rows, read), torch.randn(pairs, read, out)
    return Product(inputs, weights, torch.empty(pairs, rows, out), torch.empty_like(weights), None)


class PlainHead(nn.Module):
    """One bilinear head as anyone would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(_RANK, _WIDTH), nn.Linear(_RANK, _WIDTH)
        self.head = nn.Linear(_WIDTH, _CLASSES)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.head(self.first(a) * self.second(b))


def _plain_epochs(count: int, taps: int, data: Batch, parts: Sequence[Tensor]) -> Step:
    """So many plain heads with torch's AdamW, one after the other."""
    codes = data.target.argmax(1)
    return _each_epoch(
        [
            _plain_epoch(data.features[TAPS][:, place], data.features[TAPS][:, taps], codes, parts)
            for place in range(count)
        ]
    )


def _plain_epoch(a: Tensor, b: Tensor, codes: Tensor, parts: Sequence[Tensor]) -> Step:
    net, a, b = PlainHead(), a.contiguous(), b.contiguous()
    optimiser = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=_DECAY)

    def epoch() -> None:
        for rows in parts:
            cross_entropy(net(a[rows], b[rows]), codes[rows]).backward()
            optimiser.step()
            optimiser.zero_grad()

    return epoch


def _each_epoch(epochs: Sequence[Step]) -> Step:
    def every() -> None:
        for epoch in epochs:
            epoch()

    return every
