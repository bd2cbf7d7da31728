"""How the learning rate goes from the first step to the last."""

import math
from collections.abc import Callable

Schedule = Callable[[int, int, int], float]
"""The share of the full learning rate at a step: from the step (from 0), the steps of an epoch, and the epochs."""

_LAST = 0.01


def constant(_step: int, _steps: int, _epochs: int) -> float:
    """The full rate at every step."""
    return 1.0


def cosine(step: int, steps: int, epochs: int) -> float:
    """Half a cosine from the full rate at the first step to 1 % of it at the last (after Loshchilov and Hutter, 2017).

    There are no restarts. Where training stops early, the rate does not come down to its end.
    """
    done = step / max(1, steps * epochs - 1)
    return _LAST + (1 - _LAST) * (1 + math.cos(math.pi * done)) / 2


def halving(step: int, steps: int, _epochs: int) -> float:
    """Half the rate of the epoch before ("type1" of Zhou et al., Informer, 2021)."""
    return 0.5 ** (step // steps)


SCHEDULES: dict[str, Schedule] = {"constant": constant, "cosine": cosine, "halving": halving}
"""Schedules by name."""
