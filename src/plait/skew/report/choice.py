"""What is known of the choice, as a list of facts."""

from typing import Any

from plait.drawing.numbers import interval, shown, signed
from plait.skew.findings import Findings
from plait.skew.report.reading import metric_title, percent


def choice_facts(findings: Findings) -> dict[str, str]:
    """Numbers of the choice, by heading; of the best single tap, where no fusion is supported."""
    one = findings.summary.iloc[0].to_dict()
    return {
        "pairs": one["pairs"] or "none",
        "joined by": f"{one['operator'] or 'nothing'} (tried: {one['operators']})",
        "score": _score(one, metric_title(findings)),
        **_gain(one),
        "best skew pair minus best diagonal pair": _effect(one),
        "chance that the best pair is skew": f"{100 * one['p_skew']:.1f} % of the draws",
        "concentration of the gains": f"Hoyer {shown(one['hoyer'])}, Gini {shown(one['gini'])} (0 even, 1 in one pair)",
        "entropy of the frequencies": f"{shown(one['entropy'])} nats (0: always the same pair)",
        "share of blocks that must run": f"{100 * one['cost']:.0f} %",
        "samples": f"{one['train']} to fit heads, {one['held']} to judge and choose",
    }


def _score(one: dict[Any, Any], metric: str) -> str:
    alone = "" if one["pairs"] else f" of {one['tap']} alone"
    return f"{shown(one['score'])} ({metric}{alone})"


def _gain(one: dict[Any, Any]) -> dict[str, str]:
    whose = "" if one["pairs"] else " (of the best candidate)"
    return {
        "gain": f"{signed(one['gain'])} over the best single tap, {one['tap']}{whose}",
        "lower bound of the gain": f"{signed(one['gain_low'])} ({percent(one['level'])}, simultaneous)",
        "given away for sparsity": f"{shown(one['margin'])} at most",
    }


def _effect(one: dict[Any, Any]) -> str:
    return f"{signed(one['skew_effect'])} {interval(one['skew_effect_low'], one['skew_effect_high'])}".strip()
