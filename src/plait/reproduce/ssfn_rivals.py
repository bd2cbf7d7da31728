"""What pairs of taps are compared with on real data, by name, in the order of tables."""

from collections.abc import Sequence

from plait.skew.findings.contenders import CHOSEN

BEST_TAP, LATE_DECISIONS = "best tap", "late decisions"
LATE, PAIRWISE, DIAGONAL, SKEW = "late pair", "pairwise", "best diagonal pair", "best skew pair"
BEST, MIX, MIXES = f"{BEST_TAP} of all", "mix of all taps", "mix of both"


def closed_names(modalities: Sequence[str]) -> list[str]:
    """The chosen one and its rivals with heads in closed form: those that findings of a search have."""
    own = [f"{what} of {name}" for what in (BEST_TAP, MIX, "two taps") for name in modalities]
    return [CHOSEN, BEST, *own, LATE_DECISIONS, LATE, PAIRWISE, DIAGONAL, SKEW, "all taps", "random pair"]


def trained_names(modalities: Sequence[str]) -> list[str]:
    """The chosen one and its rivals with trained heads."""
    own = [f"{what} of {name}" for what in (BEST_TAP, MIX) for name in modalities]
    return [CHOSEN, BEST, *own, MIXES, LATE_DECISIONS, LATE, PAIRWISE, DIAGONAL, SKEW]
