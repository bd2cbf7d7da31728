"""`plait rank`: methods over the comparisons of several data sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd
from matplotlib.figure import Figure

from plait.compare.layout import metrics_of, smaller_is_better
from plait.compare.plots import plot_critical_difference
from plait.compare.statistics.multiple import Ranks, critical_difference
from plait.data.whole_files import whole_file

SCORES = "scores.csv"


def ranked(folders: Sequence[Path], metric: str | None) -> tuple[Ranks, list[str]]:
    """Methods ranked over folders that `plait compare` wrote, and the methods that are not in all of them.

    Args:
        folders: One folder a data set; methods that are not in all of them are left out.
        metric: Name of the metric; None is the first that all have.

    Raises:
        FileNotFoundError: If a folder has no scores.
        ValueError: If there are too few data sets or methods in common, or the metric is not in all.
    """
    tables = {folder.name: _read(folder) for folder in folders}
    if len(tables) < len(folders):
        raise ValueError(f"The folders need different names, one a data set; got {[str(one) for one in folders]}.")
    common = [
        name for name in metrics_of(next(iter(tables.values()))) if all(_has(one, name) for one in tables.values())
    ]
    chosen = metric or next(iter(common), "")
    if chosen not in common:
        raise ValueError(f"The metric must be in all comparisons: {', '.join(common) or 'they have none in common'}.")
    means = {name: table[table["metric"] == chosen].set_index("method")["mean"] for name, table in tables.items()}
    frame = pd.DataFrame(means)
    kept = frame.dropna().T
    ranks = critical_difference(kept, greater_is_better=not smaller_is_better(chosen))
    return ranks, sorted(set(frame.index) - set(kept.columns))


def summary(ranks: Ranks, left_out: Sequence[str]) -> dict[str, Any]:
    """What is told of the ranks."""
    return {
        "datasets": ranks.datasets,
        "mean_ranks": {str(name): round(float(rank), 3) for name, rank in ranks.mean_ranks.items()},
        "friedman_p": float(ranks.p),
        "critical_difference": round(float(ranks.cd), 3),
        "cannot_be_told_apart": [", ".join(group) for group in ranks.groups],
        "left_out": list(left_out),
    }


def draw(ranks: Ranks, path: Path) -> None:
    """Write the diagram; the suffix says which kind of file.

    Raises:
        ValueError: If the suffix is no kind of picture.
        OSError: If it cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("svg", "png", "pdf"):
        raise ValueError(f"A diagram is written as svg, png or pdf, by the suffix; got {path.name!r}.")
    with whole_file(path) as part:
        cast("Figure", plot_critical_difference(ranks).figure).savefig(part, format=kind)


def _read(folder: Path) -> pd.DataFrame:
    path = folder / SCORES
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; give folders that `plait compare --out` wrote.")
    scores = pd.read_csv(path)
    return scores[scores["kind"].isin(["baseline", "single", "fusion"])]


def _has(scores: pd.DataFrame, metric: str) -> bool:
    return bool((scores["metric"] == metric).any())
