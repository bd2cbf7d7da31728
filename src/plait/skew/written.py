"""Pairs and taps as they are written by hand."""

from collections.abc import Sequence
from typing import Any

from plait.skew.ridge import Tap
from plait.skew.space import Pair, TapSpace

_ANY = 10**6  # as many taps as anyone may write; the true number is checked where it is known


def listed_pairs(pairs: Any) -> list[Any]:
    """The pairs that are given, one by one; one text is one pair.

    Raises:
        ValueError: If they are no list of pairs.
    """
    if isinstance(pairs, str):
        return [pairs]
    found = list(pairs if isinstance(pairs, Sequence) else () if pairs is None else [pairs])
    if any(not isinstance(pair, str | Pair | Sequence) for pair in found):
        raise ValueError(
            "pairs must be a list of pairs, for example ((1, 2),) or ('image@1 + text@2',), () to join none, or None "
            f"to search (got {pairs!r})."
        )
    return found


def read_pair(pair: Any, names: Sequence[str]) -> Pair:
    """A pair as it is written by hand, of modalities in their order.

    Raises:
        ValueError: If it is no pair of these modalities.
    """
    return TapSpace(dict.fromkeys(names, _ANY)).read(tuple(pair) if isinstance(pair, list) else pair)


def read_tap(tap: Any, names: Sequence[str]) -> Tap:
    """A tap as it is written by hand: "image@5".

    Raises:
        ValueError: If it is none of these modalities.
    """
    name, mark, number = str(tap).rpartition("@")
    if not mark or name not in names or not number.isdecimal() or int(number) < 1:
        raise ValueError(f"A tap is written like '{names[0]}@5', of {', '.join(names)} (got {tap!r}).")
    return name, int(number)


def check_given(pairs: Any, tap: Any, names: Sequence[str]) -> None:
    """Raise ValueError if pairs are given twice, or both pairs (or a search for them) and a single tap, or neither.

    Args:
        pairs: Those that are given; None where they are searched.
        tap: The tap that is read by itself, or None.
        names: The modalities.
    """
    found = [read_pair(pair, names) for pair in listed_pairs(pairs)]
    twice = [pair for place, pair in enumerate(found) if pair in found[:place]]
    if twice:
        raise ValueError(f"pairs has {twice[0]} twice (got {pairs!r}). Give every pair once.")
    joined = pairs is None or found
    if joined and tap is not None:
        why = "pairs are searched" if pairs is None else "there are pairs"
        raise ValueError(f"tap={tap!r} is read where nothing is joined, and {why}. Leave it out, or pass pairs=().")
    if not joined and tap is None:
        raise ValueError("pairs=() joins nothing and reads one tap: say which, for example tap='image@5'.")
