"""The verdict: is fusion worth it, which kind, and what cannot be told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from plait.compare.outcomes import Kind, Outcomes
from plait.compare.statistics.ledger import ledger_table, sharing
from plait.compare.statistics.multiple import holm
from plait.compare.statistics.paired import Paired, compare_pairs, pairs_frame
from plait.compare.verdict import controls, wording
from plait.compare.verdict.case import Case
from plait.statistics.metrics import metric_by_name

_RIVALS: tuple[Kind, ...] = ("single", "baseline")


@dataclass(frozen=True)
class Verdict:
    """What a comparison says.

    Args:
        supported: Whether some fusion beats the best single modality and the baseline (see `decide`).
        kind: "joint", "late" or "undecided"; None if no fusion was compared.
        best_fusion: Label of the fusion with the best mean, among the supported if there are any; None if none was
            compared.
        best_single: Label of the single modality with the best mean; None if none was compared.
        sentences: The verdict in plain words, the main thing first.
        evidence: All pairs of baselines, single modalities and fusions (see `paired_table`).
    """

    supported: bool
    kind: str | None
    best_fusion: str | None
    best_single: str | None
    sentences: tuple[str, ...]
    evidence: pd.DataFrame


def decide(
    outcomes: Outcomes,
    metric: str,
    margin: float = 0.01,
    alpha: float = 0.05,
    probe: str | None = None,
    draws: int = 1000,
    random_state: int = 0,
) -> Verdict:
    """Read a comparison.

    Rules:

    - Fusion is *supported* if some fusion is better than the single modality and the baseline with the best means. Its
      p-value is the larger of these two one-sided comparisons (an intersection-union test), adjusted by Holm over the
      fusions: with no true advantage anywhere, the chance that any of them is called supported is at most `alpha`. That
      the best single modality was picked on the same samples flatters it, not the fusions.
    - The best fusion has the best mean among the supported; if there are none, the best mean of all, and is said to be
      unsupported.
    - The kind is "joint" (features or representations meet) or "late" (predictions meet) if some method of that family
      beats the best of the other, with the p-value of the first point adjusted by Holm over its family and doubled
      for the two sides; otherwise "undecided". However many methods either family has, a kind that is not better is
      called so with a chance of at most `alpha`. A method that does both (a cohort) is of neither family.
    - Fusions cannot be told apart from the best of them if the p-value of their difference, adjusted by Holm over the
      comparisons with the best, is not below `alpha`.
    - The modalities say in part the same, or complement each other, if the interval of the overlap of `sharing` lies
      above, or below, 0.
    - A fusion of linear learners is hard to beat if no other fusion beats it, adjusted by Holm over the others.
    - Something is learned if some single modality beats every baseline, by the rule of the first point.
    - Controls: with its target shuffled the probe must not beat the best baseline; a modality that is shuffled among
      the samples should cost it something.

    P-values are those of `compare_pairs`: the corrected t over splits, or over the groups of one test set.

    Args:
        outcomes: What was predicted.
        metric: Name of the metric that decides.
        margin: Differences up to this count as none where probabilities are given, in units of the metric.
        alpha: Level, in (0, 1).
        probe: Label of the fusion that the controls spoil; None says nothing of what shuffled modalities cost.
        draws: Draws of the bootstrap, where there is one split.
        random_state: Seed of draws.

    Raises:
        ValueError: If the task has no such metric, or `margin` or `alpha` is out of range.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is the chance of a false claim, in (0, 1) (got {alpha!r}). Usual is 0.05.")
    judged, scored = outcomes.checked(), metric_by_name(outcomes.truth.task, metric)
    rest = (margin, draws, random_state)
    asked = judged.of_kind("baseline", "single", "fusion")
    paired = compare_pairs(asked, scored, *rest)
    case = Case(asked, scored, margin, alpha, paired, pairs_frame(asked, paired))
    support = supported_fusions(case)
    kind, kind_sentence = _kind(case)
    return Verdict(
        bool(support) and min(support.values()) < alpha,
        kind,
        _best_fusion(case, support),
        case.best(case.labels("single")),
        (
            *wording.worth(case, support, _best_fusion(case, support)),
            *wording.alike(case),
            *kind_sentence,
            *_sharing(judged, probe, rest),
            *_simple(case),
            *wording.learned(case, beating(paired, case.labels("single"), case.labels("baseline"))),
            *controls.sentences(judged, scored, probe, alpha, rest),
            *wording.cautions(case),
            *wording.failures(judged),
        ),
        case.evidence,
    )


