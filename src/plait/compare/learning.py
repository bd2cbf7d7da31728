"""Learning curves: the same comparison with fewer training samples."""

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from plait.compare.runs.parallel import execute
from plait.compare.runs.plan import Plan
from plait.compare.runs.splits import Split, Splits
from plait.compare.runs.store import Store
from plait.compare.statistics.scores import score_table
from plait.data.settings import check_real
from plait.training.splits import validation_folds

COLUMNS = ("method", "train", "mean", "low", "high")


def learning_curve(
    plan: Plan,
    labels: Sequence[str],
    metric: str,
    shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
    store: Store | str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    verbose: int = 1,
) -> pd.DataFrame:
    """How good methods are by number of training samples, on the same reported samples.

    Args:
        plan: A comparison; its splits lose training samples, stratified by class, whole groups at a time.
        labels: Which of its contenders.
        metric: Name of the metric.
        shares: Shares of the training samples, each above 0 and at most 1.
        store: Where runs are kept, as in `execute`.
        jobs: Processes, as in `execute`.
        verbose: 1 shows progress bars.

    Returns:
        One row a method and share: `method`, `train` (samples, mean over the splits), `mean`, `low` and `high`.

    Raises:
        ValueError: If a label or a share is none, or so few samples cannot be divided.
    """
    unknown = sorted(set(labels) - {one.label for one in plan.contenders})
    if unknown or not labels:
        raise ValueError(f"A learning curve needs contenders of the comparison; got {unknown or 'none'}.")
    contenders = tuple(one for one in plan.contenders if one.label in labels)
    found = []
    for share in shares:
        smaller = replace(plan, splits=smaller_splits(plan, share), contenders=contenders)
        scores = score_table(execute(smaller, store, jobs, verbose).outcomes, [metric], random_state=plan.random_state)
        train = float(smaller.splits.train[smaller.splits.train > 0].mean())
        found.append(scores.assign(train=train)[[*COLUMNS]])
    return pd.concat(found, ignore_index=True)


def smaller_splits(plan: Plan, share: float) -> Splits:
    """The splits of a plan with a share of their training samples.

    Raises:
        ValueError: If the share is not above 0 and at most 1, or cannot be drawn.
    """
    if share == 1:
        return plan.splits
    check_real("Each of shares", share, 0.0, 1.0, above=True)
    parts = tuple(replace(part, train=_kept(plan, part, share)) for part in plan.splits.parts)
    return replace(plan.splits, parts=parts, protocol=f"{plan.splits.protocol}, {share:g} of the training samples")


def _kept(plan: Plan, part: Split, share: float) -> np.ndarray:
    """The training samples that stay: what a hold-out set of the others leaves."""
    codes = plan.samples.target[part.train] if plan.task == "classification" else None
    groups = None if plan.groups is None else plan.groups[part.train]
    seed = int(np.random.SeedSequence((plan.random_state, part.repeat, part.fold)).generate_state(1)[0]) >> 1
    return part.train[validation_folds(len(part.train), 1 - share, codes, groups, seed) < 0]
