"""Scores and findings as people read them."""

import numpy as np
import pandas as pd
import pytest
from frames import failed, scores
from simulated import contender, outcomes, right, truth

from plait.compare.reading import best_first, confusion, first_cohorts, mean_paths, wide


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_the_best_of_each_kind_is_first(metric):
    """Whatever the direction of the metric; what failed is last of its kind."""
    ordered = best_first(failed(scores(), "late", "out of memory"), metric)
    assert ordered["method"].unique().tolist() == ["majority", "motion", "audio", "early", "late"]


def test_a_wide_table_has_a_row_a_method():
    """Means with the ends of their intervals, by name."""
    table = wide(scores(), ["accuracy"])
    assert table.columns.tolist() == ["kind", "accuracy", "accuracy_low", "accuracy_high", "seconds"]
    assert table.loc["late", "accuracy"] == pytest.approx(0.54)
    assert table.index.name == "method"


def test_confusions_are_counted_over_repeats_and_seeds():
    """By hand: who is always right has the class sizes on the diagonal; who is always wrong has none there."""
    data = truth(n=40, repeats=2)
    found = outcomes(data, contender(data, "all", "fusion", right(data, 1.0, 0, seeds=3)))
    counts = confusion(found, "all")
    assert np.diag(counts).tolist() == np.bincount(data.target).tolist()
    assert counts.to_numpy().sum() == 40
    wrong = outcomes(data, contender(data, "none", "fusion", right(data, 0.0, 0)))
    assert np.diag(confusion(wrong, "none")).tolist() == [0, 0]
    with pytest.raises(ValueError, match="no contender 'other'"):
        confusion(found, "other")


def test_the_cohort_of_the_first_fit_is_shown_where_there_is_one():
    """Not that of late fusion, which has one student a modality."""
    facts = {"kind": "network", "validation_loss": 0.5, "independent_loss": 0.5, "epoch": 3.0, "weight": 0.5}
    rows = [
        {"method": method, "repeat": 0, "fold": fold, "seed": 0, "student": student, "a": "identity", "b": "null"}
        | {"teaches": method == "Meta Fusion", **facts}
        for method, students in {"Meta Fusion": ("x", "y", "z"), "late fusion": ("x", "y")}.items()
        for fold in (0, 1)
        for student in students
    ]
    found = first_cohorts(pd.DataFrame(rows))
    assert list(found) == ["Meta Fusion"]
    assert found["Meta Fusion"].index.tolist() == ["x", "y", "z"]


def test_a_cohort_has_the_modalities_that_its_fit_had():
    """The ledger fits a method on some modalities alone: rows of one table then lack the columns of the others."""
    facts = {"kind": "network", "validation_loss": 0.5, "independent_loss": 0.5, "epoch": np.nan, "teaches": True}
    place = {"repeat": 0, "fold": 0, "seed": 0, "weight": 1.0}
    both = {"method": "both", "student": "x", "a": "identity", "b": "null"} | place | facts
    alone = {"method": "a alone", "student": "x", "a": "identity"} | place | facts
    found = first_cohorts(pd.DataFrame([both, alone]))
    assert list(found["both"])[:2] == ["a", "b"]
    assert "b" not in found["a alone"]
    assert "epoch" in found["a alone"]


def test_paths_of_rho_are_averaged_over_fits():
    """Mean and range of the loss; the rho that is chosen most often."""
    rows = [
        {"method": "cooperative fusion", "fold": fold, "rho": rho, "validation_loss": loss + fold, "chosen": chosen}
        for fold in (0, 1)
        for rho, loss, chosen in ((0.0, 2.0, False), (1.0, 1.0, True))
    ]
    path = mean_paths(pd.DataFrame(rows))["cooperative fusion"]
    assert path["loss"].tolist() == [2.5, 1.5]
    assert path["low"].tolist() == [2.0, 1.0]
    assert path["high"].tolist() == [3.0, 2.0]
    assert path["chosen"].tolist() == [False, True]
