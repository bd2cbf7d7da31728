"""Outcomes and scores as people read them: one row a method, counts of confusions, paths of rho."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from plait.compare.layout import smaller_is_better
from plait.compare.outcomes import Outcomes
from plait.compare.plots.cohort import FINDINGS


def best_first(scores: pd.DataFrame, by: str) -> pd.DataFrame:
    """The tidy table by kind, within a kind the best method first; one that failed is last.

    Args:
        scores: The tidy table.
        by: The metric that decides.
    """
    labels = scores["method"].unique()
    rank = scores[scores["metric"] == by].set_index("method")["mean"].reindex(labels).to_numpy(dtype=np.float64)
    signed = np.nan_to_num(rank if smaller_is_better(by) else -rank, nan=np.inf)
    kinds = scores.drop_duplicates("method")["kind"]
    order = np.lexsort((signed, pd.factorize(kinds)[0]))
    places = {label: place for place, label in enumerate(labels[order])}
    return scores.sort_values("method", key=lambda column: column.map(places), kind="stable", ignore_index=True)


def wide(scores: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """One row a method: kind, each metric with the ends of its interval, seconds of a fit.

    Args:
        scores: The tidy table.
        metrics: Which metrics, in this order.
    """
    labels = pd.Index(scores["method"].unique(), name="method")
    columns: dict[str, Any] = {"kind": _of(scores, labels, "kind")}
    for name in metrics:
        rows = scores[scores["metric"] == name].set_index("method")
        columns |= {name: rows["mean"], f"{name}_low": rows["low"], f"{name}_high": rows["high"]}
    columns["seconds"] = _of(scores, labels, "seconds")
    return pd.DataFrame(columns, index=labels)


def _of(scores: pd.DataFrame, labels: "pd.Index[Any]", column: str) -> "pd.Series[Any]":
    return scores.drop_duplicates("method").set_index("method")[column].reindex(labels)


def confusion(outcomes: Outcomes, label: str) -> pd.DataFrame:
    """Counts of true classes (rows) by predicted ones (columns), mean over repeats and seeds.

    Raises:
        ValueError: If the task is a regression, or there is no such contender.
    """
    truth = outcomes.truth
    if truth.task != "classification":
        raise ValueError("A regression has no classes to confuse.")
    if label not in outcomes.contenders or outcomes[label].failure:
        raise ValueError(f"There is no contender {label!r} with predictions; there are {list(outcomes.contenders)}.")
    counts = np.zeros((len(truth.classes), len(truth.classes)))
    outputs = outcomes[label].outputs
    for seed, repeat in np.ndindex(outputs.shape[:2]):
        rows = np.flatnonzero(truth.fold[repeat] >= 0)
        found = outputs[seed, repeat, rows].argmax(1)
        counts += confusion_matrix(truth.target[rows], found, labels=range(len(counts)))
    names = pd.Index(truth.classes)
    return pd.DataFrame(counts / (outputs.shape[0] * outputs.shape[1]), index=names, columns=names)


def first_cohorts(cohorts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The table of students of each method, from its first fit; only where there are more than one a modality.

    Modalities that the fit did not have (a method on some of them alone) are left out.
    """
    found = {}
    place = ["method", "repeat", "fold", "seed"]
    for label, table in cohorts.groupby("method", sort=False):
        first = table[(table[place[1:]] == table[place[1:]].iloc[0]).all(axis=1)]
        kept = first.drop(columns=place).set_index("student")
        lacking = [name for name in kept if name not in FINDINGS and kept[name].isna().all()]
        kept = kept.drop(columns=lacking)
        if kept["teaches"].any() or len(kept) > kept.shape[1] - len(FINDINGS):
            found[str(label)] = kept
    return found


def mean_paths(paths: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The path of rho of each method: mean validation loss over all fits, their range, and the usual choice."""
    found = {}
    for label, table in paths.groupby("method", sort=False):
        by_rho = table.groupby("rho")
        loss = by_rho["validation_loss"]
        share = by_rho["chosen"].mean()
        found[str(label)] = pd.DataFrame(
            {"rho": share.index, "loss": loss.mean(), "low": loss.min(), "high": loss.max(), "chosen": _most(share)}
        ).reset_index(drop=True)
    return found


def _most(share: "pd.Series[Any]") -> np.ndarray:
    """The one that is chosen most often."""
    return np.asarray(np.arange(len(share)) == int(share.to_numpy().argmax()))
