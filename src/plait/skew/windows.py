"""Windows of equally skewed positions on the common grid of two encoders, and the taps that stand there."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

Grid = tuple[tuple[int, int], ...]


def matched(position: int, depth: int, length: int) -> int:
    """The tap that stands at a position of the common grid: ceil(position * depth / length).

    Args:
        position: Position on the grid, 1 to `length`.
        depth: Number of taps of the encoder, 1 to `length`; at `length` every position is its own tap.
        length: Length of the grid, the taps of the deeper encoder.

    Returns:
        The tap, 1 to `depth`.
    """
    return -(-position * depth // length)


def _downward(length: int, m: int, d: int) -> Grid:
    return tuple((length - k - max(0, -d), length - k - max(0, d)) for k in range(m))


def _upward(_length: int, m: int, d: int) -> Grid:
    return tuple((1 + k + max(0, d), 1 + k + max(0, -d)) for k in range(m))


ANCHORS: Mapping[str, Callable[[int, int, int], Grid]] = MappingProxyType({"top": _downward, "bottom": _upward})
"""Where a window begins, by name: from (length, m, d) to m positions with i - j = d.

"top" goes down from the last tap of the encoder that is tapped deeper, "bottom" goes up from the first tap of the
one that is tapped shallower.
"""


def window(first: tuple[str, int], second: tuple[str, int], m: int, d: int, anchor: str) -> Grid:
    """The taps of m positions of one skewness.

    Args:
        first: Name and number of taps of the one modality.
        second: Name and number of taps of the other.
        m: Number of pairs, 1 to L, the larger number of taps.
        d: Skewness on the common grid, first minus second, -(L - m) to L - m.
        anchor: A key of `ANCHORS`.

    Returns:
        Taps (of the first, of the second), in the order in which the anchor counts.

    Raises:
        ValueError: If the window does not fit, or the anchor is unknown.
    """
    length = max(first[1], second[1])
    both = " and ".join(f"'{name}' ({depth} taps)" for name, depth in (first, second))
    if anchor not in ANCHORS:
        raise ValueError(f"`anchor` must be one of {', '.join(map(repr, ANCHORS))}, got {anchor!r}.")
    if not 1 <= m <= length:
        raise ValueError(f"`m` must lie between 1 and {length} for {both}, got {m}.")
    most = length - m
    if abs(d) > most:
        raise ValueError(f"`d` must lie between {-most} and {most} for {m} pairs of {both}, got {d}.")
    positions = ANCHORS[anchor](length, m, d)
    return tuple((matched(i, first[1], length), matched(j, second[1], length)) for i, j in positions)
