"""What figures and page ask of findings."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from plait.skew.findings import Findings
from plait.skew.space import Pair, TapSpace
from plait.statistics.metrics import METRICS

Edge = tuple[str, str]
_METRICS = {name: metric for known in METRICS.values() for name, metric in known.items()}


def fact(findings: Findings, name: str) -> Any:
    """A value of the summary."""
    return findings.summary[name].iloc[0]


def has_choice(findings: Findings) -> bool:
    """Whether pairs were chosen, or no fusion is supported."""
    return bool(fact(findings, "pairs"))


def space_of(findings: Findings) -> TapSpace:
    """All pairs that were searched."""
    depths = findings.depths
    return TapSpace({str(name): int(taps) for name, taps in zip(depths["modality"], depths["taps"], strict=True)})


def edges_of(findings: Findings, between: Edge | None = None) -> list[Edge]:
    """Every two modalities, or the two that are asked for.

    Raises:
        ValueError: If they are not two of the modalities, in order.
    """
    return [(pair.first, pair.second) for pair in space_of(findings).late(between)]


def operator_of(findings: Findings, operator: str | None = None) -> str:
    """The operator that is asked for; None is the chosen one, or that of the best pair if nothing was chosen.

    Raises:
        ValueError: If no pair was searched by this operator.
    """
    pairs = findings.pairs
    known = list(dict.fromkeys(pairs["operator"]))
    if operator is None:
        operator = str(fact(findings, "operator")) or str(pairs["operator"].iloc[int(pairs["score"].argmax())])
    if operator not in known:
        raise ValueError(f"`operator` must be one that was searched, {', '.join(known)}; got {operator!r}.")
    return operator


def chosen_of(findings: Findings, pairs: pd.DataFrame, edge: Edge) -> list[Pair]:
    """The pairs of the choice between two modalities.

    Args:
        findings: What a search came to.
        pairs: Those of one operator; of another than the chosen one none belongs to the choice.
        edge: The two modalities.
    """
    chosen = f"; {fact(findings, 'pairs')}; "
    own = of_edge(pairs[pairs["operator"] == fact(findings, "operator")], edge)
    found = [Pair.parse(text) for text in own["pair"]]
    return [pair for pair in found if f"; {pair}; " in chosen]


def of_edge(table: pd.DataFrame, edge: Edge) -> pd.DataFrame:
    """The rows of two modalities."""
    return table[(table["first"] == edge[0]) & (table["second"] == edge[1])]


def cells(table: pd.DataFrame, column: str, space: TapSpace, edge: Edge) -> Float[ndarray, "i j"]:
    """A column of a table of pairs as a grid; row i - 1 is tap i of the first modality; NaN where there is no row."""
    grid = np.full([space.depths[name] for name in edge], np.nan)
    own = of_edge(table, edge)
    grid[own["i"].to_numpy() - 1, own["j"].to_numpy() - 1] = own[column].to_numpy(dtype=float)
    return grid


def metric_title(findings: Findings) -> str:
    """What the scores are: the metric with its unit, "minus" before one of which less is better."""
    name = str(fact(findings, "metric"))
    metric = _METRICS.get(name)
    if metric is None:
        return name
    return metric.title if metric.greater_is_better else f"minus {metric.title}"


def percent(share: float) -> str:
    """A share in words: "95 %"."""
    return f"{100 * share:g} %"
