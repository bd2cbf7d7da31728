"""The modality ledger: what each modality is worth alone, beside the others, and its fair share of the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from plait.compare.outcomes import Outcomes
from plait.compare.statistics.scores import drawn_scores, mean_scores
from plait.nn.shapley import MOST_PLAYERS, shapley_values
from plait.statistics.bootstrap import percentile_interval
from plait.statistics.metrics import metric_by_name

Subset = frozenset[str]
Linear = Float[ndarray, "what subset"]
COLUMNS = (
    "modality",
    "metric",
    *(f"{what}{end}" for what in ("alone", "gain", "shapley") for end in ("", "_low", "_high")),
)
SHARING = ("metric", *(f"{what}{end}" for what in ("together", "apart", "overlap") for end in ("", "_low", "_high")))


def ledger_table(
    outcomes: Outcomes, probe: str | None, metric: str, draws: int = 1000, random_state: int = 0
) -> pd.DataFrame:
    """What every modality contributes to one method, the probe, refitted on subsets of the modalities.

    The worth of a subset is the metric of the refit on it, with the sign that makes greater better (a log loss counts
    negative), mean over repeats and seeds; the worth of no modality is that of the first baseline.

    Args:
        outcomes: Contenders of kind "subset" by what they read; the whole is the probe, or a subset that reads all.
        probe: Label of the contender that reads all modalities; None or "" is the fusion whose label begins those
            of the subsets.
        metric: Name of the metric.
        draws: Draws of groups with replacement; all subsets share them.
        random_state: Seed of the draws.

    Returns:
        Columns `modality`, `metric`; `alone`: worth of the modality minus that of none; `gain`: worth of all minus
        that of all others; `shapley`: exact Shapley value, these sum to the worth of all minus that of none; each
        with `_low` and `_high`, its 95 % interval. NaN where a refit that it needs is not there or failed; no row
        if there is no baseline, or nothing that reads all modalities, or no refit at all.

    Raises:
        ValueError: If the task has no such metric.
    """
    worths = Worths.of(outcomes, probe, metric, draws, random_state)
    if worths is None:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.DataFrame({"modality": worths.names, "metric": metric})
    for what, linear in _accounts(worths.names, worths.subsets).items():
        table[what], table[f"{what}_low"], table[f"{what}_high"] = worths.along(linear)
    return table[list(COLUMNS)]


def sharing(
    outcomes: Outcomes, probe: str | None, metric: str, draws: int = 1000, random_state: int = 0
) -> pd.DataFrame:
    """Whether the modalities say the same or complement each other, to one method refitted on each and on all.

    Args:
        outcomes: As in `ledger_table`, as the other arguments.
        probe: Label of the contender that reads all modalities.
        metric: Name of the metric.
        draws: Draws of groups with replacement.
        random_state: Seed of the draws.

    Returns:
        One row: `metric`; `together`, what all modalities are worth above none; `apart`, the sum of what each is worth
        alone; `overlap`, apart less together: above 0 they say in part the same, below 0 they are worth more together
        than their sum; each with `_low` and `_high`, its 95 % interval. No row where a refit is not there.
    """
    worths = Worths.of(outcomes, probe, metric, draws, random_state)
    if worths is None or not all(frozenset([name]) in worths.subsets for name in worths.names):
        return pd.DataFrame(columns=list(SHARING))
    together = _gap(frozenset(worths.names), frozenset(), worths.subsets)
    apart = np.sum([_gap(frozenset([name]), frozenset(), worths.subsets) for name in worths.names], axis=0)
    means, low, high = worths.along(np.stack([together, apart, apart - together]))
    return pd.DataFrame([(metric, *np.stack([means, low, high], 1).ravel().tolist())], columns=list(SHARING))


@dataclass(frozen=True)
class Worths:
    """What subsets of the modalities are worth to a method: its score after a refit on them, greater is better.

    Args:
        names: The modalities.
        subsets: The subsets.
        means: Worth of each.
        drawn: The same in every draw of groups.
    """

    names: list[str]
    subsets: list[Subset]
    means: Float[ndarray, " subset"]
    drawn: Float[ndarray, "draw subset"]

    @classmethod
    def of(cls, outcomes: Outcomes, probe: str | None, metric: str, draws: int, random_state: int) -> "Worths | None":
        """The worth of all subsets that were fitted; None without a baseline, or anything that reads all."""
        judged = outcomes.checked().of_kind("baseline", "single", "fusion", "subset")
        scored = metric_by_name(judged.truth.task, metric)
        names, players = _names(judged), _players(judged, probe)
        if not {frozenset(), frozenset(names)} < players.keys():
            return None
        asked = Outcomes(judged.truth, {label: judged[label] for label in players.values()}, judged.seeds)
        drawn = drawn_scores(asked, [scored], draws, random_state)
        means = np.array([mean_scores(judged.truth, judged[label], scored).mean() for label in players.values()])
        each = np.stack([drawn[label][0] for label in players.values()], axis=1)
        return cls(names, list(players), scored.sign * means, scored.sign * each)

    def along(self, linear: Linear) -> tuple[Float[ndarray, " what"], Float[ndarray, " what"], Float[ndarray, " what"]]:
        """Linear maps of the worths, with the ends of their intervals."""
        return (linear @ self.means, *percentile_interval(self.drawn @ linear.T))


def _names(outcomes: Outcomes) -> list[str]:
    """The modalities, in the order in which contenders read them."""
    return list(dict.fromkeys(name for one in outcomes.contenders.values() for name in one.reads))


def _players(outcomes: Outcomes, probe: str | None) -> dict[Subset, str]:
    """The contender whose score is the worth of each subset, by what it reads."""
    found: dict[Subset, str] = {}
    for one in outcomes.of_kind("baseline").contenders.values():
        found.setdefault(frozenset(), one.label)
    for one in outcomes.of_kind("subset").contenders.values():
        found.setdefault(frozenset(one.reads), one.label)
    whole = probe or _probe(outcomes)
    if whole in outcomes.contenders:
        found[frozenset(_names(outcomes))] = whole
    return found


def _probe(outcomes: Outcomes) -> str:
    """The fusion whose refits the subsets are, by their labels; "" if there is none."""
    subsets = tuple(outcomes.of_kind("subset").contenders)
    found = [label for label in outcomes.of_kind("fusion").contenders if all(one.startswith(label) for one in subsets)]
    return max(found, key=len, default="") if subsets else ""


def _accounts(names: Sequence[str], subsets: Sequence[Subset]) -> Mapping[str, Linear]:
    """Alone, gain and Shapley value as linear maps of the worth of the subsets."""
    whole = frozenset(names)
    alone = [_gap(frozenset([name]), frozenset(), subsets) for name in names]
    gain = [_gap(whole, whole - {name}, subsets) for name in names]
    return {"alone": np.array(alone), "gain": np.array(gain), "shapley": _shapley(names, subsets)}


def _gap(more: Subset, less: Subset, subsets: Sequence[Subset]) -> Float[ndarray, " subset"]:
    """The worth of one subset minus that of another; NaN if one is not there."""
    if more not in subsets or less not in subsets:
        return np.full(len(subsets), np.nan)
    return np.array([float(one == more) - float(one == less) for one in subsets])


def _shapley(names: Sequence[str], subsets: Sequence[Subset]) -> Linear:
    """What a unit of worth of each subset adds to each value; NaN if not all subsets are there."""
    if len(names) > MOST_PLAYERS or len({one for one in subsets if one <= frozenset(names)}) < 2 ** len(names):
        return np.full((len(names), len(subsets)), np.nan)
    units = [shapley_values({other: float(other == one) for other in subsets}, names) for one in subsets]
    return np.array([[unit[name] for unit in units] for name in names])
