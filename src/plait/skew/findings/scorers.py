"""Scores of candidates as findings need them: picked, averaged, and how taps and sets of pairs are written."""

from collections.abc import Sequence

from plait.skew.ridge import Tap
from plait.skew.selection import Pairs
from plait.skew.uncertainty import Scored


def columns(scores: Scored, rows: Sequence[int]) -> Scored:
    """Some of the candidates."""
    return Scored(scores.values[list(rows)], scores.drawn[:, list(rows)])


def mean(scores: Scored) -> Scored:
    """The mean of all candidates, in every draw of the same ones, as one candidate."""
    return Scored(scores.values.mean(keepdims=True), scores.drawn.mean(axis=1, keepdims=True))


def tap_name(tap: Tap) -> str:
    """A tap as it is written: "image@5"."""
    return f"{tap[0]}@{tap[1]}"


def text_of(pairs: Pairs) -> str:
    """A set of pairs as it is written: "image@12 + text@4; image@3 + text@1"."""
    return "; ".join(map(str, pairs))
