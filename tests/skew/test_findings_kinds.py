"""Findings of every kind of data: values, folds, any number of modalities of any depth."""

import numpy as np
import pytest
from planted_judges import noise, planted, values

from plait.skew.findings import Findings, contenders
from plait.skew.judge import Judge, Split
from plait.skew.search import ClosedForm
from plait.skew.space import Pair
from plait.statistics.metrics import metric_by_name


def found(judge, operators=("concat",), test=None):
    """Findings of a search by a judge."""
    return Findings.of(ClosedForm(operators, judge.how, most=1).judged(judge), judge, test)


def row(findings):
    return findings.summary.iloc[0]


def test_values_are_told_in_their_own_metric():
    """R² of a regression; no decisions, so nothing to disagree on."""
    judge = values()
    findings = found(judge, ("concat", "outer"), test=judge)
    assert row(findings)["task"] == "regression"
    assert row(findings)["pairs"] == "a@2 + b@1"
    assert "best: R² 1.000, a gain of" in findings.sentence
    assert findings.similarity[["disagreement", "double_fault"]].isna().all(axis=None)
    assert findings.similarity["cka"].notna().all()
    assert set(findings.pairs["operator"]) == {"concat", "outer"}


def test_three_modalities_have_three_grids():
    """TRI: the two of three that matter, and names of all."""
    judge, bunch = planted("tri")
    findings = found(judge)
    pair = Pair.parse(row(findings)["pairs"])
    assert {(pair.first, pair.i, pair.second, pair.j)} == set(bunch.planted)
    assert len(findings.pairs) == len(findings.similarity) == 3 * 16
    assert findings.skew.groupby(["first", "second"], sort=False)["pairs"].sum().tolist() == [16, 16, 16]
    assert findings.skew["frequency"].sum() == pytest.approx(1)
    assert findings.marginals["frequency"].sum() == pytest.approx(2)
    assert {"two taps of a", "two taps of b", "two taps of c"} <= set(findings.baselines["name"])
    assert findings.sets.set_index("kind").loc["late", "size"] == 3


def test_unequal_depths_and_encoders_of_one_tap_are_told_too():
    """Two taps cannot be chosen of one; windows fit the deeper encoder."""
    judge = noise({"image": 5, "text": 2, "pulse": 1}, n=60)
    findings = found(judge, ("concat", "outer"), test=judge)
    names = set(findings.baselines["name"])
    assert {"two taps of image", "two taps of text", "mix of all taps of pulse"} <= names
    assert "two taps of pulse" not in names
    assert len(findings.pairs) == 2 * (10 + 5 + 2)
    assert dict(findings.depths.itertuples(index=False)) == {"image": 5, "text": 2, "pulse": 1}


def test_two_encoders_of_one_tap_have_no_skew():
    """One pair, which is both diagonal and late; the effect of skew is unknown, its probability 0."""
    findings = found(noise({"image": 1, "text": 1}))
    assert len(findings.pairs) == 1
    assert np.isnan(row(findings)["skew_effect"])
    assert row(findings)["p_skew"] == 0
    assert "skew pair" not in findings.sentence


def test_folds_are_told_as_one():
    """Three folds: every sample is judged once, by heads of the others."""
    judge, bunch = planted("add")
    data, rows = judge.splits[0].data, np.concatenate([bunch.train, bunch.validation])[:600]
    folds = [Split(data, rows[rows % 3 != fold], rows[rows % 3 == fold]) for fold in range(3)]
    findings = found(Judge(judge.how, folds, judge.metric))
    assert (row(findings)["train"], row(findings)["held"]) == (400, 600)
    assert row(findings)["pairs"] == "a@3 + b@1"
    assert findings.similarity["cka"].notna().all()


def test_a_metric_that_falls_is_told_as_it_is_and_gains_as_gains():
    """RMSE: the sentence has the error itself, tables its negative; the gain is what the error falls by."""
    judge = values()
    judge = Judge(judge.how, judge.splits, metric_by_name("regression", "rmse"))
    findings = found(judge)
    assert row(findings)["score"] < 0 < row(findings)["gain"]
    assert f"RMSE {-row(findings)['score']:.3f}, a gain of {row(findings)['gain']:.3f}" in findings.sentence


def test_deep_encoders_are_compared_within_bounds(monkeypatch):
    """Twelve windows at most, the best two of the best sixteen taps, and a mean over so many pairs at most."""
    monkeypatch.setattr(contenders, "_PAIRS", 7)
    findings = found(noise({"image": 20, "text": 20}, n=60))
    sizes = findings.sets.loc[findings.sets["kind"] == "window", "size"]
    assert len(sizes) <= 12
    assert sizes.iloc[[0, -1]].tolist() == [1, 20 - abs(best_skewness(findings))]
    what = findings.baselines.set_index("name")["what"]
    assert what["two taps of text"].endswith("the best two of 16 taps")
    assert what["random pair"] == "the mean score of 7 of 400 pairs by concat"


def best_skewness(findings):
    """Of the pair with the best score."""
    return findings.pairs.loc[findings.pairs["score"].idxmax(), "skewness"]


def test_too_few_judged_samples_have_no_alignment():
    """Three cannot be debiased: NaN, and everything else is told."""
    findings = found(noise({"image": 1, "text": 2}, n=6))
    assert findings.similarity["cka"].isna().all()
    assert findings.similarity["double_fault"].notna().all()
