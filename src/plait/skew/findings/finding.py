"""From searches and their judges to all tables of findings."""

from collections.abc import Sequence

import pandas as pd

from plait.skew.findings.baselines import baselines_table, tested_table
from plait.skew.findings.columns import empty
from plait.skew.findings.contenders import Contender, contenders
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.grid import depths_table, pairs_table, taps_table
from plait.skew.findings.ladder import sets_table
from plait.skew.findings.profile import marginals_table, skew_table
from plait.skew.findings.similarity import similarity_table
from plait.skew.findings.summary import summary_table
from plait.skew.judge import Judge


def found_tables(
    folds: Sequence[Evidence], tests: Sequence[Judge], rivals: Sequence[Sequence[Contender]] | None = None
) -> list[dict[str, pd.DataFrame]]:
    """All tables by name, of every fold; see `Findings`.

    Args:
        folds: Searches and their judges; at least one.
        tests: A judge of other samples for each, or none at all: "tested" is of all folds together.
        rivals: Baselines and the choice of each fold; None is `contenders`.

    Raises:
        ValueError: If a judge is of other taps, another metric or another number of draws than its search.
    """
    for seen in folds:
        _check(seen, seen.judge, "judge")
    for seen, test in zip(folds, tests, strict=False):
        _check(seen, test, "test")
    compared = rivals or [contenders(seen) for seen in folds]
    tested = tested_table(compared, tests, folds[0].level) if tests else empty("tested")
    return [_tables(seen, own) | {"tested": tested} for seen, own in zip(folds, compared, strict=True)]


def _tables(seen: Evidence, compared: Sequence[Contender]) -> dict[str, pd.DataFrame]:
    """Of the samples that chose."""
    return {
        "summary": summary_table(seen),
        "depths": depths_table(seen),
        "pairs": pairs_table(seen),
        "taps": taps_table(seen),
        "sets": sets_table(seen),
        "skew": skew_table(seen),
        "marginals": marginals_table(seen),
        "baselines": baselines_table(compared, seen),
        "similarity": similarity_table(seen),
    }


def _check(seen: Evidence, judge: Judge, name: str) -> None:
    """Whether what a judge says can stand beside the search."""
    told = {"taps": dict(judge.space.depths), "metric": judge.metric.name, "draws": judge.how.draws}
    search = seen.search
    meant = {"taps": dict(search.space.depths), "metric": search.metric.name, "draws": len(search.fused.drawn)}
    odd = [fact for fact in meant if told[fact] != meant[fact]]
    if odd:
        fact = odd[0]
        raise ValueError(
            f"`{name}` must be a judge with the {fact} of the search, {meant[fact]}; got {told[fact]}. "
            "Make it with the same taps, metric and HeadSettings."
        )
