"""The one row that says what a search came to."""

import numpy as np
import pandas as pd

from plait.skew.findings.concentration import entropy, gini, hoyer
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.profile import skew_effect
from plait.skew.findings.scorers import columns, tap_name, text_of
from plait.skew.findings.similarity import is_classification
from plait.skew.findings.wording import sentence
from plait.skew.uncertainty import selection_frequency


def summary_table(seen: Evidence) -> pd.DataFrame:
    """Choice, gain, skewness, concentration and cost, in numbers and in words."""
    search, choice = seen.search, seen.search.selection
    row = {
        "task": "classification" if is_classification(seen.judge) else "regression",
        "metric": search.metric.name,
        "verdict": choice.verdict,
        "operator": search.operator or "",
        "pairs": text_of(choice.pairs),
        "tap": tap_name(choice.tap),
        "gain": choice.gain,
        "gain_low": choice.low,
        "score": seen.of_tap(choice.tap) if choice.place is None else float(search.fused.values[choice.place]),
        "level": seen.level,
        "draws": len(search.fused.drawn),
        "margin": seen.margin,
        **_samples(seen),
        **_skewness(seen),
        **_concentration(seen),
        "cost": _cost(seen),
        "trail": "\n".join(choice.trail),
        "operators": ", ".join(seen.operators),
    }
    return pd.DataFrame([row | {"sentence": sentence(seen, row)}])


def _samples(seen: Evidence) -> dict[str, int]:
    """Training samples, the mean over folds; judged ones, of all folds."""
    splits = seen.judge.splits
    train = round(float(np.mean([len(split.train) for split in splits])))
    return {"train": train, "held": sum(len(split.validation) for split in splits)}


def _skewness(seen: Evidence) -> dict[str, float]:
    effect, low, high = skew_effect(seen)
    return {"skew_effect": effect, "skew_effect_low": low, "skew_effect_high": high}


def _concentration(seen: Evidence) -> dict[str, float]:
    """Of the single pairs of the operator; NaN if it was not tried on any."""
    rows = seen.singles.get(seen.operator, [])
    if not rows:
        return dict.fromkeys(("p_skew", "hoyer", "gini", "entropy"), float("nan"))
    skewed = np.array([seen.space.skewness(pair) != 0 for pair in seen.pairs(seen.operator)])
    frequency, over = selection_frequency(columns(seen.search.fused, rows)), seen.gains.values[rows]
    share = float(frequency[skewed].sum())
    return {"p_skew": share, "hoyer": hoyer(over), "gini": gini(over), "entropy": entropy(frequency)}


def _cost(seen: Evidence) -> float:
    """Share of the blocks that run, summed over modalities, over their number."""
    choice, depths = seen.search.selection, seen.space.depths
    alone = choice.tap[1] / depths[choice.tap[0]]
    return (seen.space.cost(choice.pairs) if choice.pairs else alone) / len(depths)
