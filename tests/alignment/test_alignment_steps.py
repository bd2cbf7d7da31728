"""Alignment and movements step by step, and the way from an estimator to its trace."""

import math

import numpy as np
import pytest
import torch
import traces
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from torch import nn

from plait import EarlyFusion, FusionClassifier, StepFusion, Trainer
from plait.alignment import MEASURES, alignment_steps, linear_cka, movements, normalised_gap, retrieval, svcca, trace_of
from plait.nn.step_fusion.trace import StepRecord, Trace


def test_a_row_for_every_moment_and_pair():
    """Moments first, from before the first step; what was moved stands at the moment after it."""
    table = alignment_steps(traces.toward(3, 2), ("gap",))
    assert table["moment"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert table["moved"].tolist() == [""] * 3 + ["audio"] * 3 + ["text"] * 3
    assert list(zip(table["a"][:3], table["b"][:3], strict=True)) == [
        ("audio", "text"), ("audio", "image"), ("text", "image"),
    ]  # fmt: skip


def test_the_shift_toward_the_guides_closes_the_gap():
    """Of two modalities, at every step; alignment grows with it."""
    table = alignment_steps(traces.toward(2, 4), ("gap", "debiased_cka"))
    assert (np.diff(table["gap"]) < 0).all()
    assert table["debiased_cka"].iloc[-1] > table["debiased_cka"].iloc[0] + 0.15


def test_every_measure_is_that_of_its_function():
    """On the features of that moment."""
    trace = traces.toward(2, 1)
    table = alignment_steps(trace, tuple(MEASURES))
    X, Y = trace.pooled[1].unbind(1)
    row = table.iloc[1]
    assert row["cka"] == pytest.approx(linear_cka(X, Y))
    assert row["svcca"] == pytest.approx(svcca(X, Y).mean())
    assert row["gap"] == pytest.approx(normalised_gap(X, Y))
    assert row["recall@5"] == pytest.approx(retrieval(X, Y, (5,))["recall@5"].mean())
    assert row["median_rank"] == pytest.approx(retrieval(X, Y)["median_rank"].mean())
    assert table[list(MEASURES)].notna().all(axis=None)


def test_a_pair_is_measured_on_the_samples_that_have_both():
    """What absent modalities are filled with does not matter; other pairs keep their samples."""
    absent = [(0, 0), (1, 1), (2, 1)]
    trace = traces.toward(3, 2, absent=absent)
    noise = trace.pooled.clone()
    for sample, modality in absent:
        noise[:, sample, modality] = 99
    tables = [
        alignment_steps(Trace(trace.names, pooled, trace.present, trace.records)) for pooled in (trace.pooled, noise)
    ]
    assert tables[0].equals(tables[1])
    assert tables[0]["samples"][:3].tolist() == [57, 59, 58]


def test_fewer_than_four_samples_say_nothing():
    """NaN for that pair; canonical correlations already below 2 * width + 2."""
    table = alignment_steps(traces.toward(2, 1, samples=10, absent=[(row, 0) for row in range(7)]), tuple(MEASURES))
    assert table["samples"].tolist() == [3, 3]
    assert table[list(MEASURES)].isna().all(axis=None)
    assert alignment_steps(traces.toward(2, 0, samples=13), ("cca",))["cca"].isna().all()
    assert alignment_steps(traces.toward(2, 0, samples=14), ("cca",))["cca"].notna().all()


def test_many_samples_are_drawn_from():
    """The same at all moments, by the seed."""
    trace = traces.toward(2, 2, samples=200)
    first, again, other = (alignment_steps(trace, ("gap",), samples=50, random_state=seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert first["samples"].tolist() == [50] * 3
    assert (first["gap"] != other["gap"]).all()


def test_no_step_leaves_one_moment():
    """And no movement, but all columns."""
    assert alignment_steps(traces.toward(3, 0))["moment"].tolist() == [0, 0, 0]
    assert list(movements(traces.toward(3, 0))) == list(movements(traces.toward(2, 1)))
    assert len(movements(traces.toward(3, 0))) == 0


def test_one_modality_has_no_pair():
    """An empty table with its columns."""
    table = alignment_steps(traces.toward(1, 1), ("gap",))
    assert len(table) == 0
    assert list(table) == ["moment", "moved", "a", "b", "samples", "gap"]


def test_an_unknown_measure_is_refused():
    """The known ones are named."""
    with pytest.raises(ValueError, match=r"'beauty'.*There are cka, debiased_cka"):
        alignment_steps(traces.toward(), ("cka", "beauty"))


def made(zoom, angles, displacement, local, absent=0):
    """A trace of one step of the second modality, of four samples of length 2 before it."""
    pooled = torch.ones(2, 4, 2, 4, dtype=torch.float64)
    pooled[1, :, 1, 0] = 4
    present = torch.ones(4, 2, dtype=torch.bool)
    present[:absent, 1] = False
    lengths = (torch.full((4,), value, dtype=torch.float64) for value in (displacement, local))
    return Trace(("a", "b"), pooled, present, (StepRecord(1, 1, zoom, angles, *lengths),))


def test_movements_by_hand():
    """Geometric mean and spread of the zoom, mean angle, and lengths relative to that before."""
    zoom = torch.tensor([0.5, 0.5, 2, 8], dtype=torch.float64).expand(4, 4)
    row = movements(made(zoom, torch.tensor([math.pi, 0.0]), 1.0, 0.5)).iloc[0]
    assert (row["step"], row["target"], row["samples"]) == (1, "b", 4)
    assert row["zoom"] == pytest.approx(2 ** (2 / 4))
    assert row["zoom_spread"] == pytest.approx(np.std([-1, -1, 1, 3]) * np.log(2))
    assert (row["zoom_05"], row["zoom_50"], row["zoom_95"]) == pytest.approx((0.5, 1.25, 8))
    assert row["angle"] == pytest.approx(math.pi / 2)
    assert (row["displacement"], row["local"], row["distance"]) == pytest.approx((0.5, 0.25, 1.5))


def test_movements_are_those_of_samples_that_have_the_target():
    """The zoom of absent rows does not count; without any such sample there is nothing to say; no plane, no angle."""
    zoom = torch.ones(4, 4, dtype=torch.float64)
    zoom[:2] = 1e9
    row = movements(made(zoom, torch.zeros(0), 1.0, 0.0, absent=2)).iloc[0]
    assert (row["samples"], row["zoom"], row["angle"], row["local"]) == (2, 1, 0, 0)
    nothing = movements(made(zoom, torch.zeros(0), 1.0, 0.0, absent=4)).iloc[0]
    assert nothing[["zoom", "zoom_spread", "zoom_50", "displacement", "local", "distance"]].isna().all()


def test_several_targets_of_one_step_are_rows_of_their_own():
    """And are named together in the table of pairs."""
    trace = traces.toward(3, 2, parallel=True)
    assert movements(trace)[["step", "target"]].to_numpy().tolist() == [
        [step, name] for step in (1, 2) for name in ("audio", "text", "image")
    ]
    assert alignment_steps(trace, ("gap",))["moved"].unique().tolist() == ["", "audio+text+image"]


class Traced(nn.Module):
    """A module with a trace: its features, twice."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def trace(self, features, present):
        assert not self.training
        assert not torch.is_grad_enabled()
        pooled = torch.stack([self.scale * value for value in features.values()], 1)
        return Trace(tuple(features), torch.stack([pooled, pooled]), present, ())


@pytest.fixture(scope="module")
def fitted():
    draw = np.random.default_rng(0)
    X = {"one": draw.normal(5, 3, size=(20, 2)), "two": draw.normal(size=(20, 2))}
    X["two"][3] = np.nan
    return FusionClassifier(EarlyFusion(), trainer=Trainer(epochs=1), random_state=0).fit(X, np.arange(20) % 2), X


def test_the_trace_is_that_of_scaled_samples_in_evaluation(fitted, monkeypatch):
    """Read as for a prediction: scaled, absent rows marked, double precision, no gradient; the model is left alone."""
    estimator, X = fitted
    module = Traced().train()
    monkeypatch.setattr(estimator, "module_", module)
    trace = trace_of(estimator, {name: values[:5] for name, values in X.items()})
    assert trace.names == ("one", "two")
    assert trace.present.tolist() == [[True, True]] * 3 + [[True, False], [True, True]]
    assert trace.pooled.dtype == torch.float64
    assert trace.pooled[0, :, 0].abs().max() < 4
    assert module.training
    assert module.scale.dtype == torch.float32


@pytest.mark.parametrize("module", [nn.Linear(1, 1), None], ids=["no trace", "an empty one"])
def test_what_has_no_steps_cannot_be_traced(fitted, monkeypatch, module):
    """The method is named; an estimator that is not fitted is refused as everywhere."""
    estimator, X = fitted
    if module is not None:
        monkeypatch.setattr(estimator, "module_", module)
    with pytest.raises(TypeError, match=r"EarlyFusion has no steps to trace.*StepFusion"):
        trace_of(estimator, X)
    with pytest.raises(NotFittedError):
        trace_of(FusionClassifier(EarlyFusion()), X)
    with pytest.raises(
        TypeError, match=r"takes a FusionClassifier or FusionRegressor \(got Pipeline\).*pipeline\[-1\]"
    ):
        trace_of(make_pipeline(FusionClassifier(EarlyFusion())), X)


def test_step_fusion_is_traced(fitted):
    """From the estimator to the tables: a moment for every step, and the target that came closer to its guide."""
    _, X = fitted
    model = FusionClassifier(StepFusion(width=8, steps=3), trainer=Trainer(epochs=1), random_state=0)
    trace = trace_of(model.fit(X, np.arange(20) % 2), X)
    table = alignment_steps(trace, ("gap",))
    assert table["moved"].tolist() == ["", "one", "two", "one"]
    assert table["samples"].tolist() == [19] * 4
    assert (np.diff(table["gap"]) < 0).all()
    assert movements(trace)["distance"].gt(0.2).all()
