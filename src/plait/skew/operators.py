"""Fusion operators with a solution in closed form: what a linear head reads of the taps of some pairs."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from plait.data.settings import check_one_of
from plait.skew.ridge import Tap, Terms
from plait.skew.space import Pair


def taps_of(pairs: Sequence[Pair]) -> tuple[tuple[Tap, Tap], ...]:
    """Both taps of every pair."""
    return tuple(((pair.first, pair.i), (pair.second, pair.j)) for pair in pairs)


def concat(pairs: Sequence[Pair]) -> Terms:
    """The taps side by side, each once: without any interaction, (i, anything) + (anything, j) is (i, j)."""
    return tuple((tap,) for tap in dict.fromkeys(tap for both in taps_of(pairs) for tap in both))


def outer(pairs: Sequence[Pair]) -> Terms:
    """All products of features of the two taps of each pair: interactions alone."""
    return taps_of(pairs)


def concat_outer(pairs: Sequence[Pair]) -> Terms:
    """The taps side by side, and the products of each pair."""
    return concat(pairs) + outer(pairs)


CLOSED_FORM: Mapping[str, Callable[[Sequence[Pair]], Terms]] = MappingProxyType(
    {"concat": concat, "outer": outer, "concat+outer": concat_outer}
)
"""Operators by name: from pairs to what a ridge head reads."""


def check_scanned(names: Sequence[str]) -> None:
    """Raise ValueError unless operators are named, each once."""
    for name in names:
        check_one_of("Each of scan", name, CLOSED_FORM)
    if not names or len(set(names)) < len(names):
        known = ", ".join(map(repr, CLOSED_FORM))
        raise ValueError(f"scan must name at least one of {known}, each once (got {names!r}).")
