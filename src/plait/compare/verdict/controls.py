"""Negative controls: what must not work, and what must cost something."""

from plait.compare.outcomes import Outcomes
from plait.compare.statistics.paired import Paired, compare_pairs
from plait.compare.verdict.wording import figure, interval, p_value
from plait.statistics.metrics import Metric

TARGET_SHUFFLED = "control: target shuffled"
"""Label of the control that learns from a shuffled target; the others are "control: NAME shuffled"."""


def sentences(
    outcomes: Outcomes, metric: Metric, probe: str | None, alpha: float, rest: tuple[float, int, int]
) -> tuple[str, ...]:
    """What the controls say.

    Args:
        outcomes: What was predicted.
        metric: What decides.
        probe: Label of the fusion that was fitted on spoiled data; None leaves out what shuffled modalities cost.
        alpha: Level of the alarm.
        rest: Margin, draws and seed of `compare_pairs`.
    """
    judged = outcomes.of_kind("baseline", "fusion", "control")
    shuffled = list(outcomes.of_kind("control").contenders)
    if not shuffled:
        return ()
    paired = compare_pairs(judged, metric, *rest)
    found = list(_leak(judged, metric, paired, alpha)) if TARGET_SHUFFLED in shuffled else []
    if probe is not None and probe in judged.contenders:
        costs = [_cost(label, paired, probe) for label in shuffled if label != TARGET_SHUFFLED]
        unit = f"in {metric.title}, 95 % intervals"
        found += (
            [f"Shuffled among the samples, a modality costs {probe} ({unit}): {'; '.join(costs)}."] if costs else []
        )
    return tuple(found)


def _leak(outcomes: Outcomes, metric: Metric, paired: Paired, alpha: float) -> tuple[str, ...]:
    baselines = list(outcomes.of_kind("baseline").contenders)
    if not baselines:
        return ()
    best = max(baselines, key=lambda label: metric.sign * paired.means[label])
    apart = paired.between(TARGET_SHUFFLED, best)
    if apart.p_in_favour < alpha:
        told = f"by {figure(apart.mean)} {metric.title}, {interval(apart)}; one-sided {p_value(apart.p_in_favour)}"
        return (f"Alarm: trained on a shuffled target, a method still beats the baseline ({told}). Something leaks.",)
    return ("Trained on a shuffled target, a method does not beat the baseline, as it should be.",)


def _cost(label: str, paired: Paired, probe: str) -> str:
    apart = paired.between(probe, label)
    name = label.removeprefix("control: ").removesuffix(" shuffled")
    return f"{name} {figure(apart.mean)} ({figure(apart.low)} to {figure(apart.high)})"
