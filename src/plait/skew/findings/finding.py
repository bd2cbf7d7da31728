"""From a search and its judge to all tables of findings."""

import pandas as pd

from plait.skew.findings.baselines import baselines_table
from plait.skew.findings.columns import empty
from plait.skew.findings.contenders import contenders
from plait.skew.findings.evidence import Evidence
from plait.skew.findings.grid import depths_table, pairs_table, taps_table
from plait.skew.findings.ladder import sets_table
from plait.skew.findings.profile import marginals_table, skew_table
from plait.skew.findings.scorers import Fresh
from plait.skew.findings.similarity import similarity_table
from plait.skew.findings.summary import summary_table
from plait.skew.judge import Judge


def found_tables(seen: Evidence, test: Judge | None = None) -> dict[str, pd.DataFrame]:
    """All tables by name; see `Findings`.

    Args:
        seen: The search and its judge.
        test: A judge of other samples.

    Raises:
        ValueError: If a judge is of other taps, another metric or another number of draws than the search.
    """
    _check(seen, seen.judge, "judge")
    if test is not None:
        _check(seen, test, "test")
    compared = contenders(seen)
    return {
        "summary": summary_table(seen),
        "depths": depths_table(seen),
        "pairs": pairs_table(seen),
        "taps": taps_table(seen),
        "sets": sets_table(seen),
        "skew": skew_table(seen),
        "marginals": marginals_table(seen),
        "baselines": baselines_table(compared, seen, seen.level),
        "similarity": similarity_table(seen),
        "tested": empty("tested") if test is None else baselines_table(compared, Fresh(test), seen.level),
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
