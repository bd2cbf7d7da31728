"""What a report says in words: the answer, what every number is of, and what a picture shows."""

import numpy as np
import pandas as pd

from plait.skew.findings import Findings
from plait.skew.report import reading
from plait.skew.report.facts import trend

DESCRIPTIVE = "Descriptive only."
"""Goes before everything that was measured on the samples that chose."""
ONCE = "Reported once."
"""Goes before what was measured on test samples."""

_KINDS = {"skew pair": "a skew pair", "diagonal pair": "a diagonal pair"}
_RIGHT = "share of samples on which exactly one of the two single heads is right."
_STEPS = {
    "rises": "rises with every step",
    "falls": "falls with every step",
    "neither": "neither rises nor falls steadily",
}


def answer(findings: Findings) -> str:
    """The verdict in one plain sentence."""
    if not reading.has_choice(findings):
        return f"No fusion is supported: use {reading.fact(findings, 'tap')} alone."
    kind = _KINDS.get(findings.verdict)
    return f"Join {reading.fact(findings, 'pairs')}{f': {kind}' if kind else ''}."


def title(findings: Findings) -> str:
    """Heading of the page."""
    *names, last = findings.depths["modality"]
    return f"Which layers to join: {', '.join(names)} and {last}"


def conditions(findings: Findings) -> str:
    """What every number is of: metric, samples, draws, level."""
    held, draws, level = (reading.fact(findings, name) for name in ("held", "draws", "level"))
    return (
        f"{_capital(reading.metric_title(findings))} on {held} held-out samples, which also chose; "
        f"{draws} bootstrap draws, {reading.percent(level)} intervals."
    )


def of_gain_map(findings: Findings, operator: str) -> str:
    """Caption of the gain map."""
    level, tap = reading.percent(reading.fact(findings, "level")), reading.fact(findings, "tap")
    return (
        f"Gain of every pair joined by {operator}, over the best single tap, {tap}. Hatched: the lower {level} bound, "
        "simultaneous over all candidates, is not above 0. Framed: not told apart from the best candidate. Star: "
        f"chosen. Along the margins: every tap alone. {conditions(findings)}"
    )


def of_skew_profile(findings: Findings, operator: str) -> str:
    """Caption of the skew profile."""
    return (
        f"Gain of the best pair and mean gain of all pairs at every skewness, joined by {operator}. Intervals are of "
        f"one number by itself, and do not tell that the best was chosen. {conditions(findings)}"
    )


def of_frequency(findings: Findings, operator: str) -> str:
    """Caption of the map of frequencies."""
    return (
        f"How often each pair is the best of those joined by {operator}, in percent of the draws; along the margins, "
        f"how often the best is one of this map with this tap. {conditions(findings)}"
    )


def of_similarity(findings: Findings) -> str:
    """Caption of the maps of similarity."""
    known = bool(findings.similarity["disagreement"].notna().any())
    left, right = ("Left: alignment", f" Right: {_RIGHT}") if known else ("Alignment", "")
    alike = f"{left} of taps, 0 if they are unrelated, 1 if they are the same up to rotation and scale.{right}"
    return f"{alike} {conditions(findings)}"


def of_ladder(findings: Findings, operator: str) -> str:
    """Caption of the ladder of density, with what its curves do."""
    sets = findings.sets[findings.sets["operator"] == operator]
    said = [
        text
        for kind, what in (("window", "windows"), ("greedy", "sets built pair by pair"))
        for text in _steps(sets, kind, what)
    ]
    return " ".join([f"Score of sets of pairs joined by {operator} against their number.", *said, conditions(findings)])


def of_baselines(findings: Findings) -> str:
    """Caption of the baselines."""
    return (
        f"The choice beside what it has to beat, and how much better it is, on the same draws. {conditions(findings)}"
    )


def of_tested(findings: Findings) -> str:
    """Caption of what was scored on test samples."""
    draws, level = (reading.fact(findings, name) for name in ("draws", "level"))
    return (
        f"{_capital(reading.metric_title(findings))} of the same heads on test samples, which neither fitted nor "
        f"chose; {draws} bootstrap draws, {reading.percent(level)} intervals."
    )


def resolution(findings: Findings) -> str:
    """How many pairs cannot be told from the best candidate."""
    near, all_pairs = int(findings.pairs["in_confidence_set"].sum()), len(findings.pairs)
    return f"{near} of {all_pairs} single pairs (of all operators) cannot be told apart from the best candidate."


def _steps(sets: pd.DataFrame, kind: str, what: str) -> list[str]:
    rows = sets[sets["kind"] == kind].sort_values("size")
    if len(rows) < 2:
        return []
    ends = f"from {rows['size'].iloc[0]} to {rows['size'].iloc[-1]} pairs"
    return [f"Over {what}, {ends}, it {_STEPS[trend(rows['score'].to_numpy(dtype=np.float64))]}."]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
