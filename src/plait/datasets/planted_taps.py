"""The planted benchmark for pairs of taps: layered modalities of which it is known how good every pair can be."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from numpy.random import Generator, SeedSequence, default_rng
from scipy.stats import ortho_group
from sklearn.utils import Bunch

from plait.datasets._planted import AMPLITUDE, SIZES, TASKS, Rows, Size, Task, degrade, oracle, oracles
from plait.datasets.settings import require

DESCR = """Planted skew pairs, task {task!r}, size {size!r}.

A benchmark of ours, not of the authors of skew-pair fusion. Codes of -1 and +1 are planted at one tap each:
{signals}
There a signal is {amplitude:g} * code + N(0, 1). {elsewhere}
Rows: {rows} for training, validation and testing. Best possible accuracy: {best:.3f} by one pair, {alone:.3f} by one
tap, {chance:.3f} without any."""

FADING = """Every other tap degrades its neighbour on the side of that tap, so that
no set of taps tells more about a signal than that tap does."""

EMERGING = """Every tap above degrades the one below it; from taps below that
tap, and from the inputs, an operator that is linear in each modality cannot read it (scores are of such operators)."""


def make_planted_taps(
    task: str,
    size: str = "small",
    *,
    correlation: float | None = None,
    n: int | Rows | None = None,
    random_state: int | None = None,
) -> Bunch:
    """Draw taps of layered encoders in which one pair, several or none carry the target.

    A tap is scale * Q z: the first coordinates of z are its signals, the others are fresh noise, Q is a random
    rotation and the scale lies between exp(-0.7) and exp(0.7), both of that tap alone. The tasks, with u in modality
    "a" and v in "b" (modalities, codes and labels are independent of each other unless said):

    - "add": the four classes (u, v). "diag": the same at equal depth, in the middle. "late": at the last taps.
    - "xor": the sign of u v, so that each modality alone is at chance.
    - "decoy": "add", and "a" also has v at an early tap, which is then its best single tap.
    - "uni": the sign of u: fusion cannot help. "null": a random label.
    - "multi": the four classes (u1 v1, u2 v2), planted in two pairs.
    - "tri": "add" between "a" and "c"; the modality "b" is noise.

    Args:
        task: One of the above.
        size: "small": 6 taps of width 16, u at tap 5, v at tap 2, 2000, 1000 and 2000 rows ("xor" and "multi": 4000
            for training). "full": 12 taps of width 32, u at 9, v at 4, as many rows. "tiny": 4 taps of width 8, u at
            3, v at 1, 800, 400 and 500 rows (1600 for training).
        correlation: Correlation of a signal at neighbouring taps, above 0 and below 1; None is 0.8. Near 1 all taps
            are alike and the pair is hard to tell from its neighbours (0.9 and 0.95 are hard). The decoy keeps 0.5.
        n: Rows for training, validation and testing, at least 2 each; one number, at least 10, is shared out as 40,
            20 and 40 percent; None is the number of the size.
        random_state: Seed; the same seed gives the same numbers, and the rows of a part do not depend on the size of
            the others. None is a different data set each time.

    Returns:
        A Bunch with `taps` (by modality, one float32 array of n rows by width a tap), `target` (whole numbers), row
        numbers `train`, `validation` and `test`; `planted`: the pairs (first, i, second, j) that carry the target,
        taps counted from 1, none for "uni" and "null"; `oracle`: accuracy of the best decision on the pair (i, j), at
        [i - 1, j - 1], of the first and the last modality; `oracles`: these grids for every two modalities;
        `unimodal_oracle`: the same for each tap alone, by modality; and the truth: `codes` (n rows), `rotations` and
        `scales` (by modality, one a tap), `DESCR`.

    Raises:
        ValueError: If the task or size is unknown, or an argument is out of its range.
    """
    setting = _setting(task, size, correlation, n)
    fixed, *parts = SeedSequence(random_state).spawn(4)
    bunch, blocks = _draw(setting, parts, _signals, emerging=False)
    bunch.rotations, bunch.scales = _geometry(setting, default_rng(fixed))
    bunch.taps = {name: _rotated(z, bunch.rotations[name], bunch.scales[name]) for name, z in blocks.items()}
    bunch.DESCR = _describe(task, size, setting, bunch, FADING)
    return bunch


def planted_inputs(
    task: str,
    size: str = "small",
    *,
    correlation: float | None = None,
    n: int | Rows | None = None,
    random_state: int | None = None,
) -> Bunch:
    """Draw raw inputs of layered modules in which a signal emerges at one block and fades above it.

    As `make_planted_taps`, but the taps are to be computed: `plait.skew.planted_module.PlantedBlocks` reads these
    inputs. A signal comes as a product of two shares, r * s and s with a random sign s, so that no operator that is
    linear in each modality reads it before the block that multiplies them; the oracles are of such operators.
    The tap of the decoy is then not the best single tap of "a": u cannot be read there yet.

    Args:
        task: As for `make_planted_taps`.
        size: As for `make_planted_taps`.
        correlation: As for `make_planted_taps`.
        n: As for `make_planted_taps`.
        random_state: As for `make_planted_taps`.

    Returns:
        A Bunch as of `make_planted_taps`, but without `taps`, `rotations` and `scales`. Instead `inputs` (by
        modality, float32, n rows: shares times sign, signs, nuisance, then the noise of each block) and `encoders`:
        by modality, the arguments of `PlantedBlocks` but its seed.

    Raises:
        ValueError: If the task or size is unknown, or an argument is out of its range.
    """
    setting = _setting(task, size, correlation, n)
    _, *parts = SeedSequence(random_state).spawn(4)
    bunch, blocks = _draw(setting, parts, _shares, emerging=True)
    bunch.inputs = {name: block.astype(np.float32) for name, block in blocks.items()}
    bunch.encoders = {name: _encoder(setting, name) for name in blocks}
    bunch.DESCR = _describe(task, size, setting, bunch, EMERGING)
    return bunch


class _Setting(NamedTuple):
    """A task in one size, and its rows for training, validation and testing."""

    task: Task
    size: Size
    rows: Rows


_Draw = Callable[[_Setting, str, Float[ndarray, "row code"], SeedSequence], ndarray]


def _setting(task: str, size: str, correlation: float | None, n: int | Rows | None) -> _Setting:
    rho = 0.8 if correlation is None else correlation
    require(
        {
            f"`task` must be one of {', '.join(TASKS)}, got {task!r}.": task in TASKS,
            f"`size` must be one of {', '.join(SIZES)}, got {size!r}.": size in SIZES,
            f"`correlation` must lie between 0 and 1, neither included, got {correlation}.": 0 < rho < 1,
        }
    )
    chosen = TASKS[task](SIZES[size], rho)
    train, validation, test = SIZES[size].rows
    return _Setting(chosen, SIZES[size], (train * chosen.more, validation, test) if n is None else _rows(n))


def _rows(n: int | Rows) -> Rows:
    if isinstance(n, int):
        require({f"`n` must be at least 10 rows, got {n}.": n >= 10})
        train, validation = 2 * n // 5, n // 5
        return train, validation, n - train - validation
    require({f"`n` must be at least 2 rows for each of training, validation and testing, got {n}.": min(n) >= 2})
    return n


def _draw(
    setting: _Setting, parts: Sequence[SeedSequence], draw: _Draw, *, emerging: bool
) -> tuple[Bunch, dict[str, ndarray]]:
    """What every benchmark gives, and the numbers of each modality; each part of the rows has its own stream."""
    names = setting.task.modalities
    codes, blocks = [], defaultdict(list)
    for rows, part in zip(setting.rows, parts, strict=True):
        first, *streams = part.spawn(1 + len(names))
        codes.append(default_rng(first).choice([-1.0, 1.0], size=(rows, setting.task.codes)))
        for name, stream in zip(names, streams, strict=True):
            blocks[name].append(draw(setting, name, codes[-1], stream))
    bunch = Bunch(codes=np.concatenate(codes), planted=setting.task.planted)
    bunch.target = setting.task.label(bunch.codes)
    bunch.train, bunch.validation, bunch.test = np.split(np.arange(sum(setting.rows)), np.cumsum(setting.rows)[:2])
    bunch.update(oracles(setting.task, setting.size.depth, emerging=emerging))
    return bunch, {name: np.concatenate(found) for name, found in blocks.items()}


def _signals(
    setting: _Setting, name: str, codes: Float[ndarray, "row code"], stream: SeedSequence
) -> Float[ndarray, "row tap width"]:
    """The numbers z of every tap before its rotation: signals first, fresh noise in the others."""
    z = default_rng(stream).standard_normal((len(codes), setting.size.depth, setting.size.width))
    for k, signal in enumerate(setting.task.of(name)):
        z[:, :, k] = degrade(z[:, :, k], codes[:, signal.code], signal)
    return z


def _shares(
    setting: _Setting, name: str, codes: Float[ndarray, "row code"], stream: SeedSequence
) -> Float[ndarray, "row input"]:
    """Shares r * s of every signal, their signs s, nuisance, and the noise of each block."""
    signals = setting.task.of(name)
    k, (first, second) = len(signals), stream.spawn(2)
    block = default_rng(first).standard_normal((len(codes), setting.size.width + (setting.size.depth - 1) * k))
    signs = default_rng(second).choice([-1.0, 1.0], size=(len(codes), k))
    clear = AMPLITUDE * codes[:, [signal.code for signal in signals]] + block[:, :k]
    return np.hstack([clear * signs, signs, block[:, 2 * k :]])


def _geometry(setting: _Setting, rng: Generator) -> tuple[dict[str, ndarray], dict[str, ndarray]]:
    """A random rotation and a scale for every tap of every modality."""
    depth, width, names = setting.size.depth, setting.size.width, setting.task.modalities
    rotations = {name: ortho_group.rvs(width, size=depth, random_state=rng) for name in names}
    return rotations, {name: np.exp(rng.uniform(-0.7, 0.7, depth)) for name in names}


def _rotated(
    z: Float[ndarray, "row tap width"], rotations: Float[ndarray, "tap width width"], scales: Float[ndarray, " tap"]
) -> list[Float32[ndarray, "row width"]]:
    return [(scales[k] * z[:, k] @ rotations[k].T).astype(np.float32) for k in range(len(scales))]


def _encoder(setting: _Setting, name: str) -> dict[str, object]:
    signals = setting.task.of(name)
    return {
        "depth": setting.size.depth,
        "width": setting.size.width,
        "emerging": tuple(signal.tap for signal in signals),
        "correlations": tuple(signal.correlation for signal in signals),
        "amplitude": AMPLITUDE,
    }


def _describe(task: str, size: str, setting: _Setting, bunch: Bunch, elsewhere: str) -> str:
    signals = setting.task.signals
    return DESCR.format(
        task=task,
        size=size,
        signals="\n".join(
            f"- code {s.code} in {s.modality!r} at tap {s.tap}, correlation {s.correlation}" for s in signals
        ),
        amplitude=AMPLITUDE,
        elsewhere=elsewhere,
        rows=", ".join(map(str, setting.rows)),
        best=max(grid.max() for grid in bunch.oracles.values()),
        alone=max(curve.max() for curve in bunch.unimodal_oracle.values()),
        chance=oracle(setting.task, {}),
    )
