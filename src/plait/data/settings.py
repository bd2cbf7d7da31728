"""Hyperparameters checked at the border: one error each, with the name, what is allowed, and what came."""

from collections.abc import Collection
from math import lcm
from numbers import Integral, Real
from typing import Any

from sklearn.utils import check_random_state


def check_whole(name: str, value: Any, least: int) -> None:
    """Raise ValueError if a setting is no whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name} must be a whole number of at least {least} (got {value!r}).")


def check_real(name: str, value: Any, low: float = 0.0, high: float = float("inf"), *, above: bool = False) -> None:
    """Raise ValueError if a setting is no number from `low` (or, above it, not `low` itself) to below `high`."""
    number = float("nan") if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    if not low <= number < high or (above and number == low):
        allowed = f"{'above' if above else 'of at least'} {low:g} and below {high:g}"
        raise ValueError(f"{name} must be a number {allowed} (got {value!r}).")


def check_one_of(name: str, value: Any, choices: Collection[str]) -> None:
    """Raise ValueError if a setting is none of the words that it may be."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))} (got {value!r}).")


def seed_from(random_state: Any) -> int:
    """A seed drawn from what scikit-learn takes for a source of random numbers; a generator goes on by one draw.

    Raises:
        ValueError: If it is no source of random numbers.
    """
    try:
        return int(check_random_state(random_state).randint(2**31 - 1))
    except ValueError as error:
        raise ValueError(
            "random_state must be a seed (a whole number from 0 to 2**32 - 1), a numpy.random.RandomState, or None for "
            f"a new seed every time (got {random_state!r})."
        ) from error


def layer_widths(name: str, values: Any) -> tuple[int, ...]:
    """Widths of hidden layers as a tuple.

    Raises:
        ValueError: If they are no list of whole numbers of at least 1.
    """
    fine = _is_list(values) and all(not isinstance(value, bool) and isinstance(value, Integral) for value in values)
    if not fine or any(value < 1 for value in values):
        raise ValueError(
            f"{name} must list the widths of the hidden layers, whole numbers of at least 1, for example (64, 32), "
            f"or () for none (got {values!r})."
        )
    return tuple(int(value) for value in values)


def strengths(name: str, values: Any) -> tuple[float, ...]:
    """Finite numbers of at least 0 as a tuple: one or more, all different.

    Raises:
        ValueError: If they are something else.
    """
    if not _is_list(values) or not len(values) or len(set(values)) != len(values):
        raise ValueError(f"{name} must list one or more different numbers, for example (0.0, 1.0) (got {values!r}).")
    for value in values:
        check_real(f"Each of {name}", value)
    return tuple(float(value) for value in values)


def words(name: str, values: Any) -> tuple[str, ...]:
    """A list of words as a tuple.

    Raises:
        ValueError: If it is something else, for example one word.
    """
    if not _is_list(values) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} must be a list of words, for example ['identity', 'null'] (got {values!r}).")
    return tuple(values)


def _is_list(values: Any) -> bool:
    return not isinstance(values, str | bytes) and hasattr(values, "__iter__") and hasattr(values, "__len__")


def check_encoded(encoder_hidden: Any, hidden: Any, dropout: Any) -> None:
    """Raise ValueError if layers or dropout of a network on encodings are out of range."""
    layer_widths("encoder_hidden", encoder_hidden)
    layer_widths("hidden", hidden)
    check_real("dropout", dropout, 0.0, 1.0)


def check_heads(width: int, heads: int) -> None:
    """Raise ValueError if the heads cannot share the width equally."""
    if width % heads:
        fitting = lcm(heads, 4)  # 4 are the heads of the encoders
        raise ValueError(
            f"width must be divisible by heads (got width={width} and heads={heads}). Use for example width="
            f"{(width // fitting + 1) * fitting}."
        )
