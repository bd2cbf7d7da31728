"""What a search came to, in plain words."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from plait.skew.findings.evidence import Evidence
from plait.skew.findings.scorers import text_of

_JOINED = {
    "skew pair": "The skew pair {pairs}, joined by {operator}, is",
    "diagonal pair": "The diagonal pair {pairs}, joined by {operator}, is",
    "several pairs": "Several pairs, {pairs}, joined by {operator}, are",
}


def sentence(seen: Evidence, row: Mapping[str, Any]) -> str:
    """Choice, gain with its bounds, what heads were fitted and judged on, and what skewness does.

    Args:
        seen: The search.
        row: The summary's other columns.
    """
    told = _fusion if row["verdict"] in _JOINED else _none
    judged = "Heads were fitted on {train} samples and judged on {held}, which also chose."
    said = [told(seen, row), judged.format(**row)]
    if np.isfinite(row["skew_effect"]):
        effect = "The best skew pair minus the best diagonal pair is {skew_effect:.3f} "
        said.append((effect + "({skew_effect_low:.3f} to {skew_effect_high:.3f}).").format(**row))
    return " ".join(said)


def _fusion(seen: Evidence, row: Mapping[str, Any]) -> str:
    choice = _JOINED[row["verdict"]].format(**row)
    return (
        f"{choice} the sparsest fusion that is not told apart from the best: {_score(seen, row)}, "
        f"{_gain(seen, row)}. {row['cost']:.0%} of all blocks run."
    )


def _none(seen: Evidence, row: Mapping[str, Any]) -> str:
    operator, pairs = seen.search.sets[seen.place]
    return (
        f"No fusion is supported: the best one, {text_of(pairs)} joined by {operator}, has {_gain(seen, row)}. "
        f"{row['tap']} alone is taken: {_score(seen, row)}."
    )


def _score(seen: Evidence, row: Mapping[str, Any]) -> str:
    """The metric as it is known, not negated."""
    metric = seen.search.metric
    return f"{metric.title} {metric.sign * row['score']:.3f}"


def _gain(seen: Evidence, row: Mapping[str, Any]) -> str:
    low, high = (float(side[seen.place]) for side in (seen.band.low, seen.band.high))
    count = len(seen.search.sets)
    return (
        f"a gain of {row['gain']:.3f} over the best single tap, {row['tap']} ({seen.level:.0%} bounds {low:.3f} to "
        f"{high:.3f}, simultaneous over {count} candidates)"
    )
