"""Hard-concrete gates, which are exactly 0 with a probability that has a gradient (Louizos et al., 2018)."""

from math import log

from jaxtyping import Float
from torch import Tensor

_TEMPERATURE = 2 / 3
_LOW, _HIGH = -0.1, 1.1
_SHIFT = _TEMPERATURE * log(-_LOW / _HIGH)

Gate = Float[Tensor, "*gate"]


def drawn_gates(log_alpha: Gate, uniform: Gate) -> Gate:
    """Gates between 0 and 1, both included, from uniform numbers.

    s = sigmoid((log u - log(1 - u) + log alpha) / beta), g = clip(s (zeta - gamma) + gamma, 0, 1) with beta = 2/3,
    gamma = -0.1 and zeta = 1.1.

    Args:
        log_alpha: How open a gate is: at minus infinity always 0, at infinity always 1.
        uniform: Numbers between 0 and 1, neither included.
    """
    return _stretched((uniform.logit() + log_alpha) / _TEMPERATURE)


def settled_gates(log_alpha: Gate) -> Gate:
    """The gates without a draw: clip(sigmoid(log alpha) (zeta - gamma) + gamma, 0, 1)."""
    return _stretched(log_alpha)


def open_probability(log_alpha: Gate) -> Gate:
    """The probability that a drawn gate is not 0: sigmoid(log alpha - beta log(-gamma / zeta))."""
    return (log_alpha - _SHIFT).sigmoid()


def _stretched(values: Gate) -> Gate:
    return (values.sigmoid() * (_HIGH - _LOW) + _LOW).clamp(0, 1)
