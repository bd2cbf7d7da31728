"""A guided step: beside two plain cross-attention layers, with more steps, with more tokens of the target."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import correlation, linear_regression, median

import torch
from torch import Tensor, nn

from benchmarks.timing import Step, Times, milliseconds, ratios, spread, table
from plait.nn.attention import AttentionBlock
from plait.nn.step_fusion.block import StepFusionBlock
from plait.training.loop import hold_freed_memory

_HEADS = 4
_NAMES = ("target", "guide")
_WARM = 2


@dataclass(frozen=True)
class Size:
    """What the layers read: two modalities of equally many tokens, unless `guide` says otherwise.

    Args:
        rows: Samples.
        tokens: Tokens of the target.
        width: Size of a token.
        guide: Tokens of the guide; None is those of the target.
    """

    rows: int
    tokens: int
    width: int = 128
    guide: int | None = None

    def draw(self) -> tuple[Tensor, Tensor]:
        """Tokens of both, as trained encoders would give them: with slopes asked for."""
        source, counts = torch.Generator().manual_seed(0), (self.tokens, self.guide or self.tokens)
        first, second = (torch.randn(self.rows, n, self.width, generator=source).requires_grad_() for n in counts)
        return first, second


class BareLayer(nn.Module):
    """Pre-norm cross-attention by torch's own class, added to what was there: no perceptron."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in _NAMES)
        self.attention = nn.MultiheadAttention(width, _HEADS, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, sources: Tensor) -> Tensor:
        target, guide = (norm(values) for norm, values in zip(self.norms, (tokens, sources), strict=True))
        return tokens + self.dropout(self.attention(target, guide, guide, need_weights=False)[0])


class FullLayer(nn.Module):
    """The library's own pre-norm cross-attention, and a perceptron twice as wide."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.block = AttentionBlock(1, width, _HEADS, torch.Generator().manual_seed(0), dropout)

    def forward(self, tokens: Tensor, sources: Tensor) -> Tensor:
        return self.block(tokens[None], sources[None])[0]


class TwoLayers(nn.Module):
    """One layer in each direction: the second modality reads the first, which then reads the second."""

    def __init__(self, layer: Callable[[int, float], nn.Module], width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layer(width, dropout) for _ in _NAMES)

    def forward(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        guide = self.layers[0](guide, target)
        return self.layers[1](target, guide), guide


class Steps(nn.Module):
    """So many guided steps in turn, the target moved in the first: a whole block but for projections and joint map."""

    def __init__(self, steps: int, width: int, dropout: float) -> None:
        super().__init__()
        widths = dict.fromkeys(_NAMES, width)
        self.block = StepFusionBlock(
            widths, width, steps=steps, order=_NAMES, heads=_HEADS, dropout=dropout, joint="tokens"
        )

    def forward(self, target: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        first, second = self.block.fuse({"target": target, "guide": guide}).tokens.values()
        return first, second


def parameters(module: nn.Module) -> int:
    """Numbers that a step or layer learns; a block's projections are not among them, for they are not run."""
    part = module.block.course if isinstance(module, Steps) else module
    return sum(each.numel() for each in part.parameters())


def processor_times(steps: Mapping[str, Step], repeats: int) -> Times:
    """Seconds of this process's own time with one thread, one thing after the other, again and again."""
    times: Times = {name: [] for name in steps}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for repeat in range(_WARM + repeats):
            for name, step in steps.items():
                start = time.process_time()
                step()
                if repeat >= _WARM:
                    times[name].append(time.process_time() - start)
        return times
    finally:
        torch.set_num_threads(threads)


def pass_through(module: nn.Module, size: Size) -> Step:
    """Forward and backward, down to the slopes of the tokens and of all weights."""
    read = size.draw()
    slopes = tuple(torch.randn_like(values) for values in read)
    hold_freed_memory()

    def step() -> None:
        found = [(values, slope) for values, slope in zip(module(*read), slopes, strict=True) if values.grad_fn]
        torch.autograd.backward(*map(list, zip(*found, strict=True)))
        for each in (*read, *module.parameters()):
            each.grad = None

    return step


def against_cross_attention(sizes: Sequence[Size], repeats: int) -> None:
    """One step and two, beside two layers of cross-attention with about as many parameters."""
    rows = [_beside_layers(size, dropout, repeats) for size in sizes for dropout in (0.0, 0.1)]
    header = (
        *("tokens", "samples", "dropout", "one step, ms"),
        *(f"{step} / {layers}" for layers in ("two bare layers", "two full layers") for step in ("one", "two")),
    )
    table(f"Guided steps beside cross-attention, width {sizes[0].width} ({_counted(sizes[0].width)})", header, rows)


def _made(width: int, dropout: float) -> dict[str, nn.Module]:
    return {
        "one step": Steps(1, width, dropout),
        "two steps": Steps(2, width, dropout),
        "two bare layers": TwoLayers(BareLayer, width, dropout),
        "two full layers": TwoLayers(FullLayer, width, dropout),
    }


def _counted(width: int) -> str:
    return ", ".join(f"{name} {parameters(module):,} parameters" for name, module in _made(width, 0.0).items())


def _beside_layers(size: Size, dropout: float, repeats: int) -> tuple[object, ...]:
    made = _made(size.width, dropout)
    times = processor_times({name: pass_through(module, size) for name, module in made.items()}, repeats)
    quotients = [
        spread(ratios(times[step], times[layers]))
        for layers in ("two bare layers", "two full layers")
        for step in ("one step", "two steps")
    ]
    return (size.tokens, size.rows, dropout, milliseconds(times["one step"]), *quotients)


def by_steps(size: Size, counts: Sequence[int], repeats: int) -> None:
    """Cost as steps are added."""
    passes = {count: pass_through(Steps(count, size.width, 0.0), size) for count in counts}
    _linear(f"More steps: two modalities of {size.tokens} tokens, {size.rows} samples", "steps", passes, repeats)


def by_tokens(size: Size, counts: Sequence[int], repeats: int) -> None:
    """Cost of one step as tokens are added to the target, beside a guide that stays as it is."""
    sizes = {count: Size(size.rows, count, size.width, size.tokens) for count in counts}
    passes = {count: pass_through(Steps(1, size.width, 0.0), each) for count, each in sizes.items()}
    title = f"A longer target: one step, a guide of {size.tokens} tokens, {size.rows} samples"
    _linear(title, "tokens of the target", passes, repeats)


def _linear(title: str, what: str, passes: Mapping[int, Step], repeats: int) -> None:
    """Times beside the line of least squares through their medians."""
    times = processor_times({str(count): step for count, step in passes.items()}, repeats)
    took = [1e3 * median(times[str(count)]) for count in passes]
    line, close = linear_regression(list(passes), took), correlation(list(passes), took) ** 2
    rows = [(count, milliseconds(times[str(count)]), f"{line.intercept + line.slope * count:.3g}") for count in passes]
    fitted = f"{line.intercept:.3g} + {line.slope:.3g} a unit, R² {close:.4f}"
    table(title, (what, "forward and backward, ms", f"line, ms: {fitted}"), rows)