def supported_fusions(case: Case) -> dict[str, float]:
    """Holm-adjusted p of each fusion for "better than the best single modality and baseline"; {} if there is none."""
    if not case.labels("single") or len(case.modalities) == 1:
        return {}
    rivals = [case.best(case.labels(kind)) for kind in _RIVALS]
    return beating(case.paired, case.labels("fusion"), [label for label in rivals if label is not None])


def beating(paired: Paired, candidates: Sequence[str], rivals: Sequence[str]) -> dict[str, float]:
    """P-value of "better than every rival" of each candidate, adjusted by Holm over the candidates.

    The p-value before adjustment is the largest of the one-sided ones (Berger, 1982); one that is undefined is 1.
    {} where there is no rival.
    """
    if not rivals:
        return {}
    each = [[paired.between(candidate, rival).p_in_favour for rival in rivals] for candidate in candidates]
    largest = np.nan_to_num(np.array(each).reshape(len(candidates), len(rivals)), nan=1.0).max(axis=1)
    return dict(zip(candidates, holm(largest).tolist(), strict=True))


def _best_fusion(case: Case, support: Mapping[str, float]) -> str | None:
    supported = [label for label, p in support.items() if p < case.alpha]
    return case.best(supported or case.labels("fusion"))


def _kind(case: Case) -> tuple[str | None, tuple[str, ...]]:
    """The kind of fusion to choose, and why."""
    if not case.labels("fusion"):
        return None, ()
    families = {name: case.family(name) for name in ("joint", "late")}
    joint, late = (case.best(labels) for labels in families.values())
    if joint is None or late is None:
        return "undecided", wording.one_family(joint, late)
    better = {name: _better(case, labels, families[other]) for name, other, labels in _sides(families)}
    won = {name: labels for name, labels in better.items() if labels}
    if not won:
        return "undecided", (wording.no_kind(case, joint, late),)
    name = next(iter(won))
    winner, loser = case.best(won[name]), late if name == "joint" else joint
    return name, (wording.kind(case, name, str(winner), loser),)


def _sides(families: Mapping[str, list[str]]) -> list[tuple[str, str, list[str]]]:
    """Each family with its rival."""
    return [("joint", "late", families["joint"]), ("late", "joint", families["late"])]


def _better(case: Case, candidates: list[str], rivals: list[str]) -> list[str]:
    """Those that beat the best rival, at half the level: there are two sides."""
    best = case.best(rivals)
    found = {} if best is None else beating(case.paired, candidates, [best])
    return [label for label, p in found.items() if 2 * p < case.alpha]


def _simple(case: Case) -> tuple[str, ...]:
    """How hard the simplest fusion is to beat."""
    label = case.best(case.simple)
    others = [other for other in case.labels("fusion") if other != label]
    return () if label is None else wording.simple(case, beating(case.paired, others, [label]))


def _sharing(outcomes: Outcomes, probe: str | None, rest: tuple[float, int, int]) -> tuple[str, ...]:
    """Whether the modalities say the same, where the probe was refitted, and reads all better than the best alone.

    In log loss for classes (what independent sources say of a class adds up there, as it does not in accuracies, which
    have a ceiling), in R² for values.
    """
    metric = metric_by_name(outcomes.truth.task, "log_loss" if outcomes.truth.task == "classification" else "r2")
    found = sharing(outcomes, probe, metric.name, *rest[1:])
    if found.empty or found["together"].item() < ledger_table(outcomes, probe, metric.name, 1)["alone"].max():
        return ()
    return (
        wording.shared(
            probe or "one method", metric.title, {str(name): value for name, value in found.iloc[0].items()}
        ),
    )
