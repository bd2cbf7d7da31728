"""Where the planted benchmark hides its codes, and how good the best decision on a choice of taps is."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from math import prod, sqrt
from types import MappingProxyType

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import ndtr

Rows = tuple[int, int, int]
PlantedPair = tuple[str, int, str, int]

AMPLITUDE = 2.0
"""a: at its own tap a signal is a * code + N(0, 1)."""

DECOY_CORRELATION = 0.5


@dataclass(frozen=True)
class Size:
    """Depth and width of the encoders, where signals are planted, and rows for training, validation and testing."""

    depth: int
    width: int
    skew: tuple[int, int]
    decoy: int
    second: tuple[int, int]
    rows: Rows


SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "tiny": Size(depth=4, width=8, skew=(3, 1), decoy=1, second=(1, 4), rows=(800, 400, 500)),
        "small": Size(depth=6, width=16, skew=(5, 2), decoy=2, second=(2, 6), rows=(2000, 1000, 2000)),
        "full": Size(depth=12, width=32, skew=(9, 4), decoy=3, second=(4, 12), rows=(2000, 1000, 2000)),
    }
)


@dataclass(frozen=True)
class Signal:
    """One code in one modality: clearest at `tap`, degraded from tap to tap by `correlation` outward."""

    modality: str
    code: int
    tap: int
    correlation: float

    def clarity(self, tap: int, emerging: bool) -> float:
        """Mean of the signal at a tap over its standard deviation, given code 1; 0 before it emerges."""
        if emerging and tap < self.tap:
            return 0.0
        alpha = self.correlation ** abs(tap - self.tap)
        return alpha * AMPLITUDE / sqrt(alpha**2 + (1 - alpha**2) * (AMPLITUDE**2 + 1))


@dataclass(frozen=True)
class Task:
    """What a task plants: signals, and a label whose binary digits are signs of products of codes (its factors).

    `more` multiplies the training rows of the size.
    """

    signals: tuple[Signal, ...]
    factors: tuple[tuple[int, ...], ...]
    planted: tuple[PlantedPair, ...]
    modalities: tuple[str, ...] = ("a", "b")
    more: int = 1

    @property
    def codes(self) -> int:
        """Number of codes that are drawn, in signals or not."""
        return 1 + max(
            code for factor in (*self.factors, *((signal.code,) for signal in self.signals)) for code in factor
        )

    def of(self, modality: str) -> tuple[Signal, ...]:
        """The signals of a modality, in the order of their coordinates."""
        return tuple(signal for signal in self.signals if signal.modality == modality)

    def label(self, codes: Float[ndarray, "row code"]) -> ndarray:
        """Classes 0, 1, ...: the first factor is the highest binary digit, a positive product is a one."""
        digits = [codes[:, list(factor)].prod(axis=1) > 0 for factor in self.factors]
        return np.asarray(sum(digit.astype(np.intp) << k for k, digit in enumerate(reversed(digits))))


def oracle(task: Task, taps: Mapping[str, int], emerging: bool = False) -> float:
    """Accuracy of the best decision on these taps (at most one a modality), in closed form.

    Signals of one code add their squared clarities; no code is in two factors, so that factors are decided one by
    one, and the sign of a product is right if an even number of its codes is mistaken.

    Args:
        task: What is planted.
        taps: Tap of each modality that is read.
        emerging: Whether a signal cannot be read before its own tap, as from `planted_inputs`.
    """
    power: defaultdict[int, float] = defaultdict(float)
    for signal in task.signals:
        if signal.modality in taps:
            power[signal.code] += signal.clarity(taps[signal.modality], emerging) ** 2
    right = [prod(2 * float(ndtr(sqrt(power[code]))) - 1 for code in factor) for factor in task.factors]
    return prod((1 + margin) / 2 for margin in right)


def oracles(task: Task, depth: int, emerging: bool = False) -> dict[str, object]:
    """The entries `oracle`, `oracles` and `unimodal_oracle` of a benchmark's Bunch."""
    taps = range(1, depth + 1)
    grids = {
        (a, b): np.array([[oracle(task, {a: i, b: j}, emerging) for j in taps] for i in taps])
        for a, b in combinations(task.modalities, 2)
    }
    alone = {name: np.array([oracle(task, {name: tap}, emerging) for tap in taps]) for name in task.modalities}
    return {"oracle": grids[task.modalities[0], task.modalities[-1]], "oracles": grids, "unimodal_oracle": alone}


def degrade(
    noise: Float[ndarray, "row tap"], code: Float[ndarray, " row"], signal: Signal
) -> Float[ndarray, "row tap"]:
    """The signal at every tap: a * code + noise at its own, an autoregression outward from there (never new noise).

    r next = rho r + sqrt(1 - rho^2) sigma noise with sigma^2 = a^2 + 1, the variance at every tap.
    """
    rho, sigma, own = signal.correlation, sqrt(AMPLITUDE**2 + 1), signal.tap - 1
    r = sqrt(1 - rho**2) * sigma * noise
    r[:, own] = AMPLITUDE * code + noise[:, own]
    for tap in range(own + 1, r.shape[1]):
        r[:, tap] += rho * r[:, tap - 1]
    for tap in reversed(range(own)):
        r[:, tap] += rho * r[:, tap + 1]
    return r


def _join(taps: tuple[int, int], rho: float, second: str = "b") -> Task:
    """Code 0 in "a", code 1 in the second modality, four classes."""
    signals = (Signal("a", 0, taps[0], rho), Signal(second, 1, taps[1], rho))
    return Task(signals, factors=((0,), (1,)), planted=(("a", taps[0], second, taps[1]),))


def _decoy(size: Size, rho: float) -> Task:
    joined = _join(size.skew, rho)
    return replace(joined, signals=(*joined.signals, Signal("a", 1, size.decoy, DECOY_CORRELATION)))


def _multi(size: Size, rho: float) -> Task:
    first, (i, j) = _join(size.skew, rho), size.second
    signals = (*first.signals, Signal("a", 2, i, rho), Signal("b", 3, j, rho))
    return Task(signals, factors=((0, 1), (2, 3)), planted=(*first.planted, ("a", i, "b", j)), more=2)


TASKS: Mapping[str, Callable[[Size, float], Task]] = MappingProxyType(
    {
        "add": lambda size, rho: _join(size.skew, rho),
        "xor": lambda size, rho: replace(_join(size.skew, rho), factors=((0, 1),), more=2),
        "decoy": _decoy,
        "diag": lambda size, rho: _join((size.depth // 2, size.depth // 2), rho),
        "late": lambda size, rho: _join((size.depth, size.depth), rho),
        "uni": lambda size, rho: replace(_join(size.skew, rho), factors=((0,),), planted=()),
        "null": lambda size, rho: replace(_join(size.skew, rho), factors=((2,),), planted=()),
        "multi": _multi,
        "tri": lambda size, rho: replace(_join(size.skew, rho, second="c"), modalities=("a", "b", "c")),
    }
)
"""The tasks of the benchmark by name, from a size and the correlation of neighbouring taps."""
