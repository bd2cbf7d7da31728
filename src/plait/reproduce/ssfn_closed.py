"""The search in closed form on one fold, and who judges it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from plait.reproduce.ssfn_tasks import Part
from plait.skew.judge import Judge, Split, TapData
from plait.skew.search import ClosedForm, Search
from plait.statistics.metrics import Metric

Taps = Mapping[str, Sequence[Float[ndarray, "_ _"]]]


@dataclass(frozen=True, eq=False)
class Searched:
    """One fold.

    Args:
        search: What was found.
        judge: By validation rows, which chose.
        test: By test rows, which choose nothing.
    """

    search: Search
    judge: Judge
    test: Judge


def closed_form(how: ClosedForm, metric: Metric, taps: Taps, part: Part) -> Searched:
    """Search all pairs; fitted on training rows, chosen on validation rows.

    Args:
        how: Operators, heads, draws.
        metric: What is chosen by.
        taps: Of all samples.
        part: Target and rows.
    """
    judge, test = (
        Judge(how.heads, [Split(TapData(taps, part.target, np.eye(part.classes)[part.target], groups), *rows)], metric)
        for groups, rows in (
            (part.units, (part.train, part.validation)),
            (part.groups, (part.train, part.test)),
        )
    )
    return Searched(how.judged(judge), judge, test)
