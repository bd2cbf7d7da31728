"""The sentences of a verdict."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from plait.compare.outcomes import Outcomes
from plait.compare.statistics.differences import Difference
from plait.compare.statistics.multiple import holm
from plait.compare.verdict.case import Case

MOST_NAMED = 6
"""Methods that a sentence names before it counts the others."""
FEW_SPLITS = 5
"""Splits below which a sentence of caution is said."""
_FAMILY = {"joint": "joint fusion (of features or representations)", "late": "late fusion (of predictions)"}


def figure(value: float) -> str:
    """A number of a metric as papers write it: ".031", "-.004", "1.250", "123"."""
    if not np.isfinite(value):
        return "undefined"
    small = 1e-9 < abs(value) < 0.0005
    text = f"{value:.2g}" if small else f"{round(value, 3) + 0.0:.3f}" if abs(value) < 10 else f"{value:.4g}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def p_value(p: float) -> str:
    """For example "p = .020", or "p < .001"."""
    return "p < .001" if p < 0.001 else f"p = {figure(p)}"


def chance(p: float) -> str:
    """A probability: ".230", "below .001", "above .999"."""
    return "below .001" if p < 0.001 else "above .999" if p > 0.999 else figure(p)


def size(value: float) -> str:
    """A margin or a level as it was given: ".01"."""
    return f"{value:g}".removeprefix("0")


def interval(one: Difference) -> str:
    """For example "95 % interval .004 to .058"."""
    ends = f"95 % interval {figure(one.low)} to {figure(one.high)}"
    return ends if np.isfinite(one.low + one.high) else "no interval"


def begun(label: str) -> str:
    """A label at the beginning of a sentence."""
    return label[:1].upper() + label[1:]


def modality(label: str) -> str:
    """What a single modality is called in a sentence: "mrna" for "mrna alone"."""
    return label.replace(" alone", "", 1)


def worth(case: Case, support: Mapping[str, float], best: str | None) -> tuple[str, ...]:
    """Whether fusion is worth it."""
    single = case.best(case.labels("single"))
    if best is None or len(case.modalities) == 1:
        return (_nothing_fused(case),)
    if single is None:
        return ("No single modality was compared, so whether fusion is worth it cannot be said.",)
    if not np.isfinite(case.paired.means[best]):
        return (
            f"{begun(case.metric.title)} is undefined on these splits, so whether fusion is worth it cannot be said.",
        )
    apart = case.paired.between(best, single)
    proof = f"{interval(apart)}; Holm-adjusted {p_value(support[best])}; {_protocol(case)}"
    against = f"the best single modality ({modality(single)})"
    if support[best] < case.alpha:
        gain = f"{figure(apart.mean)} {case.metric.title}"
        return (f"{begun(best)} beats {against} by {gain} ({proof}).", *_also(case, support, best), _odds(case, apart))
    side, gap = "above" if apart.mean >= 0 else "below", f"{figure(abs(apart.mean))} {case.metric.title}"
    return (
        "No fusion is shown to beat the best single modality and the baseline.",
        f"The best fusion, {best}, is {gap} {_side(case, side)} {against} ({proof}).",
        _odds(case, apart),
    )


def alike(case: Case) -> tuple[str, ...]:
    """Which fusions cannot be told apart from the best of them."""
    labels = case.labels("fusion")
    best = case.best(labels)
    others = [label for label in labels if label != best]
    if best is None or not others:
        return ()
    apart = {label: case.paired.between(best, label) for label in others}
    adjusted = holm(np.nan_to_num([one.p for one in apart.values()], nan=1.0))
    same = [label for label, p in zip(others, adjusted, strict=True) if not p < case.alpha]
    if not same:
        return (f"{begun(best)} is better than every other fusion (Holm-adjusted p < {size(case.alpha)} each).",)
    if len(same) == 1:
        told = f"difference {figure(apart[same[0]].mean)}, {interval(apart[same[0]])}"
        return (f"{begun(best)} and {same[0]} cannot be told apart ({told}).",)
    near = sorted(same, key=lambda label: apart[label].mean)
    behind = ", ".join(f"{label} ({figure(apart[label].mean)} behind)" for label in near[:MOST_NAMED])
    rest = f" and {len(near) - MOST_NAMED} more" if len(near) > MOST_NAMED else ""
    return (f"{begun(best)} has the best mean of all fusions; it cannot be told apart from {behind}{rest}.",)


def shared(probe: str, title: str, row: Mapping[str, Any]) -> str:
    """Whether the modalities say the same, or complement each other."""
    told = f"to {probe}, alone they are worth {figure(row['apart'])} {title} in sum, together {figure(row['together'])}"
    low, high = row["overlap_low"], row["overlap_high"]
    ends = f"overlap {figure(row['overlap'])}, 95 % interval {figure(low)} to {figure(high)}"
    if low > 0:
        return f"The modalities say in part the same: {told} ({ends})."
    if high < 0:
        return f"The modalities complement each other: {told} ({ends})."
    return f"What the modalities are worth adds up: {told} ({ends})."


def kind(case: Case, name: str, winner: str, loser: str) -> str:
    """One kind of fusion is better."""
    apart = case.paired.between(winner, loser)
    other = "late" if name == "joint" else "joint"
    return (
        f"{begun(_FAMILY[name])} is the better kind: its best, {winner}, beats the best of {_FAMILY[other]}, {loser}, "
        f"by {figure(apart.mean)} {case.metric.title} ({interval(apart)}; adjusted for the number of methods, p < "
        f"{size(case.alpha)})."
    )


def no_kind(case: Case, joint: str, late: str) -> str:
    """Neither kind of fusion is better."""
    apart = case.paired.between(joint, late)
    told = f"the first less the second: {figure(apart.mean)}, {interval(apart)}; {p_value(apart.p)}"
    return f"Which kind of fusion is better is undecided: joint (best: {joint}) or late (best: {late}) ({told})."


def one_family(joint: str | None, late: str | None) -> tuple[str, ...]:
    """A kind of fusion that was not compared."""
    untried = [_FAMILY[name] for name, best in (("joint", joint), ("late", late)) if best is None]
    verb = "were" if len(untried) > 1 else "was"
    return (f"{begun(' and '.join(untried))} {verb} not tried, so which kind is better cannot be said.",)


def learned(case: Case, above: Mapping[str, float]) -> tuple[str, ...]:
    """Whether some modality predicts at all, and which does best."""
    single, baseline = case.best(case.labels("single")), case.best(case.labels("baseline"))
    if single is None or baseline is None:
        return ()
    apart = case.paired.between(single, baseline)
    told = f"{figure(apart.mean)} {case.metric.title}, {interval(apart)}"
    if min(above.values()) < case.alpha and apart.low > 0:
        return (f"The best single modality is {modality(single)}; over the baseline it gains {told}.",)
    return (f"No single modality is shown to beat the baseline; the best, {modality(single)}, differs by {told}.",)


def simple(case: Case, better: Mapping[str, float]) -> tuple[str, ...]:
    """How hard the best fusion of linear learners is to beat.

    Args:
        case: What was compared.
        better: Adjusted p-value of "better than that" of each other fusion.
    """
    label = case.best(case.simple)
    if label is None or not better:
        return ()
    sign, means = case.metric.sign, case.paired.means
    below = sum(sign * means[other] < sign * means[label] for other in better)
    told = f"{begun(label)}, the simplest to fit and explain, has {figure(means[label])} {case.metric.title}"
    shown = [other for other, p in better.items() if p < case.alpha]
    rank = f"better than {below} of the {len(better)} other fusions"
    if not shown:
        return (f"{told}, {rank}; none is shown to beat it.",)
    names = f"{', '.join(shown[:MOST_NAMED])}{f' and {len(shown) - MOST_NAMED} more' if shown[MOST_NAMED:] else ''}"
    return (f"{told}, {rank}; shown to beat it: {names}.",)


def cautions(case: Case) -> tuple[str, ...]:
    """What few splits cannot say."""
    count = len(case.outcomes.truth.splits)
    if count == 1:
        return (
            "There is one split: intervals and p-values are of these fitted models on other test samples, and do not "
            "say what other training samples would do.",
        )
    if count < FEW_SPLITS:
        return (f"There are {count} splits only: p-values are rough, and small differences cannot be seen.",)
    return ()


def failures(outcomes: Outcomes) -> tuple[str, ...]:
    """Who is not in the comparison, and why."""
    failed = [one for one in outcomes.contenders.values() if one.failure]
    return tuple(f"{begun(one.label)} failed and is not compared: {one.failure.rstrip('.')}." for one in failed)


def _protocol(case: Case) -> str:
    protocol = case.outcomes.truth.protocol
    return case.paired.test + ("" if case.paired.test.endswith(protocol) else f", {protocol}")


def _side(case: Case, side: str) -> str:
    """In place of "above" and "below", which mislead where lower is better."""
    if case.metric.greater_is_better:
        return side
    return "better than" if side == "above" else "worse than"


def _also(case: Case, support: Mapping[str, float], best: str) -> tuple[str, ...]:
    others = [label for label, p in support.items() if p < case.alpha and label != best]
    whom = "It beats the baseline too"
    told = f"{', '.join(others[:MOST_NAMED])}{f' and {len(others) - MOST_NAMED} more' if others[MOST_NAMED:] else ''}"
    said = f"{whom}. These do both, too: {told}." if others else f"{whom}. No other fusion is shown to do both."
    top = case.best(case.labels("fusion"))
    return (said,) if top == best else (said, f"{begun(str(top))} has a higher mean, but is not shown to do both.")


def _odds(case: Case, apart: Difference) -> str:
    """The Bayesian reading of a difference."""
    if not np.isfinite(apart.p_better):
        return "How probable that is cannot be said: there is one group of samples only."
    return (
        f"The probability that it is better by more than {size(case.margin)} is {chance(apart.p_better)}; "
        f"that it is worse by more, {chance(apart.p_worse)}; that the two are that close, {chance(apart.p_equal)}."
    )


def _nothing_fused(case: Case) -> str:
    if len(case.modalities) == 1:
        return f"There is one modality ({next(iter(case.modalities))}), so there is nothing to fuse."
    return "No fusion was compared, so whether it is worth it cannot be said."
